import { once } from 'node:events'
import { createServer, isIP } from 'node:net'

import { codeOf, messageOf } from '../../base/problem.ts'
import { hostName, hostPort } from '../../config/fields.ts'
import { askAuthority, askCertificate, type TlsFiles } from './certificate-step.ts'
import { never, WELL, type Finding, type Interview } from './interview.ts'
import type { ServiceUser } from './service-user.ts'
import { addressesOf, hasIpv6, ownName } from './surroundings.ts'

/** What the relay is called, and how clients know that it is that. */
export interface Host {
  readonly hostname: string
  readonly tls: TlsFiles
  /** What a client has to trust; undefined where every client trusts the certificate. */
  readonly authority: string | undefined
  readonly domains: readonly string[]
  readonly listen: {
    readonly submissions: readonly string[]
    readonly submission: readonly string[]
  }
  readonly admin: string
  readonly state: string
  /** Where the prober connects to: the name, or this host where the name leads elsewhere. */
  readonly ownAddress: string
}

export async function askHost(
  interview: Interview,
  service: ServiceUser | undefined,
): Promise<Host> {
  const guessed = ownName()
  const hostname = (
    await interview.ask({
      key: 'hostname',
      ask: 'Host name',
      why: 'The name by which clients and other servers know this host: it stands in the greeting, and has to be in the certificate.',
      ...(guessed !== undefined && { unless: guessed }),
      test: testName,
    })
  ).toLowerCase()
  const tls = await askCertificate(interview, hostname, service)
  const authority = await askAuthority(interview, hostname, tls)
  const domains = await interview.ask({
    key: 'domains',
    ask: 'Mail domains',
    why: 'The domains of your addresses, with spaces between them: a login alice may send as alice@ each of them.',
    unless: hostname.split('.').slice(1).join('.') || hostname,
    test: text => {
      const wrong = text.split(/\s+/).find(name => complaint(hostName(), name) !== '')
      return wrong === undefined ? WELL : never(`${wrong} is no domain name`)
    },
  })
  const submissions = await askListener(interview, 'submissions', 465)
  const submission = await askListener(interview, 'submission', 587)
  const admin = interview.book.get('listen.admin') ?? '127.0.0.1:9464'
  const { isOurs } = await addressesOf(hostname)
  const [first = ''] = submissions
  const bound = first.slice(0, first.lastIndexOf(':')).replaceAll(/[[\]]/g, '')
  return {
    hostname,
    tls,
    authority,
    domains: domains.toLowerCase().split(/\s+/),
    listen: { submissions, submission },
    admin,
    state: interview.book.get('state') ?? '/var/lib/mailcanary',
    ownAddress: isAny(bound) ? (isOurs ? hostname : '127.0.0.1') : bound,
  }
}

async function testName(text: string): Promise<Finding> {
  const wrong = complaint(hostName(), text)
  if (wrong !== '') return never(wrong)
  const { all, isOurs } = await addressesOf(text)
  if (all.length === 0) {
    return { ok: true, text: 'It is not in the DNS yet: without that no client finds this host.' }
  }
  const where = isOurs
    ? 'an address of this host'
    : 'no address of this host: right behind NAT only'
  return { ok: true, text: `It is ${all.join(', ')} in the DNS, ${where}.` }
}

/** Not asked where the usual port can be had. */
async function askListener(
  interview: Interview,
  name: 'submissions' | 'submission',
  port: number,
): Promise<readonly string[]> {
  const key = `listen.${name}`
  const usual = `0.0.0.0:${port}${hasIpv6() ? ` [::]:${port}` : ''}`
  if (interview.book.get(key) === undefined && (await testListeners(usual)).ok) {
    return usual.split(' ')
  }
  const answer = await interview.ask({
    key,
    ask: `Address and port of ${name}`,
    why: `Something else listens on port ${port}, where mail programs expect ${name}. End it, or name another port.`,
    unless: usual,
    test: testListeners,
  })
  return answer.split(/\s+/)
}

async function testListeners(text: string): Promise<Finding> {
  for (const one of text.split(/\s+/)) {
    const finding = await testListener(one)
    if (!finding.ok) return finding
  }
  return WELL
}

async function testListener(text: string): Promise<Finding> {
  const parsed = hostPort().safeParse(text)
  if (!parsed.success) return never(parsed.error.issues[0]?.message ?? '')
  const server = createServer()
  try {
    // What the relay does: an IPv6 address is for IPv6 alone.
    server.listen({ ...parsed.data, exclusive: true, ipv6Only: true })
    await once(server, 'listening')
    return WELL
  } catch (error) {
    const code = codeOf(error)
    // The service has a right that whoever runs this may lack.
    if (code === 'EACCES') return WELL
    const taken = code === 'EADDRINUSE'
    return { ok: false, text: taken ? `Something listens on ${text} already.` : messageOf(error) }
  } finally {
    server.close()
  }
}

function isAny(address: string): boolean {
  return isIP(address) !== 0 && /^[0:.]+$/.test(address)
}

/** What a field of the configuration has against a value; '' for nothing. */
export function complaint(
  field: {
    safeParse(value: unknown): { error?: { issues: readonly { message: string }[] } | undefined }
  },
  value: unknown,
): string {
  return field.safeParse(value).error?.issues[0]?.message ?? ''
}
