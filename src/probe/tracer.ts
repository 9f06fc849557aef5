import { type Clock, SECOND } from '../base/clock.ts'
import { messageOf } from '../base/problem.ts'
import { within } from './deadline.ts'
import type { ReportProbeEvent } from './events.ts'
import type { Canary } from './model.ts'
import type { MessageFate, MessageTrace } from './trace.ts'

export interface TracerOptions {
  /** Undefined for an origin that has no trace. */
  readonly traceOf: (origin: string) => MessageTrace | undefined
  readonly report: ReportProbeEvent
  readonly clock: Clock
}

/** What an origin has told of a canary. */
export interface Traced {
  readonly fate: MessageFate | undefined
  /** It was asked, or should have been, and did not answer. */
  readonly away: boolean
}

export const UNASKED: Traced = { fate: undefined, away: false }

const ANSWERS_WITHIN = 5 * SECOND
/** A trace that did not answer is not asked for each canary anew. */
const AGAIN_AFTER = SECOND

/** Asks origins what became of their canaries, with patience for those that do not answer. */
export class Tracer {
  readonly #options: TracerOptions
  /** When an origin whose trace did not answer may be asked again; gone when it has answered. */
  readonly #askAgainAt = new Map<string, number>()

  constructor(options: TracerOptions) {
    this.#options = options
  }

  /** Never throws: that there is no answer is an answer. */
  async trace({ origin, queueId }: Canary): Promise<Traced> {
    const { traceOf, report, clock } = this.#options
    const trace = queueId === '' ? undefined : traceOf(origin)
    if (!trace) return UNASKED
    if (clock() < (this.#askAgainAt.get(origin) ?? 0)) return { fate: undefined, away: true }
    try {
      const never = new AbortController().signal
      const fate = await within(ANSWERS_WITHIN, never, async () => trace.fate(queueId))
      this.#askAgainAt.delete(origin)
      return { fate, away: false }
    } catch (error) {
      // Once, not for every canary for as long as it lasts.
      if (!this.#askAgainAt.has(origin))
        report({ kind: 'probe-fault', part: `trace of ${origin}`, cause: messageOf(error) })
      this.#askAgainAt.set(origin, clock() + AGAIN_AFTER)
      return { fate: undefined, away: true }
    }
  }
}
