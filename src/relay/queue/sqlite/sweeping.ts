import type { Database, Statement } from 'better-sqlite3'

import type { Timeline } from './timeline.ts'

// A transaction of this many takes some milliseconds; submissions go on between two.
const PORTION = 200

/** Forgets messages that have ended, when nobody will ask about them any more. */
export class Sweeping {
  readonly #timeline: Timeline
  readonly #ended: Statement<[number, number], number>
  readonly #lifted: Statement<[number]>
  readonly #removals: readonly Statement<[number]>[]

  constructor(database: Database, timeline: Timeline) {
    this.#timeline = timeline
    // A range of message_ended.
    this.#ended = database
      .prepare<[number, number], number>(
        'select key from message where ended_at < ? and ended_at is not null order by ended_at limit ?',
      )
      .pluck()
    this.#lifted = database.prepare('delete from standing_hold where lifted_at < ?')
    this.#removals = [
      database.prepare('delete from recipient where message = ?'),
      database.prepare('delete from delivery where message = ?'),
      database.prepare('delete from message where key = ?'),
    ]
  }

  /** Takes part in a transaction. @returns how many were removed; 0 when none is left */
  portion(before: number): number {
    this.#lifted.run(before)
    const keys = this.#ended.all(before, PORTION)
    for (const key of keys) {
      this.#timeline.remove(key)
      for (const removal of this.#removals) removal.run(key)
    }
    return keys.length
  }
}
