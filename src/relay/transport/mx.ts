import { BlockList, isIP } from 'node:net'
import { domainToASCII } from 'node:url'

import type { Random } from '../../base/clock.ts'
import type { Reply } from '../../mail/reply.ts'
import type { Endpoint, MxAnswer, Resolver } from './resolver.ts'

/** Hosts of one preference, in the order in which to try them. */
export interface MxGroup {
  readonly preference: number
  readonly hosts: readonly string[]
}

/** Where the mail of a domain goes (RFC 5321 section 5.1), or why nowhere: for good, or for now. */
export type MxRoute =
  | { readonly kind: 'groups'; readonly groups: readonly MxGroup[] }
  | { readonly kind: 'bounced'; readonly reply: Reply }
  | { readonly kind: 'deferred'; readonly reply: Reply }

/** What this relay is called and where it listens, so that it does not send mail to itself. */
export interface OwnHost {
  /** Lower case, without a dot at the end. */
  readonly names: readonly string[]
  /** Addresses and networks: `192.0.2.1`, `127.0.0.0/8`, `2001:db8::/64`. */
  readonly addresses: readonly string[]
}

/** Looks up where the mail of a domain goes. Never throws for the DNS. */
export async function routeTo(
  domain: string,
  resolver: Resolver,
  own: OwnHost,
  random: Random,
): Promise<MxRoute> {
  const literal = addressLiteral(domain)
  if (literal !== undefined)
    return { kind: 'groups', groups: [{ preference: 0, hosts: [literal] }] }
  // RFC 5891 section 4.4: the DNS is asked for A-labels.
  const name = domainToASCII(domain)
  if (name === '') return bounced(0, '5.1.2', `${domain} is no domain name`)
  return routeOf(name, await resolver.mx(name), own, random)
}

function routeOf(domain: string, answer: MxAnswer, own: OwnHost, random: Random): MxRoute {
  switch (answer.kind) {
    case 'nonexistent':
      return bounced(0, '5.1.2', `The domain ${domain} does not exist`)
    case 'null':
      // RFC 7505 section 4.
      return bounced(556, '5.1.10', `The domain ${domain} takes no mail (null MX)`)
    case 'unavailable': {
      const text = `The mail hosts of ${domain} cannot be looked up: ${answer.cause}`
      return { kind: 'deferred', reply: { code: 0, enhanced: '4.4.3', text } }
    }
    case 'implicit':
      return { kind: 'groups', groups: [{ preference: 0, hosts: [domain] }] }
    case 'mx': {
      const groups = withoutUs(grouped(answer.hosts, random), own)
      return groups.length > 0 ? { kind: 'groups', groups } : selfLoop(domain)
    }
  }
}

/** We are the best host of the domain, and yet do not know it as ours (RFC 5321 section 5.1). */
export function selfLoop(domain: string): MxRoute & { kind: 'bounced' } {
  return bounced(0, '5.4.6', `Mail for ${domain} loops back to this host`)
}

/** Whether one of these addresses is our own. */
export function isOwnAddress(endpoints: readonly Endpoint[], own: BlockList): boolean {
  return endpoints.some(({ address }) => own.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4'))
}

export function ownAddresses(own: OwnHost): BlockList {
  const list = new BlockList()
  for (const entry of own.addresses) {
    const [address = '', prefix] = entry.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (prefix === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(prefix), family)
  }
  return list
}

function grouped(
  hosts: readonly { readonly host: string; readonly preference: number }[],
  random: Random,
): MxGroup[] {
  const groups = new Map<number, string[]>()
  for (const { host, preference } of hosts) {
    const name = host.toLowerCase().replace(/\.$/, '')
    const group = groups.get(preference) ?? []
    if (!group.includes(name)) group.push(name)
    groups.set(preference, group)
  }
  return [...groups]
    .toSorted(([a], [b]) => a - b)
    .map(([preference, names]) => ({ preference, hosts: shuffled(names, random) }))
}

/** RFC 5321 section 5.1: hosts of our own preference and worse would send it back to us, or to where it came from. */
function withoutUs(groups: readonly MxGroup[], own: OwnHost): readonly MxGroup[] {
  const ours = groups.findIndex(({ hosts }) => hosts.some(host => own.names.includes(host)))
  return ours < 0 ? groups : groups.slice(0, ours)
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], random: Random): T[] {
  const result = [...items]
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[result[i], result[j]] = [result[j] as T, result[i] as T]
  }
  return result
}

/** RFC 5321 section 4.1.3: `[192.0.2.1]`, `[IPv6:2001:db8::1]`. */
function addressLiteral(domain: string): string | undefined {
  const text = /^\[(?:ipv6:)?([^\]]+)\]$/i.exec(domain)?.[1]
  return text !== undefined && isIP(text) !== 0 ? text : undefined
}

function bounced(code: number, enhanced: string, text: string): MxRoute & { kind: 'bounced' } {
  return { kind: 'bounced', reply: { code, enhanced, text } }
}
