/** Octets of all sessions together that are in memory and not yet in the store. */
export class MemoryBudget {
  readonly #limit: number
  #taken = 0

  /** @param limit octets */
  constructor(limit: number) {
    this.#limit = limit
  }

  get taken(): number {
    return this.#taken
  }

  /** One session's part. */
  share(): MemoryShare {
    return new MemoryShare(octets => this.#add(octets))
  }

  #add(octets: number): boolean {
    if (octets > 0 && this.#taken + octets > this.#limit) return false
    this.#taken += octets
    return true
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
