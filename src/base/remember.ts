/**
 * Puts an entry behind all others of a table, whose order is thereby that of age, and forgets the oldest beyond `most`: what
 * strangers can make us remember must not become our memory.
 */
export function remember<Key, Value>(
  table: Map<Key, Value>,
  key: Key,
  value: Value,
  most: number,
): void {
  table.delete(key)
  table.set(key, value)
  if (table.size <= most) return
  for (const oldest of table.keys()) {
    table.delete(oldest)
    return
  }
}
