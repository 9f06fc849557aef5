/**
 * The quantile of a sample, interpolated between its two neighbours: type 7 of R. J. Hyndman and Y. Fan, "Sample
 * quantiles in statistical packages", The American Statistician 50 (1996) 361–365, the one spreadsheets use.
 *
 * @param values in any order
 * @param q 0.5 is the median
 * @returns undefined for an empty sample
 */
export function quantile(values: readonly number[], q: number): number | undefined {
  return quantileOfSorted(
    values.toSorted((a, b) => a - b),
    q,
  )
}

/** The same of values that are in order already. */
export function quantileOfSorted(sorted: readonly number[], q: number): number | undefined {
  const position = Math.min(1, Math.max(0, q)) * (sorted.length - 1)
  const below = sorted[Math.floor(position)]
  const above = sorted[Math.ceil(position)]
  if (below === undefined || above === undefined) return undefined
  return below + (above - below) * (position - Math.floor(position))
}
