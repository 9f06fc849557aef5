import { SECOND } from '../../base/clock.ts'
import type { Finding } from '../../base/finding.ts'
import { messageOf } from '../../base/problem.ts'
import type { Resolver } from '../../relay/transport/resolver.ts'
import { SmtpClient } from '../../relay/transport/smtp-client.ts'
import { SMTP_TIMERS } from '../../relay/transport/smtp-timers.ts'

const WITHIN = 15 * SECOND
/** Hosts of one domain: one that does not answer says nothing about our network. */
const MOST_HOSTS = 2

/**
 * Whether mail can leave: greeting, EHLO and TLS with an MX of a domain, and then QUIT. No address is ever tried: that is
 * namespace mining, which Microsoft and others forbid.
 */
export async function outbound(
  domain: string,
  hostname: string,
  resolver: Resolver,
  signal: AbortSignal,
): Promise<Finding> {
  const found = (state: Finding['state'], detail: string, advice = ''): Finding => ({
    check: 'outbound',
    about: domain,
    state,
    detail,
    advice,
  })
  const mx = await resolver.mx(domain)
  if (mx.kind !== 'mx') {
    const cause = mx.kind === 'unavailable' ? mx.cause : 'it has no MX'
    return found('unknown', `cannot be tried: ${cause}`)
  }
  const hosts = mx.hosts.toSorted((one, other) => one.preference - other.preference)
  const causes: string[] = []
  for (const { host } of hosts.slice(0, MOST_HOSTS)) {
    const answer = await resolver.addresses(host)
    const [endpoint] = answer.kind === 'addresses' ? answer.endpoints : []
    if (endpoint === undefined) {
      causes.push(`${host} has no address`)
      continue
    }
    try {
      const client = await SmtpClient.open(
        { endpoint, host, hostname, tls: { kind: 'opportunistic' }, timers: SMTP_TIMERS },
        AbortSignal.any([signal, AbortSignal.timeout(WITHIN)]),
      )
      await client.wire.quit(SMTP_TIMERS.quit)
      return found('good', `${host} answers on port ${endpoint.port}`)
    } catch (error) {
      causes.push(`${host}: ${messageOf(error)}`)
    }
  }
  return found(
    'bad',
    `no host answers: ${causes.join('; ')}`,
    'Ask whoever gives you the network to open port 25 outbound, or send through a smarthost (delivery.smarthost).',
  )
}
