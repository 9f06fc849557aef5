import type { Interval } from './interval.ts'
import { quantileOfSorted } from './quantile.ts'
import { seededRandom } from './seeded-random.ts'

/**
 * Fewer days than these say too little of how days differ: with as few blocks the interval is too narrow (measured in
 * docs/statistics.md), and none is given.
 */
export const LEAST_DAYS = 8

const REPLICATES = 2_000

/**
 * The 95 % interval of a number that is computed from days. Canaries of one day are not independent: a provider that is
 * in a bad mood at ten is so at noon. So whole days are drawn again, with replacement, and with everything that was sent
 * on them, by all origins; the number is computed from each such period, and the interval is where 95 % of them lie.
 *
 * B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap (1993), chapters 8.6 and 13 (percentile interval).
 *
 * @param days what each day holds; a day without canaries is left out
 * @param statistic of the days drawn; undefined where they do not tell
 * @returns undefined for fewer than `LEAST_DAYS` days, or where too few draws tell anything
 */
export function dayBlockInterval<Day>(
  days: readonly Day[],
  statistic: (drawn: readonly Day[]) => number | undefined,
): Interval | undefined {
  if (days.length < LEAST_DAYS) return undefined
  const random = seededRandom(days.length)
  const values: number[] = []
  for (let i = 0; i < REPLICATES; i++) {
    const drawn = days.map(() => days[Math.floor(random() * days.length)] as Day)
    const value = statistic(drawn)
    if (value !== undefined) values.push(value)
  }
  if (values.length < REPLICATES / 2) return undefined
  values.sort((a, b) => a - b)
  const low = quantileOfSorted(values, 0.025)
  const high = quantileOfSorted(values, 0.975)
  return low === undefined || high === undefined ? undefined : { low, high }
}
