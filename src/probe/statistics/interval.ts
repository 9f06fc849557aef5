/** What 95 % of a normal distribution lie within, on both sides. */
const STANDARD_DEVIATIONS_95 = 1.959964

/** An interval that holds a rate; `low` and `high` are in [0, 1]. */
export interface Interval {
  readonly low: number
  readonly high: number
}

/**
 * Wilson's score interval for a rate of `k` out of `n`.
 *
 *     (k + z²/2 ± z √(k(n−k)/n + z²/4)) / (n + z²)
 *
 * E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
 * Statistical Association 22 (1927) 209–212. Unlike the textbook interval it holds for small n and for rates near 0 and
 * 1, where canaries live: 24 of 24 in the inbox is not "100 % ± 0", but 86 % to 100 %.
 *
 * @param z standard deviations: 1.96 covers 95 %, and is what it is unless told
 * @returns 0 to 1 where n is 0: nothing is known
 */
export function wilson(k: number, n: number, z = STANDARD_DEVIATIONS_95): Interval {
  if (n <= 0) return { low: 0, high: 1 }
  const middle = k + (z * z) / 2
  const spread = z * Math.sqrt((k * (n - k)) / n + (z * z) / 4)
  const clamp = (value: number): number => Math.min(1, Math.max(0, value / (n + z * z)))
  return {
    // Exact at the ends, where rounding would leave a trace.
    low: k === 0 ? 0 : clamp(middle - spread),
    high: k === n ? 1 : clamp(middle + spread),
  }
}
