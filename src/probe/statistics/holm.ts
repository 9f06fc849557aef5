/**
 * What p-values are worth where several questions were asked at once: with each of these compared with 5 %, the chance
 * that any of them is wrong is 5 % at most, however they hang together.
 *
 * S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979) 65–70.
 *
 * @returns in the order of `values`
 */
export function holm(values: readonly number[]): readonly number[] {
  const order = values.map((_, i) => i).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0))
  const adjusted: number[] = []
  let most = 0
  for (const [rank, i] of order.entries()) {
    most = Math.max(most, Math.min(1, (values.length - rank) * (values[i] ?? 1)))
    adjusted[i] = most
  }
  return adjusted
}
