import type { BlockList } from 'node:net'
import { domainToASCII } from 'node:url'

import { MINUTE, type Clock, type Random } from '../../base/clock.ts'
import type { Outcome } from '../../mail/outcome.ts'
import { noReply, type Reply } from '../../mail/reply.ts'
import { AttemptLimit } from './attempt-limit.ts'
import { Attempt } from './attempt.ts'
import { ConnectionPool, POOL_LIMITS, type PoolLimits } from './connection-pool.ts'
import { handOver } from './hand-over.ts'
import { classifyByHost, HostJudge, type Classify, type HostResult } from './host-result.ts'
import { stsAllows, type MtaSts } from './mta-sts.ts'
import { isOwnAddress, ownAddresses, routeTo, selfLoop, type OwnHost } from './mx.ts'
import type { AddressAnswer, Endpoint, Resolver } from './resolver.ts'
import { SessionOpener, type MxTls } from './session-opener.ts'
import { faultOf, SmtpFault, StaleConnection } from './smtp-fault.ts'
import { SMTP_TIMERS, type SmtpTimers } from './smtp-timers.ts'
import type { StsPolicy } from './sts-policies.ts'
import type { Consignment, Transport } from './transport.ts'

export type AddressOrder = 'ipv4-first' | 'ipv6-first' | 'ipv4-only'

export interface DirectMxOptions {
  /** Our name in EHLO; it should resolve to our address and back. */
  readonly hostname: string
  readonly resolver: Resolver
  /** By our own table of providers unless given. */
  readonly classify?: Classify
  readonly tls?: MxTls
  /** Where to learn what domains demand by MTA-STS (RFC 8461); ignored unless given. */
  readonly sts?: Pick<MtaSts, 'policyFor'>
  /** To notice that a domain's mail would come back to us. */
  readonly own?: OwnHost
  /**
   * By the domain of the recipients and one of its MX hosts. IPv6 without a PTR record is refused by some providers
   * (Gmail 550 5.7.25): IPv4 first unless told.
   */
  readonly addressOrder?: (domain: string, host: string) => AddressOrder
  readonly timers?: Partial<SmtpTimers>
  /** Hosts tried in one attempt at most. */
  readonly maxHosts?: number
  /** Milliseconds for one attempt, the wait after the final dot not counted. */
  readonly totalTime?: number
  readonly pool?: Partial<PoolLimits>
  readonly clock: Clock
  readonly random: Random
}

// RFC 5321 section 5.1 wants at least two addresses tried; a host that lists dozens must not eat the whole attempt.
const ADDRESSES_PER_HOST = 4

interface MxHost {
  readonly host: string
  readonly preference: number
  readonly answer: AddressAnswer
  /** What the domain's MTA-STS enforces, if it does. */
  readonly policy: StsPolicy | undefined
}

/** Delivers straight to the hosts that a domain names for its mail (RFC 5321 section 5.1). */
export class DirectMx implements Transport {
  readonly name = 'direct-mx'
  readonly #options: DirectMxOptions
  readonly #own: OwnHost
  readonly #ownAddresses: BlockList
  readonly #pool: ConnectionPool
  readonly #opener: SessionOpener

