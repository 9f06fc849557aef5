import type { Database, Statement } from 'better-sqlite3'

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

  /** @param after the last row of the portion before; undefined for the first */
  portion(after: Row | undefined): readonly Row[] {
    return this.#next.all(after?.message ?? -1, after?.position ?? -1, PORTION)
  }
}
