/**
 * A field's value without its comments (RFC 5322 section 3.2.2), nested ones too, and with single blanks. A comment
 * that never ends takes the rest with it.
 */
export function dropComments(value: string): string {
  let depth = 0
  let quoted = false
  let out = ''
  for (let i = 0; i < value.length; i++) {
    const c = value.charAt(i)
    if (c === '\\' && (depth > 0 || quoted)) {
      i++
      if (depth === 0) out += c + value.charAt(i)
    } else if (c === '"' && depth === 0) {
      quoted = !quoted
      out += c
    } else if (c === '(' && !quoted) {
      if (depth++ === 0) out += ' '
    } else if (c === ')' && !quoted && depth > 0) depth--
    else if (depth === 0) out += /\s/.test(c) ? ' ' : c
  }
  return out.replaceAll(/ +/g, ' ').trim()
}
