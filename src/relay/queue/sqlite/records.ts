import type { Database, Statement } from 'better-sqlite3'

import { REFUSED_SEEN, type RefusedMail } from '../queue-of-login.ts'
import { recordOf, type KnownRecipient } from '../record.ts'
import { toRefused, type MessageRow, type RefusedRow } from '../rows.ts'
import type { MessageRecord, QueueCounts } from '../store.ts'
import type { Holds } from './holds.ts'
import type { Timeline } from './timeline.ts'

/** Answers questions; changes nothing. */
export class Records {
  readonly #timeline: Timeline
  readonly #holds: Holds
  readonly #byId: Statement<[string], MessageRow>
  readonly #byHeader: Statement<[string], MessageRow>
  readonly #recipients: Statement<[number], KnownRecipient>
  readonly #tally: Statement<[], { state: string; amount: number }>
  readonly #active: Statement<[], number>
  readonly #lanesHeld: Statement<[], number>
  readonly #oldest: Statement<[], number | null>
  readonly #refused: Statement<[string, number, number], RefusedRow>

  constructor(database: Database, timeline: Timeline, holds: Holds) {
    this.#timeline = timeline
    this.#holds = holds
    this.#byId = database.prepare('select * from message where id = ?')
    // By message_header, whose entries end in the row's key.
    this.#byHeader = database.prepare(
      `select * from message where message_id = ? and message_id <> '' order by key desc limit 1`,
    )
    this.#recipients = database.prepare(
      `select recipient.*, domain, delivery.state as delivery_state, kept, token, due_at, attempts
       from recipient join delivery on delivery.id = recipient.delivery
       where recipient.message = ? order by position`,
    )
    this.#tally = database.prepare('select state, amount from tally')
    // Over delivery_leased, which has only what is being attempted: some hundred rows at most.
    this.#active = database
      .prepare<[], number>('select count(*) from delivery where token is not null')
      .pluck()
    // Over lane_held, which has only what a standing hold keeps back.
    this.#lanesHeld = database
      .prepare<[], number>('select total(queued) from lane where held = 1')
      .pluck()
    // The first entry of delivery_alive, and the few of delivery_leased.
    this.#oldest = database
      .prepare<[], number | null>(
        `select min(accepted_at) from message where key = (
           select message from delivery indexed by delivery_alive
           where state <> 'ended' and token is null order by id limit 1)
         or key in (select message from delivery where token is not null)`,
      )
      .pluck()
    // Backwards over recipient_refused, which has only what was refused and is still remembered.
    this.#refused = database.prepare(
      `select id, accepted_at, address, last_reply, last_host
       from recipient join message on key = recipient.message
       where state = 'bounced' and login = ?
         and recipient.message > (select max(key) from message) - ?
       order by recipient.message desc limit ?`,
    )
  }

  refused(login: string, limit: number): RefusedMail[] {
    return this.#refused.all(login, REFUSED_SEEN, limit).map(toRefused)
  }

  message(id: string): MessageRow | undefined {
    return id.startsWith('<') ? this.#byHeader.get(id) : this.#byId.get(id)
  }

  find(id: string): MessageRecord | undefined {
    const row = this.message(id)
    return row === undefined ? undefined : this.#record(row)
  }

  #record(row: MessageRow): MessageRecord {
    return recordOf(
      row,
      this.#recipients.all(row.key),
      this.#timeline.of(row.key),
      this.#holds.all(),
    )
  }

  counts(): QueueCounts {
    const amounts = new Map(this.#tally.all().map(({ state, amount }) => [state, amount]))
    const active = this.#active.get() ?? 0
    const waiting = (amounts.get('queued') ?? 0) - active
    const kept = this.#holds.everything() ? waiting : (this.#lanesHeld.get() ?? 0)
    return {
      queued: waiting - kept,
      active,
      held: (amounts.get('held') ?? 0) + kept,
      oldestAt: this.#oldest.get() ?? undefined,
    }
  }
}
