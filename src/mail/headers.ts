import { isUtf8 } from 'node:buffer'

/*
 * Header sections, read from octets (RFC 5322 section 2.2). Nothing here repairs: a line that is no field becomes
 * a field without a name, so that whoever decides something by the header sees that it cannot be trusted.
 */

/** The most that is read of a header section, in octets. Postfix's header_size_limit is 100 KiB for one field. */
export const MAX_HEADER = 256 * 1024

/** The most fields that are read. Mail that travelled far has some two hundred. */
export const MAX_FIELDS = 4_096

/** One field of a header section. */
export interface HeaderField {
  /** Lower case; '' for what is no field at all: a line without a colon, or whatever lies beyond the limits. */
  readonly name: string
  /** Unfolded (RFC 5322 section 2.2.3), blanks around it taken off; UTF-8 where it is (RFC 6532), Latin-1 otherwise. */
  readonly value: string
  /** The octets as they came, with their line ends. */
  readonly raw: Buffer
}

const LF = 10
const CR = 13
// RFC 5322 sections 2.2 and 4.5.3: printable characters without the colon; blanks before the colon are obsolete.
const FIELD = /^([!-9;-~]+)[ \t]*:/

/**
 * Cuts a message at the first empty line.
 *
 * @returns the fields with their line ends and without the empty line; what comes after the empty line; and whether
 * the message begins with a field at all (RFC 6409 section 4.1 lets us refuse one that does not)
 */
export function splitMessage(raw: Uint8Array): {
  readonly header: Buffer
  readonly body: Buffer
  readonly hasHeader: boolean
} {
  const message = asBuffer(raw)
  let start = 0
  for (;;) {
    const end = message.indexOf(LF, start)
    const length = (end < 0 ? message.length : end) - start
    if (end >= 0 && isEmptyLine(message, start, length)) {
      const header = message.subarray(0, start)
      return { header, body: message.subarray(end + 1), hasHeader: beginsWithField(header) }
    }
    if (end < 0) {
      return { header: message, body: Buffer.alloc(0), hasHeader: beginsWithField(message) }
    }
    start = end + 1
  }
}

/**
 * Reads the fields of a header section, up to its first empty line.
 *
 * What lies beyond `MAX_HEADER` octets or `MAX_FIELDS` fields is one last field without a name.
 */
export function parseHeader(section: Uint8Array): readonly HeaderField[] {
  const whole = asBuffer(section)
  const buffer = whole.subarray(0, MAX_HEADER)
  const fields: HeaderField[] = []
  let start = 0
  while (start < buffer.length) {
    const firstEnd = lineEnd(buffer, start)
    if (isEmptyLine(buffer, start, firstEnd - 1 - start) && buffer[firstEnd - 1] === LF) {
      return fields
    }
    let end = firstEnd
    while (end < buffer.length && isBlank(buffer[end])) end = lineEnd(buffer, end)
    if (fields.length === MAX_FIELDS) break
    fields.push(readField(buffer.subarray(start, end)))
    start = end
  }
  if (start < whole.length) fields.push({ name: '', value: '', raw: whole.subarray(start) })
  return fields
}

/** All values of one field, in the order of the section. */
export function valuesOf(fields: readonly HeaderField[], name: string): readonly string[] {
  return fields.filter(field => field.name === name).map(field => field.value)
}

/**
 * Takes the header section out of a message that arrives in chunks. Only the section is held in memory; the body
 * passes through.
 */
export class HeaderScanner {
  readonly #limit: number
  /** One buffer that grows, since a client decides how small its chunks are. */
  #held = Buffer.alloc(0)
  #size = 0
  /** Octets of the line that has begun, and whether its last one is a CR. */
  #lineLength = 0
  #endsInCr = false
  #state: 'open' | 'ended' | 'too-large' = 'open'
  #fields: readonly HeaderField[] | undefined

  /** @param limit octets; a longer section is `too-large` */
  constructor(limit = MAX_HEADER) {
    this.#limit = limit
  }

