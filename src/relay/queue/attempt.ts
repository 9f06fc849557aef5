import { messageOf } from '../../base/problem.ts'
import type { Deferred, Outcome } from '../../mail/outcome.ts'
import { noReply } from '../../mail/reply.ts'
import type { Consignment, Transport } from '../transport/transport.ts'
import { StoreUnavailable, type Lease, type QueueStore } from './store.ts'

export type AttemptResult =
  /** Outcomes in the order of the lease's recipients. `fault` is trouble of ours that was made a deferral. */
  | { readonly kind: 'ended'; readonly outcomes: readonly Outcome[]; readonly fault?: Error }
  /** As if it had never been: we are stopping, or (`cause`) the store could not give the body. */
  | { readonly kind: 'untouched'; readonly cause?: StoreUnavailable }

/** Has a transport deliver what was leased. Never throws: the lease has to be settled or given back. */
export async function attempt(
  lease: Lease,
  options: {
    readonly store: QueueStore
    readonly routeOf: (domain: string) => Transport
    /** Milliseconds after which the attempt is aborted. */
    readonly deadline: number
    /** Aborts it at once. */
    readonly stop: AbortSignal
  },
): Promise<AttemptResult> {
  const { routeOf, stop, store } = options
  // Not AbortSignal.any: it leaves weak references for the collector to look after with every delivery.
  const over = new AbortController()
  const end = (): void => over.abort()
  const timer = setTimeout(end, Math.max(options.deadline, 0))
  if (stop.aborted) end()
  else stop.addEventListener('abort', end, { once: true })
  try {
    const outcomes = await routeOf(lease.domain).deliver(consign(lease, store), over.signal)
    if (outcomes.length !== lease.recipients.length) {
      const had = `${outcomes.length} outcomes for ${lease.recipients.length} recipients`
      throw new Error(`the transport gave ${had}`)
    }
    // Cut off by us before anything was said: not the recipient's fault, and not a try.
    if (stop.aborted && outcomes.every(wasNothing)) return { kind: 'untouched' }
    return { kind: 'ended', outcomes }
  } catch (error) {
    if (error instanceof StoreUnavailable) return { kind: 'untouched', cause: error }
    if (stop.aborted) return { kind: 'untouched' }
    return faulty(lease, error)
  } finally {
    clearTimeout(timer)
    stop.removeEventListener('abort', end)
  }
}

/**
 * A fault of ours counts as a try, so that its message grows old like any other and its sender hears of it in the end.
 * Whether the next hop has the message by now nobody can say.
 */
function faulty(lease: Lease, error: unknown): AttemptResult {
  const outcome: Deferred = {
    kind: 'deferred',
    reply: noReply('internal error of the mail relay'),
    host: '',
    tls: '',
    class: 'other',
    indeterminate: true,
  }
  return {
    kind: 'ended',
    outcomes: lease.recipients.map(() => outcome),
    fault: new Error(`delivery of ${lease.message.id}: ${messageOf(error)}`, { cause: error }),
  }
}

function wasNothing(outcome: Outcome): boolean {
  return outcome.kind === 'deferred' && outcome.reply.code === 0 && !outcome.indeterminate
}

function consign(lease: Lease, store: QueueStore): Consignment {
  const { content, domain, message, recipients } = lease
  const { recipients: _all, ...envelope } = message.envelope
  return {
    ...envelope,
    id: message.id,
    domain,
    recipients,
    size: message.size,
    body: () => (content === undefined ? store.body(message.id) : [content]),
  }
}
