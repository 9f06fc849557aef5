import { MINUTE, type Clock } from '../../base/clock.ts'

// A network beyond these has to wait with the others: memory has an end.
const MOST_NETWORKS = 10_000

/** How often each network may have something in a minute of the clock. */
export class Allowance {
  readonly #most: number
  readonly #clock: Clock
  readonly #taken = new Map<string, number>()
  #minute = 0

  constructor(most: number, clock: Clock) {
    this.#most = most
    this.#clock = clock
  }

  /** @returns false where this network has had its share */
  take(network: string): boolean {
    const minute = Math.floor(this.#clock() / MINUTE)
    if (minute !== this.#minute) {
      this.#minute = minute
      this.#taken.clear()
    }
    const key = this.#taken.has(network) || this.#taken.size < MOST_NETWORKS ? network : 'others'
    const taken = this.#taken.get(key) ?? 0
    if (taken >= this.#most) return false
    this.#taken.set(key, taken + 1)
    return true
  }
}
