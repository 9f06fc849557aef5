import { randomUUID } from 'node:crypto'

import type { Database, Statement } from 'better-sqlite3'

import { domainOf } from '../../../mail/envelope.ts'
import { sizeOf, type BodyContent } from '../body-files/body-file.ts'
import { fromNotify } from '../rows.ts'
import type { LeasedRecipient, NewMessage } from '../store.ts'
import type { Bodies } from './bodies.ts'
import type { Destinations } from './destinations.ts'
import type { ReservedSlots } from './reserving.ts'
import type { Timeline } from './timeline.ts'

interface Parts {
  readonly bodies: Bodies
  readonly destinations: Destinations
  readonly timeline: Timeline
}

/** Makes messages exist. */
export class Putting {
  readonly #parts: Parts
  readonly #message: Statement
  readonly #delivery: Statement<
    [number, string, string, string, string, number, number, string | null]
  >
  readonly #recipient: Statement

  constructor(database: Database, parts: Parts) {
    this.#parts = parts
    this.#message = database.prepare(
      `insert into message (id, reverse_path, eight_bit, smtputf8, ret, envid, login, accepted_at, message_id, size, body)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    // `or fail`: a statement that sets off triggers could otherwise be undone by itself, for which SQLite keeps a copy of
    // each page it touches. Who fails here undoes the transaction (`GroupCommit`).
    this.#delivery = database.prepare(
      `insert or fail into delivery (message, domain, login, state, kept, due_at, ready_at, token)
       values (?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#recipient = database.prepare(
      `insert into recipient (message, position, delivery, address, notify, orcpt, state)
       values (?, ?, ?, ?, ?, ?, 'queued')`,
    )
  }

  /** Takes part in a transaction. @param slots of a runner that may have some of the deliveries at once */
  put(message: NewMessage, content: BodyContent, slots?: ReservedSlots): void {
    const { id, envelope, login, acceptedAt, messageId, hold } = message
    const size = sizeOf(content)
    const body = this.#parts.bodies.store(content)
    const { reversePath, eightBit, smtputf8, ret = null, envid = null } = envelope
    const key = Number(
      this.#message.run(
        id,
        reversePath,
        eightBit ? 1 : 0,
        smtputf8 ? 1 : 0,
        ret,
        envid,
        login,
        acceptedAt,
        messageId,
        size,
        body,
      ).lastInsertRowid,
    )
    for (const [domain, recipients] of byDomain(envelope.recipients)) {
      const until = hold === undefined ? slots?.take(domain) : undefined
      const token = until === undefined ? null : randomUUID()
      const state = hold === undefined ? 'queued' : 'held'
      const { lastInsertRowid } = this.#delivery.run(
        key,
        domain,
        login,
        state,
        hold ?? '',
        acceptedAt,
        until ?? acceptedAt,
        token,
      )
      const delivery = Number(lastInsertRowid)
      for (const { index, address, notify, orcpt } of recipients) {
        this.#recipient.run(key, index, delivery, address, fromNotify(notify), orcpt ?? null)
      }
      if (until === undefined || token === null) {
        this.#parts.destinations.moved(domain)
        continue
      }
      slots?.fill({
        deliveryId: String(delivery),
        token,
        until,
        message: { id, envelope, login, acceptedAt, messageId, size },
        domain,
        recipients,
        attempts: 0,
        indeterminate: false,
        ...(!('name' in content) && { content }),
      })
    }
    const note = hold === undefined ? '' : `held: ${hold}`
    this.#parts.timeline.add(key, { at: acceptedAt, kind: 'accepted', note })
  }
}

/** Recipients that share a delivery, in the order in which their domains come. */
function byDomain(
  recipients: NewMessage['envelope']['recipients'],
): ReadonlyMap<string, readonly LeasedRecipient[]> {
  const groups = new Map<string, LeasedRecipient[]>()
  for (const [index, recipient] of recipients.entries()) {
    const domain = domainOf(recipient.address)
    const leased = { ...recipient, index, delayReported: false }
    const group = groups.get(domain)
    if (group) group.push(leased)
    else groups.set(domain, [leased])
  }
  return groups
}
