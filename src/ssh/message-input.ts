import { MAX_FIELDS, MAX_HEADER, parseHeader, type HeaderField } from '../mail/headers.ts'
import { EX, Exit } from './sysexits.ts'

const LF = 10
const CR = 13
const FIELD = /^[!-9;-~]+[ \t]*:/

/** A message on its way from standard input: its header section, and the rest as it comes. */
export interface MessageInput {
  readonly fields: readonly HeaderField[]
  /** What comes after the header section, without the empty line. Only a piece of it is ever in memory. */
  readonly body: AsyncIterable<Uint8Array>
}

/**
 * Reads a message as programs give it to a sendmail: lines end in LF or CRLF, the header section may be missing, and ends at
 * the first line that is no field.
 *
 * @param ignoreDots whether a line with nothing but a dot is a line; otherwise it ends the message
 * @throws Exit with `dataErr` for a header section without end, `ioErr` where it cannot be read
 */
export async function readMessage(
  input: AsyncIterable<Uint8Array>,
  ignoreDots: boolean,
): Promise<MessageInput> {
  const chunks = read(ignoreDots ? input : untilDot(input))[Symbol.asyncIterator]()
  let held: Buffer = Buffer.alloc(0)
  let start = 0
  for (;;) {
    const end = endOfHeader(held, start)
    if (end.kind === 'found') {
      const fields = fieldsOf(held.subarray(0, end.at))
      return { fields, body: following(held.subarray(end.next), chunks) }
    }
    start = end.start
    const next = await chunks.next()
    if (next.done === true) {
      // A message may end without a body (RFC 5322 section 3.5), and its last line without an end.
      const isField =
        FIELD.test(held.toString('latin1', start)) || (start > 0 && isBlank(held[start]))
      const at = isField ? held.length : start
      return { fields: fieldsOf(held.subarray(0, at)), body: following(held.subarray(at), chunks) }
    }
    held = Buffer.concat([held, next.value])
    // mbox and `git format-patch` begin with a line that is not of the message.
    if (start === 0 && held.toString('latin1', 0, 5) === 'From ') {
      const line = held.indexOf(LF)
      if (line >= 0) held = held.subarray(line + 1)
    }
    if (held.length > MAX_HEADER + next.value.length) throw tooLarge()
  }
}

type End =
  | { readonly kind: 'found'; readonly at: number; readonly next: number }
  | { readonly kind: 'open'; readonly start: number }

/** Looks at whole lines from `start` on. */
function endOfHeader(held: Buffer, from: number): End {
  let start = from
  for (;;) {
    const lf = held.indexOf(LF, start)
    if (start > MAX_HEADER) throw tooLarge()
    if (lf < 0) {
      // A first line that is no field shows it long before it ends.
      const line = held.toString('latin1', start, start + 1_000)
      const noField = line.length === 1_000 && !FIELD.test(line) && !isBlank(held[start])
      return noField ? { kind: 'found', at: start, next: start } : { kind: 'open', start }
    }
    const length = lf - start - (held[lf - 1] === CR && lf > start ? 1 : 0)
    if (length === 0) return { kind: 'found', at: start, next: lf + 1 }
    const continues = start > 0 && isBlank(held[start])
    if (!continues && !FIELD.test(held.toString('latin1', start, lf))) {
      return { kind: 'found', at: start, next: start }
    }
    start = lf + 1
  }
}

function fieldsOf(section: Buffer): readonly HeaderField[] {
  const fields = parseHeader(section)
  if (fields.length > MAX_FIELDS || section.length > MAX_HEADER) throw tooLarge()
  // RFC 5322 section 2.2. To some programs a CR ends a line, and what follows it would be a field of its own.
  if (/\r(?!\n)|\0/.test(section.toString('latin1'))) {
    throw new Exit(EX.dataErr, 'the header section holds a bare CR or a NUL')
  }
  return fields
}

function tooLarge(): Exit {
  return new Exit(EX.dataErr, `the header section is larger than ${MAX_HEADER} octets`)
}

async function* following(
  first: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (first.length > 0) yield first
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
}

async function* read(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const chunks = input[Symbol.asyncIterator]()
  for (;;) {
    const next = await chunks.next().catch(() => {
      throw new Exit(EX.ioErr, 'the message cannot be read from standard input')
    })
    if (next.done === true) return
    yield next.value
  }
}

/** Up to a line with nothing but a dot, in the tradition of sendmail. */
async function* untilDot(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  // What may be the beginning of such a line, and has not been passed on.
  let held = Buffer.alloc(0)
  let atLineStart = true
  for await (const chunk of input) {
    const buffer = Buffer.concat([held, chunk])
    let keep = buffer.length
    let line = atLineStart ? 0 : nextLine(buffer, 0)
    for (; line >= 0 && line < buffer.length; line = nextLine(buffer, line)) {
      const begin = buffer.toString('latin1', line, line + 3)
      if (/^\.\r?\n/.test(begin)) {
        if (line > 0) yield buffer.subarray(0, line)
        return
      }
      if (line + begin.length === buffer.length && /^\.\r?$/.test(begin)) {
        keep = line
        break
      }
    }
    atLineStart = keep < buffer.length || buffer.at(-1) === LF
    held = buffer.subarray(keep)
    if (keep > 0) yield buffer.subarray(0, keep)
  }
}

/** Index of the first octet of the next line, -1 where it has not begun. */
function nextLine(buffer: Buffer, from: number): number {
  const end = buffer.indexOf(LF, from)
  return end < 0 ? -1 : end + 1
}

function isBlank(octet: number | undefined): boolean {
  return octet === 32 || octet === 9
}
