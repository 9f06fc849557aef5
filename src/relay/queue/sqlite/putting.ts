import type { Database, Statement } from 'better-sqlite3'

import { domainOf } from '../../../mail/envelope.ts'
import { fromNotify } from '../rows.ts'
import type { NewMessage } from '../store.ts'
import type { Destinations } from './destinations.ts'
import type { Timeline } from './timeline.ts'

/** Makes messages exist. */
export class Putting {
  readonly #destinations: Destinations
  readonly #timeline: Timeline
  readonly #message: Statement
  readonly #delivery: Statement<[number, string, string, string, string, number, number]>
  readonly #recipient: Statement

  constructor(database: Database, destinations: Destinations, timeline: Timeline) {
    this.#destinations = destinations
    this.#timeline = timeline
    this.#message = database.prepare(
      `insert into message (id, reverse_path, eight_bit, smtputf8, ret, envid, login, accepted_at, message_id, size, body)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    // `or fail`: a statement that sets off triggers could otherwise be undone by itself, for which SQLite keeps a copy of
    // each page it touches. Who fails here undoes the transaction (`GroupCommit`).
    this.#delivery = database.prepare(
      `insert or fail into delivery (message, domain, login, state, kept, due_at, ready_at)
       values (?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#recipient = database.prepare(
      `insert into recipient (message, position, delivery, address, notify, orcpt, state)
       values (?, ?, ?, ?, ?, ?, 'queued')`,
    )
  }

  /** Takes part in a transaction, after the body has been written in it. */
  put(message: NewMessage, body: number, size: number): void {
    const { envelope, acceptedAt, hold, login } = message
    const key = Number(
      this.#message.run(
        message.id,
        envelope.reversePath,
        envelope.eightBit ? 1 : 0,
        envelope.smtputf8 ? 1 : 0,
        envelope.ret ?? null,
        envelope.envid ?? null,
        login,
        acceptedAt,
        message.messageId,
        size,
        body,
      ).lastInsertRowid,
    )
    const deliveries = new Map<string, number>()
    for (const [position, recipient] of envelope.recipients.entries()) {
      const domain = domainOf(recipient.address)
      let delivery = deliveries.get(domain)
      if (delivery === undefined) {
        const state = hold === undefined ? 'queued' : 'held'
        const kept = hold ?? ''
        delivery = Number(
          this.#delivery.run(key, domain, login, state, kept, acceptedAt, acceptedAt)
            .lastInsertRowid,
        )
        deliveries.set(domain, delivery)
        this.#destinations.moved(domain)
      }
      const { address, notify, orcpt } = recipient
      this.#recipient.run(key, position, delivery, address, fromNotify(notify), orcpt ?? null)
    }
    const note = hold === undefined ? '' : `held: ${hold}`
    this.#timeline.add(key, { at: acceptedAt, kind: 'accepted', note })
  }
}
