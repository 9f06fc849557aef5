import { randomUUID } from 'node:crypto'

import type { Database, Statement } from 'better-sqlite3'

import { toLeased, toMessage, type MessageRow, type RecipientRow } from '../rows.ts'
import type { Lease, LeaseRequest } from '../store.ts'
import type { Destinations } from './destinations.ts'
import type { Holds } from './holds.ts'

interface DueRow {
  readonly id: number
  readonly message: number
  readonly ready_at: number
  readonly attempts: number
  readonly indeterminate: number
}

/** Gives out deliveries to attempt, and takes them back. */
export class Leasing {
  readonly #destinations: Destinations
  readonly #holds: Holds
  readonly #due: Statement<[string, number, number], DueRow>
  readonly #dueOfLane: Statement<[string, string, number, number], DueRow>
  readonly #take: Statement<[string, number, number]>
  readonly #giveBack: Statement<[number, number, number, string]>
  readonly #message: Statement<[number], MessageRow>
  readonly #recipients: Statement<[number], RecipientRow>
  readonly #leased: Statement<[number], { id: number; domain: string }>
  readonly #nextExpiry: Statement<[string], number>
  readonly #release: Statement<[number]>

  constructor(database: Database, destinations: Destinations, holds: Holds) {
    this.#destinations = destinations
    this.#holds = holds
    // `+?`, here and elsewhere: a plan that hangs on the value of a bare `?` is made anew by every run of the statement,
    // which costs more than the run.
    // A range of delivery_ready: the domain's entries up to `now`, in order.
    this.#due = database.prepare(
      `select id, message, ready_at, attempts, indeterminate from delivery
       where domain = +? and state = 'queued' and token is null and ready_at <= ?
       order by ready_at limit +?`,
    )
    // The same of delivery_lane.
    this.#dueOfLane = database.prepare(
      `select id, message, ready_at, attempts, indeterminate from delivery
       where domain = +? and login = +? and state = 'queued' and token is null and ready_at <= ?
       order by ready_at limit +?`,
    )
    // `or fail`, here and elsewhere: see `Putting`.
    this.#take = database.prepare(
      'update or fail delivery set token = ?, ready_at = ? where id = ?',
    )
    this.#giveBack = database.prepare(
      'update or fail delivery set token = null, due_at = ?, ready_at = ? where id = ? and token = ?',
    )
    this.#message = database.prepare('select * from message where key = ?')
    this.#recipients = database.prepare(
      'select * from recipient where message = +? order by position',
    )
    // Along delivery_leased.
    this.#leased = database.prepare(
      'select id, domain from delivery where token is not null and ready_at <= ?',
    )
    this.#nextExpiry = database
      .prepare<[string], number>(
        `select ready_at from delivery
         where token is not null and domain not in (select value from json_each(?))
         order by ready_at limit 1`,
      )
      .pluck()
    this.#release = database.prepare(
      'update or fail delivery set token = null, ready_at = due_at, indeterminate = 1 where id = ?',
    )
  }

  /** Takes part in a transaction. Whatever a standing hold names stays where it is. */
  lease(request: LeaseRequest): readonly Lease[] {
    const { now, until, limit, perDomain, running } = request
    this.release(now)
    if (this.#holds.everything()) return []
    this.#destinations.catchUp()
    const full = [...running].filter(([, n]) => n >= perDomain).map(([domain]) => domain)
    const leases: Lease[] = []
    for (const domain of this.#destinations.ready(now, full, limit)) {
      const room = Math.min(perDomain - (running.get(domain) ?? 0), limit - leases.length)
      if (room <= 0) break
      for (const row of this.#dueTo(domain, now, room)) {
        leases.push(this.#leaseOne(row, domain, until))
      }
      this.#destinations.moved(domain)
    }
    return leases
  }

  /** The oldest of a domain that no hold keeps back. What is held is not even looked at, however much it is. */
  #dueTo(domain: string, now: number, room: number): readonly DueRow[] {
    const lanes = this.#destinations.besidesHeld(domain)
    if (lanes === undefined) return this.#due.all(domain, now, room)
    let rows: readonly DueRow[] = []
    for (const { login, ready_at } of lanes) {
      if (ready_at > (rows[room - 1]?.ready_at ?? now)) break
      const more = this.#dueOfLane.all(domain, login, now, room)
      rows = [...rows, ...more].toSorted((a, b) => a.ready_at - b.ready_at).slice(0, room)
    }
    return rows
  }

  /** Takes part in a transaction. Nothing if the lease was lost. */
  giveBack(lease: Lease, dueAt: number): void {
    this.#giveBack.run(dueAt, dueAt, Number(lease.deliveryId), lease.token)
    this.#destinations.moved(lease.domain)
  }

  /**
   * Takes part in a transaction. Ends the leases that have expired, or all: those of a process that is dead. What their
   * attempts came to nobody knows, so the next ones may be second copies.
   */
  release(now: number): void {
    for (const { id, domain } of this.#leased.all(now)) {
      this.#release.run(id)
      this.#destinations.moved(domain)
    }
  }

  /** When the next lease expires of a domain that is not among these. */
  nextExpiry(except: readonly string[]): number | undefined {
    return this.#nextExpiry.get(JSON.stringify(except))
  }

  #leaseOne(row: DueRow, domain: string, until: number): Lease {
    const token = randomUUID()
    this.#take.run(token, until, row.id)
    const message = this.#message.get(row.message)
    if (message === undefined) throw new Error(`delivery ${row.id} has no message`)
    const recipients = this.#recipients.all(row.message)
    return {
      deliveryId: String(row.id),
      token,
      until,
      message: toMessage(message, recipients),
      domain,
      recipients: recipients
        .filter(({ delivery, state }) => delivery === row.id && state === 'queued')
        .map(toLeased),
      attempts: row.attempts,
      indeterminate: row.indeterminate === 1,
    }
  }
}
