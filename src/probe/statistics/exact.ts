import type { Pairs, Share } from './difference.ts'

/*
 * Exact tests: their probabilities are counted and not approximated, so that they hold however few canaries there are.
 * Both are two-sided. An exact test is cautious: it is wrong less often than its level says.
 */

/** As likely as what was seen is what differs from it by no more than rounding. */
const ROUNDING = 1e-7

/**
 * Whether two rates differ: R. A. Fisher's test. Given how many of all canaries arrived, the number among those of `a`
 * is hypergeometric; the value is the probability of every table that is no likelier than the one that was seen.
 *
 * R. A. Fisher, Statistical Methods for Research Workers, 5th ed. (1934), section 21.02.
 *
 * @returns the p-value, 0 to 1
 */
export function fisher(a: Share, b: Share): number {
  const hits = a.k + b.k
  const n = a.n + b.n
  const logOf = (k: number): number =>
    logChoose(a.n, k) + logChoose(b.n, hits - k) - logChoose(n, hits)
  const seen = logOf(a.k)
  let p = 0
  for (let k = Math.max(0, hits - b.n); k <= Math.min(a.n, hits); k++) {
    const log = logOf(k)
    if (log <= seen + ROUNDING) p += Math.exp(log)
  }
  return Math.min(1, p)
}

/**
 * Whether two rates of pairs differ: McNemar's test, exact. Of the pairs that differ, each origin should have lost half:
 * twice the probability, with a fair coin, of so few on the rarer side.
 *
 * Q. McNemar, "Note on the sampling error of the difference between correlated proportions or percentages",
 * Psychometrika 12 (1947) 153–157; exact as in M. W. Fagerland, S. Lydersen, P. Laake, "Recommended tests and confidence
 * intervals for paired binomial proportions", Statistics in Medicine 33 (2014) 2850–2875.
 *
 * @returns the p-value, 0 to 1
 */
export function mcNemar({ onlyA, onlyB }: Pick<Pairs, 'onlyA' | 'onlyB'>): number {
  const n = onlyA + onlyB
  let tail = 0
  for (let k = 0; k <= Math.min(onlyA, onlyB); k++) tail += Math.exp(logChoose(n, k) - n * Math.LN2)
  return Math.min(1, 2 * tail)
}

const LOG_FACTORIALS = [0]

/** Natural logarithm of n over k. */
function logChoose(n: number, k: number): number {
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k)
}

function logFactorial(n: number): number {
  // Stirling's series is exact to the last bit here, and the table stays small.
  if (n > 1_000) {
    return (
      (n + 0.5) * Math.log(n) - n + Math.log(2 * Math.PI) / 2 + 1 / (12 * n) - 1 / (360 * n ** 3)
    )
  }
  for (let i = LOG_FACTORIALS.length; i <= n; i++) {
    LOG_FACTORIALS.push((LOG_FACTORIALS[i - 1] ?? 0) + Math.log(i))
  }
  return LOG_FACTORIALS[n] ?? 0
}
