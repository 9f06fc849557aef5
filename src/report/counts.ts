import type { Tally } from '../probe/history.ts'
import { VERDICT_LABELS, type VerdictLabel } from '../probe/model.ts'
import { wilson } from '../probe/statistics/interval.ts'
import { quantileOfSorted } from '../probe/statistics/quantile.ts'

export type Counts = Readonly<Record<VerdictLabel, number>>

/** `k` of `n`, and where the rate lies with 95 % confidence. */
export interface Rate {
  readonly k: number
  readonly n: number
  readonly low: number
  readonly high: number
}

/** Seconds from submission to arrival. */
export interface Times {
  readonly n: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
}

export function sumOf(tallies: readonly Pick<Tally, 'counts'>[]): Counts {
  const sum = Object.fromEntries(VERDICT_LABELS.map(label => [label, 0])) as Record<
    VerdictLabel,
    number
  >
  for (const { counts } of tallies) {
    for (const label of VERDICT_LABELS) sum[label] += counts[label]
  }
  return sum
}

export function arrivedOf({ inbox, spam, other }: Counts): number {
  return inbox + spam + other
}

/** Blind is not missing: what could not be seen is in no denominator. */
export function judgedOf(counts: Counts): number {
  return arrivedOf(counts) + counts.missing + counts.bounced + counts.rejected
}

export function rateOf(k: number, n: number): Rate {
  return { k, n, ...wilson(k, n) }
}

/** @returns undefined where nothing arrived */
export function timesOf(seconds: readonly number[]): Times | undefined {
  const sorted = seconds.toSorted((a, b) => a - b)
  const [p50, p90, p99] = [0.5, 0.9, 0.99].map(q => quantileOfSorted(sorted, q))
  if (p50 === undefined || p90 === undefined || p99 === undefined) return undefined
  return { n: sorted.length, p50, p90, p99 }
}

export function distinct<T>(values: readonly T[]): readonly T[] {
  return [...new Set(values)]
}
