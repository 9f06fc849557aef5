import type { Recipient } from '../../mail/envelope.ts'
import type { Outcome } from '../../mail/outcome.ts'
import { noReply } from '../../mail/reply.ts'
import type { HostResult } from './host-result.ts'

interface State {
  readonly recipient: Recipient
  best: (HostResult & { readonly preference: number }) | undefined
  next: HostResult['next']
}

/** What an attempt over several hosts has come to so far, recipient by recipient. */
export class Attempt {
  readonly #states: readonly State[]

  constructor(recipients: readonly Recipient[]) {
    this.#states = recipients.map(recipient => ({ recipient, best: undefined, next: 'address' }))
  }

  /** For whom it is worth trying another address of the same host, or another host. */
  pending(where: 'address' | 'host'): readonly Recipient[] {
    return this.#states
      .filter(({ next }) => next === 'address' || (where === 'host' && next === 'host'))
      .map(({ recipient }) => recipient)
  }

  /**
   * @param preference of the host, as in the MX record
   * @param recipients those that were tried, each with its result at the same position
   */
  note(preference: number, recipients: readonly Recipient[], results: readonly HostResult[]): void {
    const byRecipient = new Map(recipients.map((recipient, index) => [recipient, results[index]]))
    for (const state of this.#states) {
      const result = byRecipient.get(state.recipient)
      if (!result) continue
      state.next = result.next
      if (outranks(result, preference, state.best)) state.best = { ...result, preference }
    }
  }

  /** The same result for all that are still worth trying. */
  noteAll(preference: number, result: HostResult): void {
    const recipients = this.pending('host')
    this.note(
      preference,
      recipients,
      recipients.map(() => result),
    )
  }

  outcomes(): readonly Outcome[] {
    return this.#states.map(({ best }) => best?.outcome ?? UNTRIED)
  }
}

/**
 * Which of two results is the attempt's. A host of a worse preference may know less than a better one: its permanent
 * refusal does not outrank the better one's "later". What is only about a host gives way to anything else.
 */
function outranks(
  result: HostResult,
  preference: number,
  best: (HostResult & { readonly preference: number }) | undefined,
): boolean {
  if (!best || result.outcome.kind === 'delivered') return true
  if (result.aboutHost) return false
  if (best.aboutHost) return true
  return result.outcome.kind === 'bounced' && preference <= best.preference
}

const UNTRIED: Outcome = {
  kind: 'deferred',
  reply: noReply('no host was tried'),
  host: '',
  tls: '',
  class: 'other',
  indeterminate: false,
}
