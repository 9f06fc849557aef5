/*
 * Times of a day in bins, so that the median of days drawn again and again costs an addition and not a sorting. A bin
 * is two in a hundred wide.
 */

const PER_UNIT = 50
const SHORTEST = 0.1
const LONGEST = 200_000
const BINS = Math.ceil(Math.log(LONGEST / SHORTEST) * PER_UNIT) + 1

export interface TimeBins {
  readonly counts: Uint32Array
  readonly n: number
}

export function timeBins(seconds: readonly number[]): TimeBins {
  const counts = new Uint32Array(BINS)
  for (const value of seconds) {
    const bounded = Math.min(LONGEST, Math.max(SHORTEST, value))
    const bin = Math.round(Math.log(bounded / SHORTEST) * PER_UNIT)
    counts[bin] = (counts[bin] ?? 0) + 1
  }
  return { counts, n: seconds.length }
}

/** @returns seconds, to one in a hundred; undefined where nothing arrived */
export function medianOfDays(days: readonly TimeBins[]): number | undefined {
  const n = days.reduce((sum, day) => sum + day.n, 0)
  if (n === 0) return undefined
  let seen = 0
  for (let bin = 0; bin < BINS; bin++) {
    for (const { counts } of days) seen += counts[bin] ?? 0
    if (2 * seen >= n) return SHORTEST * Math.exp(bin / PER_UNIT)
  }
  return undefined
}
