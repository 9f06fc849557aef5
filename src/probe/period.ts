import { setImmediate as nextTurn } from 'node:timers/promises'

import { DAY } from '../base/clock.ts'
import type { HistoryStore, PairCount, Tally } from './history.ts'

/** What is asked of the history for a report. */
export interface PeriodRequest {
  /** Milliseconds since the epoch, by when canaries were scheduled. */
  readonly since: number
  readonly until: number
  /** Two origins whose pairs are wanted. */
  readonly compare?: readonly [string, string]
}

export type ArrivalTime = Awaited<ReturnType<HistoryStore['arrivals']>>[number]

/** One piece of the answer, so that nothing large is ever one line. */
export type PeriodPart =
  | { readonly tallies: readonly Tally[] }
  | { readonly arrivals: readonly ArrivalTime[] }
  | { readonly pairs: readonly PairCount[] }

/** What the canaries of a period came to: counts by day (UTC) and seed, times of arrival, pairs. */
export interface Period extends PeriodRequest {
  readonly tallies: readonly Tally[]
  /** At most `MOST_ARRIVALS`, the newest; in the order of their submission. */
  readonly arrivals: readonly ArrivalTime[]
  readonly pairs: readonly PairCount[]
}

/** Enough for a quantile of anything, and a bound for years of a busy prober. */
export const MOST_ARRIVALS = 100_000
const PIECE = 2_000

/**
 * Reads what a report is made of, newest day first. Counting is the database's; nothing is computed here. Day by day,
 * with a breath in between: a history in this process's own file would keep it from anything else.
 */
export async function* readPeriod(
  history: HistoryStore,
  { since, until, compare }: PeriodRequest,
): AsyncGenerator<PeriodPart> {
  let wanted = MOST_ARRIVALS
  for (let end = until; end > since; end = Math.floor((end - 1) / DAY) * DAY) {
    const from = Math.max(since, Math.floor((end - 1) / DAY) * DAY)
    yield { tallies: await history.tally(from, end, DAY) }
    await nextTurn()
    const arrivals = wanted > 0 ? await history.arrivals(from, end, wanted) : []
    wanted -= arrivals.length
    for (let i = 0; i < arrivals.length; i += PIECE) {
      yield { arrivals: arrivals.slice(i, i + PIECE) }
    }
    if (compare) yield { pairs: await history.pairs(compare[0], compare[1], from, end) }
    await nextTurn()
  }
}

export async function collectPeriod(
  request: PeriodRequest,
  parts: AsyncIterable<PeriodPart>,
): Promise<Period> {
  const tallies: Tally[] = []
  const arrivals: ArrivalTime[] = []
  const pairs: PairCount[] = []
  for await (const part of parts) {
    if ('tallies' in part) tallies.push(...part.tallies)
    else if ('arrivals' in part) arrivals.push(...part.arrivals)
    else pairs.push(...part.pairs)
  }
  return { ...request, tallies, arrivals: arrivals.toReversed(), pairs }
}
