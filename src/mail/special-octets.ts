// Over a string one expression is three times as fast as a search for the end of each line.
const SPECIAL = /\r(?!\n)|(?<!\r)\n|(?<=\n)\./g
// A string of this size is garbage that the collector does not notice.
const WINDOW = 32_768

/**
 * Finds what in content is neither text nor a line end: a bare CR or LF, and a dot behind an LF. A CR that comes last counts as
 * bare, and of what stands before the first octet nothing is known.
 */
export class SpecialOctets {
  readonly #octets: Buffer
  /** Of a part of the octets, with one more on either side: those decide whether what is at its edges is special. */
  #text = ''
  #begin = 0
  #end = 0

  constructor(octets: Buffer) {
    this.#octets = octets
  }

  /** @returns where the next one is, from `from` on; the number of octets if there is none. Must not go back */
  next(from: number): number {
    for (let at = from; at < this.#octets.length; at = this.#end) {
      if (at >= this.#end) this.#read(at)
      SPECIAL.lastIndex = at - this.#begin
      // Behind what it has found, which is one octet; an object that says where would cost more than the search.
      if (!SPECIAL.test(this.#text)) continue
      const special = this.#begin + SPECIAL.lastIndex - 1
      if (special < this.#end) return special
    }
    return this.#octets.length
  }

  #read(at: number): void {
    this.#begin = Math.max(at - 1, 0)
    this.#end = at + WINDOW
    this.#text = this.#octets.toString('latin1', this.#begin, this.#end + 1)
  }
}
