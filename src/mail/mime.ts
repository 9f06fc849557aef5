import { dropComments } from './comments.ts'
import { parseHeader, splitMessage, valuesOf } from './headers.ts'

/** A leaf of a message: type in lower case without parameters, content decoded from its transfer encoding. */
export interface MimePart {
  readonly type: string
  readonly content: Buffer
}

const MAX_PARTS = 100
const MAX_DEPTH = 5
const MAX_MESSAGE = 8 * 1024 * 1024

/**
 * The leaves of a message (RFC 2046 section 5.1), as far as reports need them. What lies inside a `message/…` part
 * is that part's content, not looked into. Tolerant: what cannot be read is left out.
 */
export function mimeParts(raw: Uint8Array): readonly MimePart[] {
  const parts: MimePart[] = []
  const message = Buffer.from(raw.buffer, raw.byteOffset, Math.min(raw.byteLength, MAX_MESSAGE))
  collect(message, 0, parts)
  return parts
}

function collect(entity: Buffer, depth: number, parts: MimePart[]): void {
  if (parts.length >= MAX_PARTS) return
  const { header, body } = splitMessage(entity)
  const fields = parseHeader(header)
  const contentType = dropComments(valuesOf(fields, 'content-type')[0] ?? 'text/plain')
  const type = (/^[^;\s]*/.exec(contentType)?.[0] ?? '').toLowerCase()
  const boundary = boundaryOf(contentType)
  if (type.startsWith('multipart/') && boundary !== '' && depth < MAX_DEPTH) {
    for (const child of split(body, boundary)) collect(child, depth + 1, parts)
    return
  }
  const encoding = (valuesOf(fields, 'content-transfer-encoding')[0] ?? '').toLowerCase()
  parts.push({ type, content: decode(body, dropComments(encoding)) })
}

function boundaryOf(contentType: string): string {
  const match = /;\s*boundary\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/i.exec(contentType)
  return match?.[1]?.replaceAll(/\\(.)/g, '$1') ?? match?.[2] ?? ''
}

/** The entities between the lines of a boundary; the line end before a boundary belongs to it. */
function split(body: Buffer, boundary: string): Buffer[] {
  const mark = Buffer.from(`--${boundary}`)
  const children: Buffer[] = []
  let start = -1
  let at = body.indexOf(mark)
  while (at >= 0 && children.length < MAX_PARTS) {
    const end = body.indexOf(10, at)
    const tail = body.subarray(at + mark.length, end < 0 ? body.length : end).toString('latin1')
    const closes = tail.startsWith('--')
    // A longer boundary begins like this one, and the text of a part may hold it.
    if ((at === 0 || body[at - 1] === 10) && (closes || tail.trim() === '')) {
      if (start >= 0) children.push(body.subarray(start, lineStart(body, start, at)))
      start = closes || end < 0 ? -1 : end + 1
      if (closes) return children
    }
    at = end < 0 ? -1 : body.indexOf(mark, end)
  }
  // Cut short on its way: what there is, is read.
  if (start >= 0) children.push(body.subarray(start))
  return children
}

/** Where the line end before a boundary begins. */
function lineStart(body: Buffer, start: number, at: number): number {
  const lf = Math.max(start, at - 1)
  return lf > start && body[lf - 1] === 13 ? lf - 1 : lf
}

function decode(content: Buffer, encoding: string): Buffer {
  if (encoding === 'base64') return Buffer.from(content.toString('latin1'), 'base64')
  if (encoding !== 'quoted-printable') return content
  const text = content
    .toString('latin1')
    .replaceAll(/=[ \t]*\r?\n/g, '')
    .replaceAll(/=([0-9A-Fa-f]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
  return Buffer.from(text, 'latin1')
}
