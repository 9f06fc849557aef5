import type { Lease, Reservation, Reserve } from '../store.ts'
import type { Destinations } from './destinations.ts'
import type { GroupCommit } from './group-commit.ts'
import type { Holds } from './holds.ts'

interface Parts {
  readonly group: GroupCommit
  readonly destinations: Destinations
  readonly holds: Holds
}

/**
 * Leases deliveries as they are put, to a runner that has a slot for them: a message that can go at once needs no second
 * transaction, and is in no index of what waits.
 */
export class Reserving {
  readonly #parts: Parts
  #reserve: Reserve | undefined

  constructor(parts: Parts) {
    this.#parts = parts
  }

  with(reserve: Reserve | undefined): void {
    this.#reserve = reserve
  }

  /** As `GroupCommit.run`, with the slots of one message: their leases begin with its commit. */
  async run<T>(work: (slots: ReservedSlots) => T): Promise<T> {
    // Asked at the time of the transaction: a runner that has started meanwhile has looked at the queue already, and does not
    // look again for what was put without it.
    const slots = new ReservedSlots(this.#parts, domain => this.#reserve?.(domain))
    try {
      const result = await this.#parts.group.run(() => {
        // The transaction may be done anew.
        slots.leave()
        return work(slots)
      })
      slots.begin()
      return result
    } catch (error) {
      slots.leave()
      throw error
    }
  }
}

/** The slots that are kept for the deliveries of one message. */
export class ReservedSlots {
  readonly #parts: Parts
  readonly #reserve: Reserve
  readonly #kept = new Map<string, { readonly reservation: Reservation; lease?: Lease }>()

  constructor(parts: Parts, reserve: Reserve) {
    this.#parts = parts
    this.#reserve = reserve
  }

  /**
   * Takes part in a transaction. Nobody is overtaken: where anything to the domain is due, it comes first.
   *
   * @returns when the lease is to end; undefined where the delivery has to wait
   */
  take(domain: string): number | undefined {
    const { destinations, holds } = this.#parts
    const reservation = this.#reserve(domain)
    if (reservation === undefined) return undefined
    if (holds.any() || destinations.waits(domain, reservation.at)) {
      reservation.leave()
      return undefined
    }
    this.#kept.set(domain, { reservation })
    return reservation.until
  }

  /** The delivery that a slot was taken for is there. */
  fill(lease: Lease): void {
    const kept = this.#kept.get(lease.domain)
    if (kept) kept.lease = lease
  }

  begin(): void {
    for (const { reservation, lease } of this.#kept.values()) {
      if (lease) reservation.begin(lease)
      else reservation.leave()
    }
    this.#kept.clear()
  }

  leave(): void {
    for (const { reservation } of this.#kept.values()) reservation.leave()
    this.#kept.clear()
  }
}
