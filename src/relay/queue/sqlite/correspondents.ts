import { setImmediate as breathe } from 'node:timers/promises'

import type { Database, Statement } from 'better-sqlite3'

import { reading } from './failure.ts'

interface Row {
  readonly message: number
  readonly position: number
  readonly address: string
}

// A reading of this many takes some milliseconds; mail goes on between two.
const PORTION = 5_000

/** Everybody to whom something was sent, for as long as its record is kept. */
export class Correspondents {
  readonly #next: Statement<[number, number, number], Row>

  constructor(database: Database) {
    // A range of the primary key.
    this.#next = database.prepare(
      `select message, position, address from recipient
       where (message, position) > (?, ?) order by message, position limit ?`,
    )
  }

  /** The address of every recipient in every record, again and again where it is in several. */
  async *addresses(): AsyncGenerator<string> {
    let portion = this.#portion(undefined)
    while (portion.length > 0) {
      for (const { address } of portion) yield address
      await breathe()
      portion = this.#portion(portion.at(-1))
    }
  }

  /** @param after the last row of the portion before; undefined for the first */
  #portion(after: Row | undefined): readonly Row[] {
    return reading(() => this.#next.all(after?.message ?? -1, after?.position ?? -1, PORTION))
  }
}
