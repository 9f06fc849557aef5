import type { Difference } from '../probe/statistics/difference.ts'
import type { Interval } from '../probe/statistics/interval.ts'
import type { Rate, Times } from './counts.ts'

/*
 * What comes of holding two origins against each other.
 */

export const MEASURES = ['arrival', 'inbox'] as const
export type Measure = (typeof MEASURES)[number]

/** One rate of two origins, at one provider. */
export interface ComparedRate {
  readonly provider: string
  readonly measure: Measure
  readonly a: Rate
  readonly b: Rate
  /** Whether canaries were compared as pairs that were sent together, and how many pairs there are. */
  readonly pairs: number
  /** `a − b`: Newcombe's, of the pairs or of the two samples. */
  readonly difference: Difference | undefined
  /** The same from days drawn again; undefined where there are too few. */
  readonly byDays: Interval | undefined
  /** Of the exact test (McNemar's of pairs, Fisher's of samples), and what it is worth among all of this comparison. */
  readonly p: number
  readonly pAdjusted: number
  /** The whole in plain words. */
  readonly sentence: string
}

/** How long canaries took, of two origins, at one provider. */
export interface ComparedTime {
  readonly provider: string
  readonly a: Times | undefined
  readonly b: Times | undefined
  /** Seconds by which the median of `a` is longer than that of `b`. */
  readonly difference: number | undefined
  readonly byDays: Interval | undefined
  readonly sentence: string
}

export interface Comparison {
  readonly since: number
  readonly until: number
  readonly a: string
  readonly b: string
  readonly rates: readonly ComparedRate[]
  readonly times: readonly ComparedTime[]
}