  /**
   * Takes the next octets of the message.
   *
   * @returns those that belong to the body. The empty line between the two belongs to neither.
   */
  push(chunk: Uint8Array): Buffer {
    const buffer = asBuffer(chunk)
    if (this.#state === 'ended') return buffer
    let start = 0
    while (this.#state === 'open' && start < buffer.length) {
      const end = buffer.indexOf(LF, start)
      const stop = end < 0 ? buffer.length : end + 1
      const length = (end < 0 ? stop : end) - start
      this.#lineLength += length
      if (length > 0) this.#endsInCr = buffer[start + length - 1] === CR
      if (end >= 0 && (this.#lineLength === 0 || (this.#lineLength === 1 && this.#endsInCr))) {
        // The CR of the empty line may have come in the chunk before.
        this.#keep(buffer.subarray(0, start))
        this.#state = 'ended'
        return buffer.subarray(stop)
      }
      if (end >= 0) {
        this.#lineLength = 0
        this.#endsInCr = false
      }
      start = stop
      if (this.#size + start > this.#limit) this.#state = 'too-large'
    }
    if (this.#state === 'open') this.#keep(buffer)
    return buffer.subarray(buffer.length)
  }

  /** The message is over. A message may end without a body (RFC 5322 section 3.5). */
  end(): void {
    if (this.#state === 'open') this.#state = 'ended'
  }

  /** `open` until the empty line, or the end of the message, was seen. */
  get state(): 'open' | 'ended' | 'too-large' {
    return this.#state
  }

  /** The section so far: fields with their line ends, without the empty line. */
  get header(): Buffer {
    const whole = this.#held.subarray(0, this.#size)
    const cut = this.#state === 'ended' && this.#lineLength === 1 && this.#endsInCr
    return cut && whole.at(-1) === CR ? whole.subarray(0, -1) : whole
  }

  /** The fields of the section; call it when the state is `ended`. */
  get fields(): readonly HeaderField[] {
    return (this.#fields ??= parseHeader(this.header))
  }

  /** Whether the message begins with a field. */
  get hasHeader(): boolean {
    return this.fields[0] !== undefined && this.fields[0].name !== ''
  }

  /** How many hops the message says it has passed (RFC 5321 section 6.3). */
  get received(): number {
    return this.fields.filter(field => field.name === 'received').length
  }

  /** Copies, since the chunk belongs to whoever gave it. */
  #keep(part: Buffer): void {
    const size = this.#size + part.length
    if (size > this.#held.length) {
      const larger = Buffer.alloc(
        Math.min(this.#limit, Math.max(size, 2 * this.#held.length, 4_096)),
      )
      this.#held.copy(larger, 0, 0, this.#size)
      this.#held = larger
    }
    part.copy(this.#held, this.#size)
    this.#size = size
  }
}

function readField(raw: Buffer): HeaderField {
  const text = decode(raw)
  const match = FIELD.exec(text)
  if (match?.[1] === undefined) return { name: '', value: trim(text), raw }
  const value = trim(text.slice(match[0].length))
  const unfolded = value.includes('\n') ? trim(value.replaceAll(/\r?\n(?=[ \t])/g, '')) : value
  return { name: match[1].toLowerCase(), value: unfolded, raw }
}

/** Without the blanks and line ends around it, and only those: a vertical tab or a no-break space is content. */
function trim(text: string): string {
  let [start, end] = [0, text.length]
  while (start < end && ' \t\r\n'.includes(text.charAt(start))) start++
  while (end > start && ' \t\r\n'.includes(text.charAt(end - 1))) end--
  return text.slice(start, end)
}

function decode(raw: Buffer): string {
  return raw.toString(isUtf8(raw) ? 'utf8' : 'latin1')
}

function beginsWithField(header: Buffer): boolean {
  const end = header.indexOf(LF)
  return FIELD.test(header.subarray(0, end < 0 ? header.length : end).toString('latin1'))
}

/** Index behind the line that begins at `start`. */
function lineEnd(buffer: Buffer, start: number): number {
  const end = buffer.indexOf(LF, start)
  return end < 0 ? buffer.length : end + 1
}

function isEmptyLine(buffer: Buffer, start: number, length: number): boolean {
  return length === 0 || (length === 1 && buffer[start] === CR)
}

function isBlank(octet: number | undefined): boolean {
  return octet === 32 || octet === 9
}

function asBuffer(octets: Uint8Array): Buffer {
  return Buffer.isBuffer(octets)
    ? octets
    : Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength)
}
