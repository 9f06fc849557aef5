import type { ArrivalCount, Tally } from '../probe/history.ts'
import { countedQuantile } from '../probe/statistics/counted-quantile.ts'
import {
  VERDICTS,
  type ArrivalSeries,
  type Cell,
  type PlacementSeries,
  type Quantiles,
  type Rate,
  type VerdictCounts,
} from './browser/status-data.ts'
import type { TimeWindow } from './time-window.ts'

/** The 95 % interval of a share of which `k` of `n` were seen, 0 to 1. */
export type IntervalOf = (k: number, n: number) => { readonly low: number; readonly high: number }

/** All that was counted of one origin at one provider. */
export interface Group {
  readonly origin: string
  readonly provider: string
  readonly tallies: readonly Tally[]
}

export function groupsOf(
  origins: readonly string[],
  providers: readonly string[],
  tallies: readonly Tally[],
): readonly Group[] {
  return origins.flatMap(origin =>
    providers.map(provider => ({
      origin,
      provider,
      tallies: tallies.filter(tally => tally.origin === origin && tally.provider === provider),
    })),
  )
}

export function cellOf({ origin, provider, tallies }: Group, interval: IntervalOf): Cell {
  const counts = sum(tallies)
  const arrived = counts.inbox + counts.spam + counts.other
  // Blind is not missing: what could not be seen is in no denominator.
  const judged = arrived + counts.missing + counts.bounced + counts.rejected
  return {
    origin,
    provider,
    counts,
    arrived: rateOf(arrived, judged, interval),
    inbox: rateOf(counts.inbox, judged, interval),
    late: tallies.reduce((total, tally) => total + tally.late, 0),
  }
}

export function rateOf(hits: number, n: number, interval: IntervalOf): Rate {
  return { hits, n, ...interval(hits, n) }
}

export function placementOf(
  { origin, provider, tallies }: Group,
  window: TimeWindow,
): PlacementSeries {
  const steps: Tally[][] = window.steps.map(() => [])
  for (const tally of tallies) steps[window.indexOf(tally.from)]?.push(tally)
  return { origin, provider, steps: steps.map(sum) }
}

/** @param counts of one provider */
export function arrivalOf(
  provider: string,
  counts: readonly ArrivalCount[],
  window: TimeWindow,
): ArrivalSeries {
  const steps: ArrivalCount[][] = window.steps.map(() => [])
  for (const count of counts) steps[window.indexOf(count.from)]?.push(count)
  return { provider, all: quantilesOf(counts), steps: steps.map(quantilesOf) }
}

function quantilesOf(counts: readonly ArrivalCount[]): Quantiles {
  const p50 = countedQuantile(counts, 0.5)
  const p90 = countedQuantile(counts, 0.9)
  if (p50 === undefined || p90 === undefined) return { n: 0 }
  return { n: counts.reduce((total, { n }) => total + n, 0), p50, p90 }
}

function sum(tallies: readonly Tally[]): VerdictCounts {
  const total = Object.fromEntries(VERDICTS.map(verdict => [verdict, 0])) as Record<
    keyof VerdictCounts,
    number
  >
  for (const { counts } of tallies) {
    for (const verdict of VERDICTS) total[verdict] += counts[verdict]
  }
  return total
}
