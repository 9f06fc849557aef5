import type { Database, Statement } from 'better-sqlite3'

import type { TimelineEntry } from '../store.ts'

/** What happened to each message, oldest first. */
export class Timeline {
  readonly #add: Statement
  readonly #of: Statement<[number], TimelineEntry>
  readonly #remove: Statement<[number]>

  constructor(database: Database) {
    this.#add = database.prepare(
      `insert into timeline (message, at, kind, domain, host, reply, tls, note) values (?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    // By timeline_message, whose entries end in the row's id: in the order of writing, whatever the clock did.
    this.#of = database.prepare(
      'select at, kind, domain, host, reply, tls, note from timeline where message = ? order by id',
    )
    this.#remove = database.prepare('delete from timeline where message = ?')
  }

  /** Takes part in a transaction. What is left out is ''. */
  add(message: number, entry: Partial<TimelineEntry> & Pick<TimelineEntry, 'at' | 'kind'>): void {
    const { at, kind, domain = '', host = '', reply = '', tls = '', note = '' } = entry
    this.#add.run(message, at, kind, domain, host, reply, tls, note)
  }

  of(message: number): readonly TimelineEntry[] {
    return this.#of.all(message)
  }

  /** Takes part in a transaction. */
  remove(message: number): void {
    this.#remove.run(message)
  }
}
