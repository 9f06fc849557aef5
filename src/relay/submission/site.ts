import type { Clock } from '../../base/clock.ts'
import type { ReportRelayEvent } from '../events.ts'
import type { Metering } from '../limits/meter.ts'
import type { NewMessage, QueueStore } from '../queue/store.ts'
import type { SubmissionLimits } from './limits.ts'
import type { LoginGate } from './login-gate.ts'
import type { MemoryBudget } from './memory-budget.ts'
import type { Counts, OpenCount } from './network.ts'
import type { SessionPolicy } from './policy.ts'

/**
 * What every session of one relay shares. All that is handed over through it are ids, texts, chunks and envelopes, so
 * that a session can run in another thread (`workers/`) than the store and the limits do.
 */
export interface Site {
  readonly hostname: string
  readonly limits: SubmissionLimits
  readonly policy: SessionPolicy
  /** Bare CRs and LFs in content: reject the message, or make CRLF of them. */
  readonly bareNewlines: 'reject' | 'normalize'
  readonly gate: Pick<LoginGate, 'attempt'>
  /** Sessions by network, over all listeners. */
  readonly networks: OpenCount
  /** Where everything that is open is counted. */
  readonly counts: Counts
  readonly memory: MemoryBudget
  /** What logins may send; undefined where nobody counts. */
  readonly meter: Metering | undefined
  /** Octets free where the store is; undefined where nobody knows. */
  readonly freeSpace: () => number | undefined
  readonly store: Pick<QueueStore, 'newBody' | 'bodyFiles' | 'put'>
  readonly clock: Clock
  readonly report: ReportRelayEvent
  /** @returns why no mail can be taken now, or undefined */
  readonly ready: () => string | undefined
  /** A message is in the store. @param size octets of its body */
  readonly onAccepted: (message: NewMessage, size: number) => void
}