  constructor(options: DirectMxOptions) {
    this.#options = options
    this.#own = options.own ?? { names: [], addresses: [] }
    this.#ownAddresses = ownAddresses(this.#own)
    this.#pool = new ConnectionPool({ ...POOL_LIMITS, ...options.pool })
    this.#opener = new SessionOpener({
      hostname: options.hostname,
      timers: { ...SMTP_TIMERS, ...options.timers },
      tls: options.tls ?? { policy: 'opportunistic' },
      pool: this.#pool,
      clock: options.clock,
    })
  }

  async deliver(mail: Consignment, signal: AbortSignal): Promise<readonly Outcome[]> {
    const limit = new AttemptLimit(this.#options.totalTime ?? 30 * MINUTE, signal)
    const attempt = new Attempt(mail.recipients)
    try {
      await this.#walk(mail, attempt, limit)
    } catch (error) {
      if (!(error instanceof SmtpFault)) throw error
      attempt.noteAll(0, this.#judge('').broken(error))
    } finally {
      limit.close()
    }
    return attempt.outcomes()
  }

  close(): Promise<void> {
    return this.#pool.close()
  }

  async #walk(mail: Consignment, attempt: Attempt, limit: AttemptLimit): Promise<void> {
    const { resolver, random, maxHosts = 10 } = this.#options
    const route = await limit.within(routeTo(mail.domain, resolver, this.#own, random))
    if (route.kind !== 'groups') return this.#noRoute(attempt, route)
    const policy = await limit.within(this.#enforced(mail.domain))
    let left = maxHosts
    for (const [rank, { preference, hosts }] of route.groups.entries()) {
      const tried = hosts.slice(0, left)
      left -= tried.length
      const lookups = tried.map(host => resolver.addresses(host))
      const answers = await limit.within(Promise.all(lookups))
      if (answers.some(answer => this.#isUs(answer))) {
        if (rank === 0) this.#noRoute(attempt, selfLoop(mail.domain))
        return
      }
      for (const [index, host] of tried.entries()) {
        const answer = answers[index]
        if (!answer || attempt.pending('host').length === 0) return
        if (limit.fault) return attempt.noteAll(preference, this.#judge(host).broken(limit.fault))
        await this.#host(mail, attempt, limit, { host, preference, answer, policy })
      }
    }
  }

  async #host(mail: Consignment, attempt: Attempt, limit: AttemptLimit, at: MxHost): Promise<void> {
    const { host, preference, answer, policy } = at
    const judge = this.#judge(host)
    if (policy && !stsAllows(policy, host)) {
      // RFC 8461 section 5: such a host MUST NOT get the mail; not a bounce, since the policy may be renewed.
      const text = `The MTA-STS policy of ${mail.domain} does not name ${host}`
      return attempt.noteAll(preference, judge.postponed(ours('4.7.5', text), 'tls'))
    }
    if (answer.kind === 'none') {
      const text = `The host ${host} of ${mail.domain} has no address`
      return attempt.noteAll(preference, judge.incapable(ours('5.4.4', text), 'other'))
    }
    if (answer.kind === 'unavailable') {
      const text = `The address of ${host} cannot be looked up: ${answer.cause}`
      return attempt.noteAll(preference, judge.postponed(ours('4.4.3', text), 'network'))
    }
    let recipients = attempt.pending('host')
    const order = this.#options.addressOrder?.(mail.domain, host) ?? 'ipv4-first'
    for (const endpoint of inOrder(answer.endpoints, order)) {
      const results = await this.#endpoint(mail, recipients, { ...at, endpoint }, limit)
      attempt.note(preference, recipients, results)
      const again = new Set(attempt.pending('address'))
      recipients = recipients.filter(recipient => again.has(recipient))
      if (recipients.length === 0 || limit.fault) return
    }
  }

  async #endpoint(
    mail: Consignment,
    recipients: Consignment['recipients'],
    at: MxHost & { readonly endpoint: Endpoint },
    limit: AttemptLimit,
  ): Promise<readonly HostResult[]> {
    const judge = this.#judge(at.host)
    const leave = this.#pool.enter(at.host)
    let session
    try {
      session = await this.#opener.open(at.host, at.endpoint, at.policy !== undefined, limit.signal)
    } catch (error) {
      leave()
      const result = judge.broken(located(error, at))
      return recipients.map(() => result)
    }
    try {
      return await handOver(session.client, mail, recipients, judge, limit)
    } catch (error) {
      if (!(error instanceof StaleConnection)) throw error
    } finally {
      leave()
      this.#pool.give(session.key, session.client, at.host)
    }
    // There are no more of them than lay idle.
    return this.#endpoint(mail, recipients, at, limit)
  }

  /** Only a policy in force counts: `testing` asks for reports, not for refusals (RFC 8461 section 5). */
  async #enforced(domain: string): Promise<StsPolicy | undefined> {
    const policy = await this.#options.sts?.policyFor(domainToASCII(domain))
    return policy?.mode === 'enforce' ? policy : undefined
  }

  #judge(host: string): HostJudge {
    return new HostJudge(host, this.#options.classify ?? classifyByHost)
  }

  #isUs(answer: AddressAnswer): boolean {
    return answer.kind === 'addresses' && isOwnAddress(answer.endpoints, this.#ownAddresses)
  }

  #noRoute(attempt: Attempt, route: { kind: 'bounced' | 'deferred'; reply: Reply }): void {
    const judge = this.#judge('')
    attempt.noteAll(
      0,
      route.kind === 'bounced'
        ? judge.incapable(route.reply, 'other')
        : judge.postponed(route.reply, 'network'),
    )
  }
}

/** Every preferred address before any other: what one family earns must not be overlaid by the other's refusal. */
function inOrder(endpoints: readonly Endpoint[], order: AddressOrder): readonly Endpoint[] {
  const six = endpoints.filter(({ address }) => address.includes(':'))
  const four = endpoints.filter(({ address }) => !address.includes(':'))
  if (order === 'ipv4-only') return four.slice(0, ADDRESSES_PER_HOST)
  const [first, second] = order === 'ipv4-first' ? [four, six] : [six, four]
  const kept = first.slice(0, second.length > 0 ? ADDRESSES_PER_HOST - 1 : ADDRESSES_PER_HOST)
  return [...kept, ...second].slice(0, ADDRESSES_PER_HOST)
}

/** A fault says where it happened, unless it holds the server's own words. */
function located(
  error: unknown,
  at: { readonly host: string; readonly endpoint: Endpoint },
): SmtpFault {
  const fault = faultOf(error, 'lost')
  if (fault.reply.code !== 0) return fault
  const { address, port } = at.endpoint
  return new SmtpFault(fault.kind, noReply(`${at.host} [${address}]:${port}: ${fault.message}`))
}

function ours(enhanced: string, text: string): Reply {
  return { code: 0, enhanced, text }
}
