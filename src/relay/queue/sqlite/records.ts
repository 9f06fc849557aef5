import type { Database, Statement } from 'better-sqlite3'

import { formatReply } from '../../../mail/reply.ts'
import { names, titleOf } from '../standing.ts'
import type { MessageRecord, QueueCounts, TimelineEntry } from '../store.ts'
import type { HoldRow, Holds } from './holds.ts'
import { toMessage, toReply, type MessageRow, type RecipientRow } from './rows.ts'
import type { Timeline } from './timeline.ts'
import { keptBy } from './waiting.ts'

export interface KnownRecipient extends RecipientRow {
  readonly domain: string
  readonly delivery_state: 'queued' | 'held' | 'ended'
  readonly kept: string
  readonly token: string | null
  readonly due_at: number
  readonly attempts: number
}

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
  readonly #activeHeld: Statement<[], number>
  readonly #oldest: Statement<[], number>

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
    this.#activeHeld = database
      .prepare<[], number>(
        `select count(*) from delivery join lane using (domain, login)
         where token is not null and held = 1`,
      )
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
    const kept = this.#holds.everything()
      ? waiting
      : (this.#lanesHeld.get() ?? 0) - (this.#activeHeld.get() ?? 0)
    return {
      queued: waiting - kept,
      active,
      held: (amounts.get('held') ?? 0) + kept,
      oldestAt: this.#oldest.get(),
    }
  }
}

/** Everything that is known of a message. @param holds those that stand, and those that stood, oldest first */
export function recordOf(
  row: MessageRow,
  recipients: readonly KnownRecipient[],
  timeline: readonly TimelineEntry[],
  holds: readonly HoldRow[],
): MessageRecord {
  const standing = holds.filter(({ lifted_at }) => lifted_at === null)
  const domains = new Set(recipients.map(({ domain }) => domain))
  const concerning = holds.filter(hold => [...domains].some(to => names(hold, to, row.login)))
  return {
    message: toMessage(row, recipients),
    recipients: recipients.map(recipient => {
      const { delivery_state: state, domain, kept, token } = recipient
      const why = keptBy({ state, domain, kept, login: row.login }, standing)
      const waits = recipient.state === 'queued'
      const active = waits && token !== null
      const held = waits && !active && why !== ''
      return {
        address: recipient.address,
        state: held ? 'held' : recipient.state,
        dueAt: recipient.due_at,
        attempts: recipient.attempts,
        lastReply: recipient.last_reply === null ? '' : formatReply(toReply(recipient.last_reply)),
        lastHost: recipient.last_host,
        ...(active && { active }),
        ...(held && { kept: why }),
      }
    }),
    timeline: withHolds(timeline, concerning, row),
  }
}

/** What operators said of all mail of a kind is part of the life of each message that it concerned. */
function withHolds(
  timeline: readonly TimelineEntry[],
  holds: readonly HoldRow[],
  { accepted_at, ended_at }: MessageRow,
): readonly TimelineEntry[] {
  const entries = [...timeline]
  const add = (at: number | null, hold: HoldRow, note: string): void => {
    if (at === null || at < accepted_at || at > (ended_at ?? Infinity)) return
    const domain = hold.kind === 'destination' ? hold.value : ''
    const place = entries.findIndex(entry => entry.at > at)
    const entry = { at, kind: 'operator', domain, host: '', reply: '', tls: '', note } as const
    entries.splice(place < 0 ? entries.length : place, 0, entry)
  }
  for (const hold of holds) {
    add(hold.set_at, hold, `${titleOf(hold)} set by ${hold.set_by}`)
    add(hold.lifted_at, hold, `${titleOf(hold)} lifted by ${hold.lifted_by}`)
  }
  return entries
}
