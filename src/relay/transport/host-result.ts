import type { FailureClass, Outcome } from '../../mail/outcome.ts'
import { classify, findProvider, providerOfHost } from '../../mail/provider-table.ts'
import type { Reply } from '../../mail/reply.ts'
import { category } from './smtp-client.ts'
import type { SmtpFault, SmtpFaultKind } from './smtp-fault.ts'

/** What one server made of one recipient. */
export interface HostResult {
  readonly outcome: Outcome
  /** Where it is worth going on: another address of this host, another host, or nowhere in this attempt. */
  readonly next: 'address' | 'host' | 'nowhere'
  /** Permanent, but a word about the host rather than about the mail: what any other host says outranks it. */
  readonly aboutHost: boolean
}

/** Tells the class of a refusal from its words and the MX host that said them. */
export type Classify = (reply: Reply, host: string) => FailureClass

/** By the table of providers that we ship. */
export const classifyByHost: Classify = (reply, host) =>
  classify(reply, findProvider(providerOfHost(host)))

/** Makes results for one host. */
export class HostJudge {
  readonly #host: string
  readonly #classify: Classify
  /** Protocol of the connection, once there is one. */
  tls = ''

  constructor(host: string, classify: Classify) {
    this.#host = host
    this.#classify = classify
  }

  delivered(reply: Reply, dsn: boolean): HostResult {
    const { tls } = this
    const outcome = { kind: 'delivered', reply, host: this.#host, tls, class: 'none', dsn } as const
    return { outcome, next: 'nowhere', aboutHost: false }
  }

  /** A 4xx or 5xx. Permanent or not is read from the basic code alone, whatever the enhanced one says. */
  refused(reply: Reply, options: { readonly temporary?: boolean } = {}): HostResult {
    const known = this.#classify(reply, this.#host)
    const failure = known === 'none' ? 'other' : known
    if (category(reply) === 5 && options.temporary !== true) return this.#bounced(reply, failure)
    // What a provider thinks of our address or our volume it thinks at all its hosts: to knock at the next door
    // makes it worse. 452 4.5.3 is about this message and will be the same there.
    const stay = failure === 'rate' || failure === 'reputation' || reply.enhanced === '4.5.3'
    return this.#deferred(reply, failure, stay ? 'nowhere' : 'host')
  }

  /** This host cannot carry the message; another one may. */
  incapable(reply: Reply, failure: FailureClass): HostResult {
    return { ...this.#bounced(reply, failure), next: 'host', aboutHost: true }
  }

  /** The message can be carried to no host at all. */
  impossible(reply: Reply, failure: FailureClass): HostResult {
    return this.#bounced(reply, failure)
  }

  /** Not now, for a reason of our own finding. */
  postponed(reply: Reply, failure: FailureClass): HostResult {
    return this.#deferred(reply, failure, 'host')
  }

  /** The conversation broke off before the final dot: the next hop has not got the message. */
  broken(fault: SmtpFault): HostResult {
    if (fault.reply.code === 0) {
      const next = fault.kind === 'stopped' || fault.kind === 'budget' ? 'nowhere' : 'address'
      return this.#deferred(fault.reply, CLASS_OF_FAULT[fault.kind], next)
    }
    const result = this.refused(fault.reply)
    if (result.outcome.kind !== 'bounced') return result
    // A host that greets with 5xx takes no mail from anyone or from us (RFC 7504); others of the domain may.
    return { ...result, next: 'host', aboutHost: true }
  }

  /** The same after the final dot: the next hop may have the message, so nobody else gets it now. */
  indeterminate(fault: SmtpFault): HostResult {
    const result = this.#deferred(fault.reply, CLASS_OF_FAULT[fault.kind], 'nowhere')
    return { ...result, outcome: { ...result.outcome, indeterminate: true } as Outcome }
  }

  #bounced(reply: Reply, failure: FailureClass): HostResult {
    const { tls } = this
    const outcome = { kind: 'bounced', reply, host: this.#host, tls, class: failure } as const
    return { outcome, next: 'nowhere', aboutHost: false }
  }

  #deferred(reply: Reply, failure: FailureClass, next: HostResult['next']): HostResult {
    const common = { reply, host: this.#host, tls: this.tls, class: failure }
    return {
      outcome: { kind: 'deferred', ...common, indeterminate: false },
      next,
      aboutHost: false,
    }
  }
}

const CLASS_OF_FAULT: Readonly<Record<SmtpFaultKind, FailureClass>> = {
  connect: 'network',
  lost: 'network',
  timeout: 'network',
  protocol: 'other',
  tls: 'tls',
  reply: 'other',
  auth: 'authentication',
  stopped: 'other',
  budget: 'network',
}
