const CR = 0x0d
const LF = 0x0a
const DOT = 0x2e

const CRLF = Buffer.from('\r\n')
const STUFFED = Buffer.from('.')

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
    const pieces: Uint8Array[] = []
    const octets = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
    let from = 0
    /** Up to here no whole line with nothing to change begins. */
    let special = 0
    for (let i = 0; i < chunk.length; i++) {
      const octet = chunk[i]
      if (i >= special && !this.#afterCr && !(this.#atLineStart && octet === DOT)) {
        const end = octets.indexOf(LF, i)
        if (end > i && octets.indexOf(CR, i) === end - 1) {
          this.#atLineStart = true
          i = end
          continue
        }
        special = end < 0 ? chunk.length : end + 1
      }
      if (this.#afterCr) {
        this.#afterCr = false
        this.#atLineStart = true
        if (octet === LF) continue
        pieces.push(chunk.subarray(from, i), CRLF.subarray(1))
        from = i
      }
      if (octet === CR) {
        this.#afterCr = true
      } else if (octet === LF) {
        pieces.push(chunk.subarray(from, i), CRLF)
        from = i + 1
        this.#atLineStart = true
      } else {
        if (octet === DOT && this.#atLineStart) {
          pieces.push(chunk.subarray(from, i), STUFFED)
          from = i
        }
        this.#atLineStart = false
      }
    }
    if (pieces.length === 0) return chunk
    pieces.push(chunk.subarray(from))
    return Buffer.concat(pieces)
  }

  /** @returns the terminator, with the line end that the last line may lack */
  end(): Uint8Array {
    if (this.#afterCr) return Buffer.from('\n.\r\n')
    return Buffer.from(this.#atLineStart ? '.\r\n' : '\r\n.\r\n')
  }
}
