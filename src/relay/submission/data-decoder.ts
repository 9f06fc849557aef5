import { isAscii } from 'node:buffer'

import { SpecialOctets } from '../../mail/special-octets.ts'

const LF = 10
const CR = 13
const DOT = 46

/** Where in the dialogue of RFC 5321 section 4.5.2 the next octet stands. What is held back is part of the name. */
type State = 'line' | 'dot' | 'dot-cr' | 'text' | 'cr'

interface Decoded {
  /** Content in its final form; empty where the chunk held none. May be the chunk's own memory. */
  readonly content: Buffer
  /** Octets of the chunk that have been decoded, the end of the message included: there may be more, also of the message. */
  readonly consumed: number
  readonly ended: boolean
}

/**
 * Takes what follows 354 apart, octet by octet: removes the dots that stuff lines and finds the end, which is
 * CRLF.CRLF and nothing else (RFC 5321 section 4.1.1.4). How the octets were cut into segments never matters.
 *
 * A bare CR or LF is never a line end here: whoever takes it for one ends a message where the sender did not, and
 * reads the rest as commands (SMTP smuggling). NUL and every other octet pass.
 */
export class DataDecoder {
  readonly #normalise: boolean
  readonly #longest: number
  #state: State = 'line'
  #lineOctets = 0
  #tooLong = false
  #bareNewlines = 0
  #eightBit = false

  /**
   * @param options.normalise a bare CR or LF becomes CRLF; otherwise it stays as it is and is only counted
   * @param options.longest octets of the longest line that is allowed, its CRLF included and its stuffing dot not (RFC 5321
   * section 4.5.3.1.6)
   */
  constructor(options: { readonly normalise: boolean; readonly longest: number }) {
    this.#normalise = options.normalise
    this.#longest = options.longest
  }

  /** Bare CRs and LFs met so far. */
  get bareNewlines(): number {
    return this.#bareNewlines
  }

  /** Whether an octet above 127 has been met (RFC 6152). */
  get eightBit(): boolean {
    return this.#eightBit
  }

  /** Whether a line has been longer than is allowed. */
  get tooLong(): boolean {
    return this.#tooLong
  }

  /** @param chunk the next octets from the client, at least one; must not be called again after the end */
  feed(chunk: Buffer): Decoded {
    const plain = this.#state === 'line' || this.#state === 'text' ? this.#pass(chunk) : undefined
    return plain ?? this.#decode(chunk)
  }

  /**
   * Nearly all of a message: text in proper lines, of which some begin with a dot too many. Copied only where there is one.
   *
   * @returns undefined if the chunk begins with anything else
   */
  #pass(chunk: Buffer): Decoded | undefined {
    const specials = new SpecialOctets(chunk)
    let content: Buffer | undefined
    let filled = 0
    let from = 0
    let at = this.#state === 'line' && chunk[0] === DOT ? 0 : specials.next(0)
    // Whether a dot is one too many or the end, and whether its line is one, is not for here.
    while (chunk[at] === DOT && at + 1 < chunk.length && chunk[at + 1] !== CR) {
      content ??= Buffer.allocUnsafe(chunk.length)
      filled += chunk.copy(content, filled, from, at)
      this.#count(chunk, from, at)
      from = at + 1
      this.#state = 'text'
      at = specials.next(from)
    }
    if (at === 0) return undefined
    this.#count(chunk, from, at)
    this.#eightBit ||= !isAscii(chunk.subarray(0, at))
    if (content === undefined) {
      return { content: chunk.subarray(0, at), consumed: at, ended: false }
    }
    filled += chunk.copy(content, filled, from, at)
    return { content: content.subarray(0, filled), consumed: at, ended: false }
  }

  /** Notes how long lines are, and where they end: they may begin anywhere in the first and end anywhere in the last. */
  #count(lines: Buffer, from: number, to: number): void {
    if (from === to) return
    const longest = this.#longest
    const last = lines.lastIndexOf(LF, to - 1) + 1
    if (last <= from) {
      this.#lineOctets += to - from
      this.#state = 'text'
    } else {
      let line = lines.indexOf(LF, from) + 1
      if (this.#lineOctets + line - from > longest) this.#tooLong = true
      // Not line by line: a line end at most so far away means that none between is too long.
      while (last - line > longest) {
        const next = lines.lastIndexOf(LF, line + longest - 1) + 1
        if (next === line) this.#tooLong = true
        line = next === line ? last : next
      }
      this.#lineOctets = to - last
      this.#state = last === to ? 'line' : 'text'
    }
    if (this.#lineOctets > longest) this.#tooLong = true
  }

  #decode(octets: Buffer): Decoded {
    // Held back are at most two octets, and only a bare newline makes more of one.
    const content = Buffer.allocUnsafe((octets.length + 2) * (this.#normalise ? 2 : 1))
    let filled = 0
    /** Up to here no whole line without anything special begins. */
    let special = 0

    const bare = (octet: number): void => {
      this.#bareNewlines++
      if (this.#normalise) {
        content[filled++] = CR
        content[filled++] = LF
        this.#endLine(2)
      } else {
        content[filled++] = octet
        this.#lineOctets++
      }
    }

    for (let i = 0; i < octets.length; i++) {
      const octet = octets[i] ?? 0
      if (i >= special && (this.#state === 'text' || (this.#state === 'line' && octet !== DOT))) {
        const end = octets.indexOf(LF, i)
        if (end > i && octets.indexOf(CR, i) === end - 1) {
          // Searched and copied at the speed of memory.
          filled += octets.copy(content, filled, i, end + 1)
          this.#lineOctets += end - 1 - i
          this.#endLine(2)
          this.#state = 'line'
          i = end
          continue
        }
        special = end < 0 ? octets.length : end + 1
      }
      switch (this.#state) {
        case 'dot-cr':
          if (octet === LF) {
            this.#eightBit ||= !isAscii(octets.subarray(0, i))
            return { content: content.subarray(0, filled), consumed: i + 1, ended: true }
          }
          bare(CR)
          break
        case 'dot':
          if (octet === CR) {
            this.#state = 'dot-cr'
            continue
          }
          break
        case 'line':
          if (octet === DOT) {
            this.#state = 'dot'
            continue
          }
          break
        case 'cr':
          if (octet === LF) {
            content[filled++] = CR
            content[filled++] = LF
            this.#endLine(2)
            this.#state = 'line'
            continue
          }
          bare(CR)
          break
        case 'text':
          break
      }
      if (octet === CR) {
        this.#state = 'cr'
        continue
      }
      this.#state = 'text'
      if (octet === LF) {
        bare(LF)
        continue
      }
      content[filled++] = octet
      this.#lineOctets++
    }
    this.#eightBit ||= !isAscii(octets)
    if (this.#lineOctets > this.#longest) this.#tooLong = true
    return { content: content.subarray(0, filled), consumed: octets.length, ended: false }
  }

  #endLine(terminator: number): void {
    if (this.#lineOctets + terminator > this.#longest) this.#tooLong = true
    this.#lineOctets = 0
  }
}
