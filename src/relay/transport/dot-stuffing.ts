import { SpecialOctets } from '../../mail/special-octets.ts'

const CR = 0x0d
const LF = 0x0a
const DOT = 0x2e

const CR_ALONE = Buffer.from('\r')
const LF_ALONE = Buffer.from('\n')
const DOT_ALONE = Buffer.from('.')

/**
 * Makes a body fit for DATA (RFC 5321 section 4.5.2): a dot that begins a line is doubled, and the end gets the one
 * terminator that ends data everywhere.
 *
 * A bare CR or LF leaves as CRLF, although our own intake refuses them: section 2.3.8 forbids sending one, and
 * `LF . CR LF` in a body would end the message for a sloppy receiver and let the rest speak as commands.
 */
export class DotStuffer {
  #atLineStart = true
  #afterCr = false

  /** @returns what to send for this chunk; the chunk itself, uncopied, where nothing is to be changed */
  push(chunk: Uint8Array): Uint8Array {
    const octets = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
    const [first] = octets
    if (first === undefined) return chunk
    const pieces: Uint8Array[] = []
    let from = 0
    const insert = (octet: Uint8Array, before: number): void => {
      pieces.push(octets.subarray(from, before), octet)
      from = before
    }
    if (this.#afterCr && first !== LF) insert(LF_ALONE, 0)
    if ((this.#afterCr || this.#atLineStart) && first === DOT) insert(DOT_ALONE, 0)
    const specials = new SpecialOctets(octets)
    // The LF of a CRLF that was cut in two is none that is bare.
    let at = specials.next(this.#afterCr && first === LF ? 1 : 0)
    for (; at < octets.length; at = specials.next(at + 1)) {
      if (octets[at] === DOT) insert(DOT_ALONE, at)
      else if (octets[at] === LF) insert(CR_ALONE, at)
      else if (at + 1 < octets.length) {
        insert(LF_ALONE, at + 1)
        if (octets[at + 1] === DOT) insert(DOT_ALONE, at + 1)
      }
    }
    this.#atLineStart = octets.at(-1) === LF
    this.#afterCr = octets.at(-1) === CR
    if (pieces.length === 0) return chunk
    pieces.push(octets.subarray(from))
    return Buffer.concat(pieces)
  }

  /** @returns the terminator, with the line end that the last line may lack */
  end(): Uint8Array {
    if (this.#afterCr) return Buffer.from('\n.\r\n')
    return Buffer.from(this.#atLineStart ? '.\r\n' : '\r\n.\r\n')
  }
}
