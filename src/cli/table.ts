import { printable } from '../mail/reply.ts'

/**
 * Rows as aligned columns, two spaces between them. What came from outside cannot move the cursor: controls become
 * spaces.
 *
 * @param width of the terminal: the last column is cut there; undefined for no end
 */
export function table(rows: readonly (readonly string[])[], width?: number): readonly string[] {
  const clean = rows.map(row => row.map(printable))
  const columns = Math.max(0, ...clean.map(row => row.length))
  const widths = Array.from({ length: columns }, (_, i) =>
    Math.max(...clean.map(row => row[i]?.length ?? 0)),
  )
  return clean.map(row => {
    const line = row
      .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd()
    return width !== undefined && line.length > width ? `${line.slice(0, width - 1)}…` : line
  })
}

/** `1 delivery`, `2 deliveries`. */
export function amount(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`
}
