import type { Database, Statement } from 'better-sqlite3'

import { entriesOf } from '../entries.ts'
import type { Lease, Settlement } from '../store.ts'
import type { Bodies } from './bodies.ts'
import type { Destinations } from './destinations.ts'
import type { Putting } from './putting.ts'
import type { Timeline } from './timeline.ts'

interface Parts {
  readonly bodies: Bodies
  readonly destinations: Destinations
  readonly putting: Putting
  readonly timeline: Timeline
}

/** Records what an attempt came to: recipients, delivery, timeline, reports and the end of the body, all or nothing. */
export class Settling {
  readonly #parts: Parts
  readonly #held: Statement<[number, string], number>
  readonly #recipient: Statement
  readonly #left: Statement<[number, number], number>
  readonly #again: Statement<[number, number, number, number]>
  readonly #end: Statement<[number, number]>
  readonly #alive: Statement<[number], number>
  readonly #body: Statement<[number], number | null>
  readonly #endMessage: Statement<[number, number]>

  constructor(database: Database, parts: Parts) {
    this.#parts = parts
    this.#held = database
      .prepare<[number, string], number>('select message from delivery where id = ? and token = ?')
      .pluck()
    this.#recipient = database.prepare(
      `update recipient set state = ?, delay_reported = ?, last_reply = ?, last_host = ?
       where message = ? and position = ? and delivery = ? and state = 'queued'`,
    )
    // Along the primary key of recipient: the hundred of one message at most.
    this.#left = database
      .prepare<[number, number], number>(
        `select 1 from recipient where message = ? and delivery = ? and state = 'queued' limit 1`,
      )
      .pluck()
    // `or fail`: see `Putting`.
    this.#again = database.prepare(
      `update or fail delivery set token = null, due_at = ?, ready_at = ?, attempts = attempts + 1,
         indeterminate = max(indeterminate, ?) where id = ?`,
    )
    this.#end = database.prepare(
      `update or fail delivery set state = 'ended', token = null, due_at = ?, attempts = attempts + 1 where id = ?`,
    )
    this.#alive = database
      .prepare<[number], number>(
        `select 1 from delivery where message = ? and state <> 'ended' limit 1`,
      )
      .pluck()
    this.#body = database
      .prepare<[number], number | null>('select body from message where key = ?')
      .pluck()
    this.#endMessage = database.prepare(
      'update message set ended_at = ?, body = null where key = ?',
    )
  }

  /** Takes part in a transaction. @returns false, with nothing done, if the lease was lost */
  settle(lease: Lease, settlement: Settlement): boolean {
    const delivery = Number(lease.deliveryId)
    const message = this.#held.get(delivery, lease.token)
    if (message === undefined) return false
    for (const { index, outcome, next, delayReported } of settlement.results) {
      const reply = JSON.stringify(outcome.reply)
      const delay = delayReported ? 1 : 0
      this.#recipient.run(next, delay, reply, outcome.host, message, index, delivery)
    }
    for (const entry of entriesOf(lease, settlement)) this.#parts.timeline.add(message, entry)
    if (this.#left.get(message, delivery) === undefined) {
      this.#end.run(settlement.at, delivery)
      this.endIfDone(message, settlement.at)
    } else {
      const lost = settlement.results.some(
        ({ outcome }) => outcome.kind === 'deferred' && outcome.indeterminate,
      )
      this.#again.run(settlement.dueAt, settlement.dueAt, lost ? 1 : 0, delivery)
      this.#parts.destinations.moved(lease.domain)
    }
    for (const report of settlement.reports) this.#putReport(message, settlement.at, report)
    return true
  }

  /** Takes part in a transaction. A message with nothing left to do ends, and its body goes at once. */
  endIfDone(message: number, at: number): void {
    if (this.#alive.get(message) !== undefined) return
    const body = this.#body.get(message)
    this.#endMessage.run(at, message)
    if (typeof body === 'number') this.#parts.bodies.remove(body)
  }

  #putReport(about: number, at: number, report: Settlement['reports'][number]): void {
    const { putting, timeline } = this.#parts
    putting.put(report.message, report.body)
    timeline.add(about, { at, kind: 'report', note: `report ${report.message.id} queued` })
  }
}
