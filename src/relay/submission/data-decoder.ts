import { isAscii } from 'node:buffer'

const LF = 10
const CR = 13
const DOT = 46

/** Where in the dialogue of RFC 5321 section 4.5.2 the next octet stands. What is held back is part of the name. */
type State = 'line' | 'dot' | 'dot-cr' | 'text' | 'cr'

interface Decoded {
  /** Content in its final form; empty where the chunk held none. */
  readonly content: Buffer
  /** Octets of the chunk that belong to the message, its end included. */
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
  #state: State = 'line'
  #lineOctets = 0
  #longestLine = 0
  #bareNewlines = 0
  #eightBit = false

  /** @param options normalise: a bare CR or LF becomes CRLF; otherwise it stays as it is and is only counted */
  constructor(options: { readonly normalise: boolean }) {
    this.#normalise = options.normalise
  }

  /** Bare CRs and LFs met so far. */
  get bareNewlines(): number {
    return this.#bareNewlines
  }

  /** Whether an octet above 127 has been met (RFC 6152). */
  get eightBit(): boolean {
    return this.#eightBit
  }

  /** Octets of the longest line, its CRLF included and its stuffing dot not (RFC 5321 section 4.5.3.1.6). */
  get longestLine(): number {
    return this.#longestLine
  }

  /** @param chunk the next octets from the client, of any number; must not be called again after the end */
  feed(chunk: Uint8Array): Decoded {
    // Held back are at most two octets, and only a bare newline makes more of one.
    const content = Buffer.allocUnsafe((chunk.length + 2) * (this.#normalise ? 2 : 1))
    const octets = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
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

    for (let i = 0; i < chunk.length; i++) {
      const octet = chunk[i] ?? 0
      if (i >= special && (this.#state === 'text' || (this.#state === 'line' && octet !== DOT))) {
        const end = octets.indexOf(LF, i)
        if (end > i && octets.indexOf(CR, i) === end - 1) {
          // As nearly all of a message is: searched and copied at the speed of memory.
          filled += octets.copy(content, filled, i, end + 1)
          this.#lineOctets += end - 1 - i
          this.#endLine(2)
          this.#state = 'line'
          i = end
          continue
        }
        special = end < 0 ? chunk.length : end + 1
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
    if (this.#lineOctets > this.#longestLine) this.#longestLine = this.#lineOctets
    return { content: content.subarray(0, filled), consumed: chunk.length, ended: false }
  }

  #endLine(terminator: number): void {
    const octets = this.#lineOctets + terminator
    if (octets > this.#longestLine) this.#longestLine = octets
    this.#lineOctets = 0
  }
}
