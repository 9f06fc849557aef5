import { BlockList, isIP } from 'node:net'

/** Networks in the notation of RFC 4632 and RFC 4291: `192.0.2.0/24`, `2001:db8::/32`, or a single address. */
export interface NetworkRange {
  readonly address: string
  readonly family: 'ipv4' | 'ipv6'
  readonly prefix: number
}

export const LOOPBACK_RANGES: readonly string[] = ['127.0.0.0/8', '::1/128']

// An IPv4 /8 is the widest network that anybody calls their own (10.0.0.0/8), an IPv6 /16 wider than any allotment.
const WIDEST = { ipv4: 8, ipv6: 16 } as const

/** @returns undefined if the text is no network */
export function parseRange(text: string): NetworkRange | undefined {
  const match = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i.exec(text)
  const address = match?.[1] ?? ''
  const version = isIP(address)
  if (version === 0) return undefined
  const longest = version === 4 ? 32 : 128
  const prefix = Number(match?.[2] ?? longest)
  if (prefix > longest) return undefined
  return { address, family: version === 4 ? 'ipv4' : 'ipv6', prefix }
}

/** Which addresses are in any of some networks. */
export class AddressRanges {
  // One for each family: in one list `::ffff:0:0/96` would let in all of IPv4.
  readonly #lists = { ipv4: new BlockList(), ipv6: new BlockList() }

  /** @throws RangeError for what is no network */
  constructor(ranges: readonly string[]) {
    for (const text of ranges) {
      const range = parseRange(text)
      if (range === undefined) throw new RangeError(`${text} is no network`)
      this.#lists[range.family].addSubnet(range.address, range.prefix, range.family)
    }
  }

  /** @param address as a socket tells it: IPv4 may come in IPv6 dress, and link-local with a zone */
  has(address: string): boolean {
    const bare = address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '')
    const version = isIP(bare)
    if (version === 0) return false
    const family = version === 4 ? 'ipv4' : 'ipv6'
    return this.#lists[family].check(bare, family)
  }
}

/** Whether nobody but this machine reaches an address that a server listens on. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || new AddressRanges(LOOPBACK_RANGES).has(host)
}

/**
 * Why a server that trusts whoever comes from `networks` must not listen on `host`.
 *
 * @param networks undefined where nobody has named any
 * @returns a sentence without its subject, or undefined if it may
 */
export function trustProblem(
  host: string,
  networks: readonly string[] | undefined,
): string | undefined {
  if (networks === undefined || networks.length === 0) {
    return isLoopbackHost(host)
      ? undefined
      : 'can be reached from other hosts: name the networks that may use it, or listen on 127.0.0.1'
  }
  for (const text of networks) {
    const range = parseRange(text)
    if (range === undefined) return `${text} is no network: write 192.0.2.0/24 or 2001:db8::/32`
    if (range.prefix < WIDEST[range.family]) {
      return `${text} lets everybody in: name your own networks, /${WIDEST[range.family]} or narrower`
    }
  }
  return undefined
}
