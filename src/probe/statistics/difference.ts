import { type Interval, wilson } from './interval.ts'

/** `k` of `n`. */
export interface Share {
  readonly k: number
  readonly n: number
}

/** How a difference was estimated, and where it may lie; all in [-1, 1]. */
export interface Difference extends Interval {
  readonly estimate: number
}

/**
 * The difference of two rates of canaries that have nothing to do with each other, `a − b`, with the interval that is
 * made of Wilson's for each:
 *
 *     low  = d − √((pa − la)² + (ub − pb)²)
 *     high = d + √((ua − pa)² + (pb − lb)²)
 *
 * R. G. Newcombe, "Interval estimation for the difference between independent proportions: comparison of eleven
 * methods", Statistics in Medicine 17 (1998) 873–890, method 10. It never leaves [-1, 1], and holds for small n.
 *
 * @returns undefined where either has no canary
 */
export function difference(a: Share, b: Share, z?: number): Difference | undefined {
  if (a.n === 0 || b.n === 0) return undefined
  const first = spread(a, z)
  const second = spread(b, z)
  const estimate = first.rate - second.rate
  return {
    estimate,
    low: Math.max(-1, estimate - Math.hypot(first.below, second.above)),
    high: Math.min(1, estimate + Math.hypot(first.above, second.below)),
  }
}

/** Pairs of canaries that were sent together: what became of the one and of the other. */
export interface Pairs {
  readonly both: number
  readonly onlyA: number
  readonly onlyB: number
  readonly neither: number
}

/**
 * The difference of two rates of which each canary of the one has a partner in the other, `a − b`. As above, less what
 * the two have in common (φ, the correlation of the pairs, corrected for continuity):
 *
 *     low  = d − √((pa − la)² − 2φ (pa − la)(ub − pb) + (ub − pb)²)
 *     high = d + √((ua − pa)² − 2φ (ua − pa)(pb − lb) + (pb − lb)²)
 *
 * R. G. Newcombe, "Improved confidence intervals for the difference between binomial proportions based on paired data",
 * Statistics in Medicine 17 (1998) 2635–2650, method 10.
 *
 * @returns undefined where there is no pair
 */
export function pairedDifference(pairs: Pairs, z?: number): Difference | undefined {
  const { both, onlyA, onlyB, neither } = pairs
  const n = both + onlyA + onlyB + neither
  if (n === 0) return undefined
  const first = spread({ k: both + onlyA, n }, z)
  const second = spread({ k: both + onlyB, n }, z)
  const estimate = (onlyA - onlyB) / n
  const phi = correlation(pairs, n)
  const length = (a: number, b: number): number =>
    Math.sqrt(Math.max(0, a * a - 2 * phi * a * b + b * b))
  return {
    estimate,
    low: Math.max(-1, estimate - length(first.below, second.above)),
    high: Math.min(1, estimate + length(first.above, second.below)),
  }
}

function correlation({ both, onlyA, onlyB, neither }: Pairs, n: number): number {
  const margins = (both + onlyA) * (onlyB + neither) * (both + onlyB) * (onlyA + neither)
  if (margins === 0) return 0
  const product = both * neither - onlyA * onlyB
  const corrected = product > 0 ? Math.max(0, product - n / 2) : product
  return corrected / Math.sqrt(margins)
}

function spread({ k, n }: Share, z?: number): { rate: number; below: number; above: number } {
  const rate = k / n
  const { low, high } = wilson(k, n, z)
  return { rate, below: rate - low, above: high - rate }
}
