/** A number of octets: of this thread, or of several together. */
export interface Tally {
  /** Adds, or takes away what is negative. @returns the sum of all */
  add(octets: number): number
}

class OwnTally implements Tally {
  #sum = 0

  add(octets: number): number {
    this.#sum += octets
    return this.#sum
  }
}

/** Octets of all sessions together that are in memory and not yet in the store. */
export class MemoryBudget {
  readonly #limit: number
  readonly #tally: Tally

  /** @param limit octets */
  constructor(limit: number, tally: Tally = new OwnTally()) {
    this.#limit = limit
    this.#tally = tally
  }

  get taken(): number {
    return this.#tally.add(0)
  }

  /** One session's part. */
  share(): MemoryShare {
    return new MemoryShare(octets => this.#add(octets))
  }

  #add(octets: number): boolean {
    if (this.#tally.add(octets) <= this.#limit || octets <= 0) return true
    this.#tally.add(-octets)
    return false
  }
}

/** What one session holds of the budget: for one message at a time. */
export class MemoryShare {
  readonly #add: (octets: number) => boolean
  #taken = 0
  #closed = false

  constructor(add: (octets: number) => boolean) {
    this.#add = add
  }

  /** @returns false if there is no room; then nothing was taken */
  take(octets: number): boolean {
    if (this.#closed || !this.#add(octets)) return false
    this.#taken += octets
    return true
  }

  /** A part, or all: the message is stored, refused or forgotten. Safe to call again. */
  giveBack(octets = this.#taken): void {
    const least = Math.min(octets, this.#taken)
    this.#add(-least)
    this.#taken -= least
  }

  /** The session has ended: what is still at work for it takes nothing that nobody would give back. */
  close(): void {
    this.giveBack()
    this.#closed = true
  }
}
