/** So many canaries that took about so long. */
export interface Counted {
  readonly seconds: number
  readonly n: number
}

/**
 * The quantile of a sample that is given as counts, interpolated as `quantile` does it: type 7 of Hyndman and Fan.
 *
 * @param counts in any order
 * @param q 0.5 is the median
 * @returns undefined for an empty sample
 */
export function countedQuantile(counts: readonly Counted[], q: number): number | undefined {
  const sorted = counts.toSorted((a, b) => a.seconds - b.seconds)
  const size = sorted.reduce((sum, { n }) => sum + n, 0)
  const position = Math.min(1, Math.max(0, q)) * (size - 1)
  const at = (index: number): number | undefined => {
    let seen = 0
    return sorted.find(({ n }) => (seen += n) > index)?.seconds
  }
  const below = at(Math.floor(position))
  const above = at(Math.ceil(position))
  if (below === undefined || above === undefined) return undefined
  return below + (above - below) * (position - Math.floor(position))
}
