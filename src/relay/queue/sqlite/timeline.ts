import type { Database, Statement } from 'better-sqlite3'

import type { TimelineEntry } from '../store.ts'

interface TimelineRow extends Omit<TimelineEntry, 'recipients'> {
  /** A list of positions as JSON. */
  readonly recipients: string | null
}

/** What happened to each message, oldest first. */
export class Timeline {
  readonly #add: Statement
  readonly #of: Statement<[number], TimelineRow>
  readonly #remove: Statement<[number]>

  constructor(database: Database) {
    this.#add = database.prepare(
      `insert into timeline (message, at, kind, domain, host, reply, tls, note, recipients)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    // By timeline_message, whose entries end in the row's id: in the order of writing, whatever the clock did.
    this.#of = database.prepare(
      `select at, kind, domain, host, reply, tls, note, recipients from timeline
       where message = ? order by id`,
    )
    this.#remove = database.prepare('delete from timeline where message = ?')
  }

  /** Takes part in a transaction. What is left out is ''. */
  add(message: number, entry: Partial<TimelineEntry> & Pick<TimelineEntry, 'at' | 'kind'>): void {
    const { at, kind, domain = '', host = '', reply = '', tls = '', note = '' } = entry
    const recipients = entry.recipients && JSON.stringify(entry.recipients)
    this.#add.run(message, at, kind, domain, host, reply, tls, note, recipients ?? null)
  }

  of(message: number): readonly TimelineEntry[] {
    return this.#of.all(message).map(({ recipients, ...entry }) => ({
      ...entry,
      ...(recipients !== null && { recipients: JSON.parse(recipients) as readonly number[] }),
    }))
  }

  /** Takes part in a transaction. */
  remove(message: number): void {
    this.#remove.run(message)
  }
}
