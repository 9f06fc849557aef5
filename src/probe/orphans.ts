import { MINUTE } from '../base/clock.ts'
import { messageOf } from '../base/problem.ts'
import { pause } from './deadline.ts'
import type { Docket } from './docket.ts'
import type { ReportProbeEvent } from './events.ts'
import type { HistoryStore } from './history.ts'

/**
 * Ends what nobody watches: canaries to a seed that was taken out of the configuration. Runs until `signal` is
 * aborted; never rejects.
 */
export async function reviewOrphans(options: {
  readonly history: HistoryStore
  readonly docket: Docket
  /** Seeds that are watched. */
  readonly isWatched: (seed: string) => boolean
  readonly report: ReportProbeEvent
  readonly signal: AbortSignal
}): Promise<void> {
  const { history, docket, signal } = options
  while (!signal.aborted) {
    try {
      for (const canary of await history.undecided()) {
        if (!options.isWatched(canary.seed)) await docket.review(canary, undefined)
      }
    } catch (error) {
      options.report({ kind: 'probe-fault', part: 'history', cause: messageOf(error) })
    }
    await pause(MINUTE, signal)
  }
}
