/*
 * Comma-separated values (RFC 4180). Spreadsheets take text that begins with = + - @ for a formula, also within quotes; what
 * other servers say must not become one, so such text gets an apostrophe in front.
 */

type Value = string | number | undefined

/** A line with its end. */
export function csvLine(values: readonly Value[]): string {
  return `${values.map(fieldOf).join(',')}\r\n`
}

function fieldOf(value: Value): string {
  if (value === undefined) return ''
  if (typeof value === 'number') return String(value)
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
