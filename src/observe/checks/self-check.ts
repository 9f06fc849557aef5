import { MINUTE, type Clock } from '../../base/clock.ts'
import type { Finding } from '../../base/finding.ts'
import { AddressRanges } from '../../base/network-range.ts'
import type { ClientSettings } from '../../mail/client-settings.ts'
import { SystemResolver } from '../../relay/transport/system-resolver.ts'
import { blocklists, type Listing } from './blocklists.ts'
import { certificateFinding } from './certificate.ts'
import { clockFinding, clockOffset } from './clock-offset.ts'
import { outbound } from './outbound.ts'
import { heloName, reverseName } from './own-names.ts'
import { mailExchangers, serviceRecords } from './own-records.ts'
import { Questions } from './questions.ts'
import { spf } from './spf.ts'

/** What is looked at, and by whom it is asked. */
export interface SelfCheckOptions {
  readonly settings: ClientSettings
  /** Port of the public pages; 0 where there are none. */
  readonly web: number
  /** Whether mail goes straight to the MX: behind a smarthost names, lists and SPF are about the smarthost. */
  readonly direct: boolean
  /** Addresses that mail leaves from; those of the host name where none are given. */
  readonly addresses: readonly string[]
  readonly blocklists: readonly string[]
  /** Instead of the system's. */
  readonly nameservers: readonly string[]
  /** Domains whose MX is connected to. */
  readonly outbound: readonly string[]
  readonly timeServer: { readonly host: string; readonly port: number } | undefined
  /** Port of the MX: 25, but for tests. */
  readonly mxPort: number
  /** When the first of our certificates ends, milliseconds since the epoch. */
  readonly expiry: () => number
  readonly clock: Clock
}

/** The words of `Finding.check`, and of the label of the metrics. */
export const SELF_CHECKS = [
  'reverse-name',
  'helo',
  'blocklists',
  'spf',
  'mx',
  'service-records',
  'certificate',
  'outbound',
  'clock',
] as const

export interface SelfReport {
  readonly findings: readonly Finding[]
  readonly listings: readonly Listing[]
  /** Milliseconds by which our clock is behind; undefined where it could not be found out. */
  readonly clockOffset: number | undefined
}

/** Whatever does not answer: after this all that is open is `unknown`. */
const WITHIN = MINUTE
const MOST_ADDRESSES = 16
const PRIVATE = new AddressRanges([
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
])

/** Looks at this server as those see it to whom it sends. Never rejects for what it does not find. */
export async function checkSelf(options: SelfCheckOptions, stop: AbortSignal): Promise<SelfReport> {
  const dns = new Questions(options.nameservers)
  const signal = AbortSignal.any([stop, AbortSignal.timeout(WITHIN)])
  const mx = new SystemResolver({ servers: options.nameservers, port: options.mxPort })
  const cancel = (): void => {
    dns.close()
    mx.close()
  }
  signal.addEventListener('abort', cancel, { once: true })
  try {
    const [sighted, ours, sending, time] = await Promise.all([
      seesDomains(options, dns),
      organisation(options, dns),
      options.direct ? sender(options, dns, mx, signal) : { findings: [], listings: [] },
      clockOf(options, signal),
    ])
    return {
      findings: inOrder([
        ...[...ours, ...sending.findings].map(finding =>
          sighted ? finding : blind(finding, options),
        ),
        ...time.findings,
      ]),
      listings: sending.listings,
      clockOffset: time.offset,
    }
  } finally {
    signal.removeEventListener('abort', cancel)
    cancel()
  }
}

/** Whether the name server knows a domain that everybody knows. One of a closed network says of all that it does not exist. */
async function seesDomains(
  { outbound: [known] }: SelfCheckOptions,
  dns: Questions,
): Promise<boolean> {
  return known === undefined || (await dns.mx(known)).kind !== 'no-name'
}

/** What a finding is where the name server sees nothing: that there is no record says nothing then. */
function blind(finding: Finding, { outbound: [known = ''] }: SelfCheckOptions): Finding {
  if (finding.check === 'certificate' || finding.check === 'blocklists') return finding
  return {
    ...finding,
    state: 'unknown',
    detail: `cannot be judged: the name server does not even know ${known}`,
    advice:
      finding.check === 'outbound'
        ? 'Name a resolver that sees the internet in checks.nameservers, or write checks: {enabled: false}.'
        : '',
  }
}

/** What is about the domains and the certificate. */
async function organisation(
  options: SelfCheckOptions,
  dns: Questions,
): Promise<readonly Finding[]> {
  const { settings, web, expiry, clock } = options
  const { domains, hostname } = settings
  const found = await Promise.all(
    domains.map(async domain => [
      await mailExchangers(domain, dns),
      ...(await serviceRecords(domain, settings, web, dns)),
    ]),
  )
  return [...found.flat(), certificateFinding(hostname, expiry(), clock())]
}

/** What is about the addresses that mail leaves from. */
async function sender(
  options: SelfCheckOptions,
  dns: Questions,
  mx: SystemResolver,
  signal: AbortSignal,
): Promise<Pick<SelfReport, 'findings' | 'listings'>> {
  const { hostname, domains } = options.settings
  const all = await addressesOf(options, dns)
  const addresses = all.filter(address => !PRIVATE.has(address)).slice(0, MOST_ADDRESSES)
  const hidden = all.filter(address => PRIVATE.has(address)).map(notPublic)
  const [listings, ...findings] = await Promise.all([
    blocklists(options.blocklists, addresses, dns),
    heloName(hostname, addresses, dns),
    ...addresses.map(address => reverseName(address, hostname, dns)),
    ...(addresses.length > 0 ? domains.map(domain => spf(domain, addresses, dns)) : []),
    ...options.outbound.map(domain => outbound(domain, hostname, mx, signal)),
  ])
  return { listings, findings: [...findings, ...hidden, ...listings.map(({ finding }) => finding)] }
}

async function addressesOf(
  { addresses, settings }: SelfCheckOptions,
  dns: Questions,
): Promise<readonly string[]> {
  if (addresses.length > 0) return addresses
  const answer = await dns.addresses(settings.hostname)
  return answer.kind === 'found' ? answer.value : []
}

function notPublic(address: string): Finding {
  return {
    check: 'reverse-name',
    about: address,
    state: 'unknown',
    detail: 'is not an address that others see',
    advice: 'Name those that your mail leaves from in checks.addresses.',
  }
}

async function clockOf(
  { timeServer, clock }: SelfCheckOptions,
  signal: AbortSignal,
): Promise<{ readonly findings: readonly Finding[]; readonly offset: number | undefined }> {
  if (timeServer === undefined) return { findings: [], offset: undefined }
  const { host } = timeServer
  try {
    const offset = await clockOffset(timeServer, clock, signal)
    return { findings: [clockFinding(host, offset)], offset }
  } catch (error) {
    const cause = error instanceof Error ? error : new Error(String(error))
    return { findings: [clockFinding(host, cause)], offset: undefined }
  }
}

function inOrder(findings: readonly Finding[]): readonly Finding[] {
  return SELF_CHECKS.flatMap(check => findings.filter(finding => finding.check === check))
}
