import { wilson } from './statistics/interval.ts'

/*
 * What is usual for one origin, provider and signal, learnt from the days before.
 */

/** Canaries of one day of which the signal could be told, and how many of them failed. */
export interface DayCount {
  readonly n: number
  readonly failures: number
}

/** Complete days that are learnt from. */
export const LEARNT_FROM_DAYS = 28

/** Until there are as many canaries nothing is learnt. */
const LEAST_CANARIES = 100
/** What is taken for usual until then: with it total loss is found by the fourth canary. */
const ASSUMED = 0.05
/** Of an outage in the past nothing is learnt: the worst days are left out, one in ten. */
const LEFT_OUT = 0.1
/** Below this one or two lost canaries would be an alarm; above it there is nothing healthy to lose. */
const LEAST = 0.01
const MOST = 0.9
/** One-sided 90 %: a baseline that was luckily low would make false alarms. */
const Z_ONE_SIDED_90 = 1.2816

/**
 * The share of canaries that fails while all is well: with 90 % confidence it is no more than this.
 *
 * @param days complete ones, in any order; those without canaries say nothing
 * @returns 0.01 to 0.9
 */
export function learntBaseline(days: readonly DayCount[]): number {
  const sorted = days
    .filter(day => day.n > 0)
    .toSorted((a, b) => a.failures / a.n - b.failures / b.n)
  const kept = sorted.slice(0, sorted.length - Math.floor(sorted.length * LEFT_OUT))
  const n = kept.reduce((sum, day) => sum + day.n, 0)
  const failures = kept.reduce((sum, day) => sum + day.failures, 0)
  if (n < LEAST_CANARIES) return ASSUMED
  return clampBaseline(wilson(failures, n, Z_ONE_SIDED_90).high)
}

/** A share of failures that the detector can work with. */
export function clampBaseline(failing: number): number {
  return Math.min(MOST, Math.max(LEAST, failing))
}
