import { BlockList, isIP } from 'node:net'

import { MINUTE } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import type { Outcome } from '../../mail/outcome.ts'
import type { Reply } from '../../mail/reply.ts'
import { AttemptLimit } from './attempt-limit.ts'
import { Attempt } from './attempt.ts'
import { ConnectionPool, POOL_LIMITS, type PoolLimits } from './connection-pool.ts'
import { handOver } from './hand-over.ts'
import { classifyByHost, HostJudge, type Classify, type HostResult } from './host-result.ts'
import type { AddressAnswer, Endpoint, Resolver } from './resolver.ts'
import type { Credentials } from './sasl.ts'
import { SmtpClient, type TlsMode } from './smtp-client.ts'
import { faultOf, SmtpFault, StaleConnection } from './smtp-fault.ts'
import { SMTP_TIMERS, type SmtpTimers } from './smtp-timers.ts'
import type { Consignment, Transport } from './transport.ts'

export interface SmarthostOptions {
  /** Our name in EHLO. */
  readonly hostname: string
  /** Name or address of the smarthost. */
  readonly host: string
  readonly port: number
  /** `none` only on loopback: everything else shows mail and password to the network. */
  readonly tls: 'implicit' | 'starttls' | 'none'
  /** PEM of the authorities that may have signed its certificate; those of the system unless given. */
  readonly ca?: string
  /** The name in its certificate, where it is not `host`. */
  readonly certificateName?: string
  readonly credentials?: Credentials
  readonly resolver: Resolver
  /** By our own table of providers unless given. */
  readonly classify?: Classify
  readonly timers?: Partial<SmtpTimers>
  /** Milliseconds for one attempt, the wait after the final dot not counted. */
  readonly totalTime?: number
  readonly pool?: Partial<PoolLimits>
}

// RFC 4954 section 6: what a server says when it does not know who we are. Ours to mend, not the sender's.
const OUR_LOGIN = new Set([530, 534, 535, 538])

// Handshake and login are paid once for so many. A smarthost that bears fewer ends the connection, which costs nothing.
const MESSAGES = 100

/** Hands everything to one server, which is trusted to know the way (RFC 6409 section 3.1 as its client). */
export class Smarthost implements Transport {
  readonly name = 'smarthost'
  readonly #options: SmarthostOptions
  readonly #timers: SmtpTimers
  readonly #pool: ConnectionPool

  /** @throws Problem if mail would leave in clear text for another machine */
  constructor(options: SmarthostOptions) {
    if (options.tls === 'none' && !isLoopback(options.host)) {
      throw new Problem(
        `smarthost ${options.host}: without TLS only a smarthost on this machine can be used`,
      )
    }
    this.#options = options
    this.#timers = { ...SMTP_TIMERS, ...options.timers }
    this.#pool = new ConnectionPool({ ...POOL_LIMITS, messages: MESSAGES, ...options.pool })
  }

  async deliver(mail: Consignment, signal: AbortSignal): Promise<readonly Outcome[]> {
    const limit = new AttemptLimit(this.#options.totalTime ?? 30 * MINUTE, signal)
    const attempt = new Attempt(mail.recipients)
    try {
      await this.#addresses(mail, attempt, limit)
    } catch (error) {
      if (!(error instanceof SmtpFault)) throw error
      attempt.noteAll(0, this.#judge().broken(error))
    } finally {
      limit.close()
    }
    return attempt.outcomes()
  }

  close(): Promise<void> {
    return this.#pool.close()
  }

  async #addresses(mail: Consignment, attempt: Attempt, limit: AttemptLimit): Promise<void> {
    const { host } = this.#options
    const answer = await limit.within(this.#resolve())
    if (answer.kind !== 'addresses') {
      const cause = answer.kind === 'none' ? 'it has no address' : answer.cause
      const text = `The address of the smarthost ${host} cannot be looked up: ${cause}`
      const result = this.#judge().postponed({ code: 0, enhanced: '4.4.3', text }, 'network')
      return attempt.noteAll(0, result)
    }
    for (const { address } of answer.endpoints) {
      const recipients = attempt.pending('address')
      if (recipients.length === 0 || limit.fault) break
      const endpoint = { address, port: this.#options.port }
      attempt.note(0, recipients, await this.#endpoint(mail, recipients, endpoint, limit))
    }
    if (limit.fault) attempt.noteAll(0, this.#judge().broken(limit.fault))
  }

  #resolve(): Promise<AddressAnswer> {
    const { host, resolver } = this.#options
    if (isIP(host) === 0) return resolver.addresses(host)
    return Promise.resolve({ kind: 'addresses', endpoints: [{ address: host, port: 0 }] })
  }

  async #endpoint(
    mail: Consignment,
    recipients: Consignment['recipients'],
    endpoint: Endpoint,
    limit: AttemptLimit,
  ): Promise<readonly HostResult[]> {
    const judge = this.#judge()
    const key = endpoint.address
    let client
    try {
      client = this.#pool.take(key, limit.signal) ?? (await this.#open(endpoint, limit.signal))
    } catch (error) {
      const fault = faultOf(error, 'lost')
      // A smarthost that does not want us before it has seen any mail is a matter between it and us: mail waits.
      const result =
        fault.reply.code === 0
          ? judge.broken(fault)
          : fault.kind === 'auth'
            ? judge.postponed(fault.reply, 'authentication')
            : judge.refused(fault.reply, { temporary: true })
      return recipients.map(() => result)
    }
    try {
      const results = await handOver(client, mail, recipients, judge, limit)
      return results.map(result => notOurLogin(result, judge))
    } catch (error) {
      if (!(error instanceof StaleConnection)) throw error
    } finally {
      this.#pool.give(key, client)
    }
    // There are no more of them than lay idle.
    return this.#endpoint(mail, recipients, endpoint, limit)
  }

  #open(endpoint: Endpoint, signal: AbortSignal): Promise<SmtpClient> {
    const { hostname, host, certificateName, credentials, tls, ca } = this.#options
    const mode: TlsMode =
      tls === 'none'
        ? { kind: 'none' }
        : { kind: 'verified', start: tls, ...(ca === undefined ? {} : { ca }) }
    return SmtpClient.open(
      {
        endpoint,
        host: certificateName ?? host,
        hostname,
        timers: this.#timers,
        tls: mode,
        ...(credentials ? { credentials } : {}),
      },
      signal,
    )
  }

  #judge(): HostJudge {
    return new HostJudge(this.#options.host, this.#options.classify ?? classifyByHost)
  }
}

/** A refusal for want of a login is never the sender's: it waits until the configuration is mended. */
function notOurLogin(result: HostResult, judge: HostJudge): HostResult {
  const { reply, kind }: { reply: Reply; kind: Outcome['kind'] } = result.outcome
  if (kind !== 'bounced' || !OUR_LOGIN.has(reply.code)) return result
  return judge.postponed(reply, 'authentication')
}

function isLoopback(host: string): boolean {
  if (host === 'localhost') return true
  const family = isIP(host)
  if (family === 0) return false
  const loopback = new BlockList()
  loopback.addSubnet('127.0.0.0', 8, 'ipv4')
  loopback.addAddress('::1', 'ipv6')
  return loopback.check(host, family === 6 ? 'ipv6' : 'ipv4')
}
