/** Sorts items into groups of those with the same key, in the order in which the keys first come. */
export function groupAlike<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
): readonly (readonly [T, ...T[]])[] {
  // As nearly always: nothing to compare it with.
  const [only, ...more] = items
  if (only !== undefined && more.length === 0) return [[only]]
  const groups = new Map<string, [T, ...T[]]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return [...groups.values()]
}
