import { isUtf8 } from 'node:buffer'

/** A command line, taken apart. */
interface Command {
  /** In capitals; '' for a line that begins with none. */
  readonly verb: string
  /** What follows the verb and its blank, without blanks at the end (RFC 5321 section 4.1.1). */
  readonly argument: string
}

/**
 * Reads a command line.
 *
 * @param octets the line without its CRLF
 * @returns undefined where it holds a control character (a bare CR or LF among them) or is not UTF-8: nobody can say
 * what such a line means to the next program that reads it
 */
export function parseCommand(octets: Buffer): Command | undefined {
  if (!isUtf8(octets)) return undefined
  // A tab before the line's end is tolerated as a blank is, anywhere else it is a control.
  const line = withoutBlanks(octets.toString('utf8'))
  if (/[\u0000-\u001f\u007f-\u009f]/.test(line)) return undefined
  const blank = line.indexOf(' ')
  if (blank < 0) return { verb: line.toUpperCase(), argument: '' }
  return { verb: line.slice(0, blank).toUpperCase(), argument: line.slice(blank + 1).trimStart() }
}

/** At its end. */
function withoutBlanks(line: string): string {
  let end = line.length
  while (end > 0 && ' \t'.includes(line.charAt(end - 1))) end--
  return line.slice(0, end)
}

/** What MAIL and RCPT carry: a path, and parameters as they were written. */
interface PathArgument {
  /** Without angle brackets and source route; '' is the null path. */
  readonly path: string
  readonly parameters: readonly string[]
}

/**
 * Reads `FROM:<path> parameters` or `TO:<path> parameters`, the keyword in any case (RFC 5321 section 2.4). Quoted
 * strings in the path may hold anything, `>` and blanks included.
 *
 * @returns undefined if it is malformed
 */
export function parsePath(keyword: 'FROM' | 'TO', argument: string): PathArgument | undefined {
  const prefix = argument.slice(0, keyword.length + 1).toUpperCase()
  if (prefix !== `${keyword}:`) return undefined
  // A blank behind the colon is wrong, common and harmless.
  const rest = argument.slice(keyword.length + 1).trimStart()
  if (!rest.startsWith('<')) return undefined
  const end = endOfPath(rest)
  const tail = rest.slice(end + 1)
  if (end < 0 || (tail !== '' && !tail.startsWith(' '))) return undefined
  // RFC 5321 section 4.1.1.3 and appendix C: a source route is understood and dropped.
  const path = rest.slice(1, end).replace(/^@[^\s,:@"]+(?:,@[^\s,:@"]+)*:/, '')
  return { path, parameters: tail.split(' ').filter(part => part !== '') }
}

/** Index of the `>` that closes a path, outside quoted strings; -1 where there is none. */
function endOfPath(text: string): number {
  let quoted = false
  for (let i = 1; i < text.length; i++) {
    const c = text[i]
    if (c === '"') quoted = !quoted
    else if (quoted && c === '\\') i++
    else if (!quoted && c === '>') return i
    else if (!quoted && (c === '<' || c === ' ')) return -1
  }
  return -1
}
