import type { Database, Statement } from 'better-sqlite3'

import { formatReply } from '../../../mail/reply.ts'
import type { MessageRecord, QueueCounts } from '../store.ts'
import { toMessage, toReply, type MessageRow, type RecipientRow } from './rows.ts'
import type { Timeline } from './timeline.ts'

interface KnownRecipient extends RecipientRow {
  readonly held: number
  readonly due_at: number
  readonly attempts: number
}

/** Answers questions; changes nothing. */
export class Records {
  readonly #timeline: Timeline
  readonly #byId: Statement<[string], MessageRow>
  readonly #byHeader: Statement<[string], MessageRow>
  readonly #alive: Statement<[number, number, number], MessageRow>
  readonly #recipients: Statement<[number], KnownRecipient>
  readonly #tally: Statement<[], { state: string; amount: number }>
  readonly #active: Statement<[], number>
  readonly #oldest: Statement<[], number>

  constructor(database: Database, timeline: Timeline) {
    this.#timeline = timeline
    this.#byId = database.prepare('select * from message where id = ?')
    // By message_header, whose entries end in the row's key.
    this.#byHeader = database.prepare(
      `select * from message where message_id = ? and message_id <> '' order by key desc limit 1`,
    )
    // A range of message_alive, whose entries end in the row's key.
    this.#alive = database.prepare(
      `select * from message where ended_at is null and (accepted_at, key) > (?, ?)
       order by accepted_at, key limit ?`,
    )
    this.#recipients = database.prepare(
      `select recipient.*, delivery.state = 'held' as held, due_at, attempts
       from recipient join delivery on delivery.id = recipient.delivery
       where recipient.message = ? order by position`,
    )
    this.#tally = database.prepare('select state, amount from tally')
    // Over delivery_leased, which has only what is being attempted: some hundred rows at most.
    this.#active = database
      .prepare<[], number>('select count(*) from delivery where token is not null')
      .pluck()
    // The first entry of message_alive.
    this.#oldest = database
      .prepare<[], number>(
        'select accepted_at from message where ended_at is null order by accepted_at limit 1',
      )
      .pluck()
  }

  message(id: string): MessageRow | undefined {
    return id.startsWith('<') ? this.#byHeader.get(id) : this.#byId.get(id)
  }

  find(id: string): MessageRecord | undefined {
    const row = this.message(id)
    return row === undefined ? undefined : this.#record(row)
  }

  /** Messages that have not ended, oldest first, behind the message `after`. */
  list(limit: number, after: string): readonly MessageRecord[] {
    const last = this.message(after)
    const rows = this.#alive.all(last?.accepted_at ?? -1, last?.key ?? 0, limit)
    return rows.map(row => this.#record(row))
  }

  #record(row: MessageRow): MessageRecord {
    const recipients = this.#recipients.all(row.key)
    return {
      message: toMessage(row, recipients),
      recipients: recipients.map(recipient => ({
        address: recipient.address,
        state: recipient.state === 'queued' && recipient.held === 1 ? 'held' : recipient.state,
        dueAt: recipient.due_at,
        attempts: recipient.attempts,
        lastReply: recipient.last_reply === null ? '' : formatReply(toReply(recipient.last_reply)),
        lastHost: recipient.last_host,
      })),
      timeline: this.#timeline.of(row.key),
    }
  }

  counts(): QueueCounts {
    const amounts = new Map(this.#tally.all().map(({ state, amount }) => [state, amount]))
    const active = this.#active.get() ?? 0
    return {
      queued: (amounts.get('queued') ?? 0) - active,
      active,
      held: amounts.get('held') ?? 0,
      oldestAt: this.#oldest.get(),
    }
  }
}
