import type { Database, Statement } from 'better-sqlite3'

import type { BodyWriter } from '../store.ts'
import { reading } from './failure.ts'
import type { GroupCommit } from './group-commit.ts'

/** Octets that a body holds in memory before they are written. */
export const CHUNK = 64 * 1024
// Of one row at most, which one read fetches: what was kept, and what made it too much, together.
const ROW = 2 * CHUNK

interface ChunkRow {
  readonly id: number
  readonly data: Buffer
}

/**
 * Bodies in pieces. A body that fits into one piece, as nearly all do, is written by the transaction that makes its
 * message exist; of a larger one the first pieces go ahead, noted in loose_body until the message comes.
 *
 * Methods that take part in a transaction of the caller say so; they must run inside `GroupCommit.run`.
 */
export class Bodies {
  readonly #database: Database
  readonly #group: GroupCommit
  readonly #insert: Statement<[number, Buffer]>
  readonly #remove: Statement<[number]>
  readonly #next: Statement<[number, number], ChunkRow>
  readonly #note: Statement<[number]>
  readonly #forget: Statement<[number]>
  readonly #open = new Set<number>()
  #lastId: number

  constructor(database: Database, group: GroupCommit) {
    this.#database = database
    this.#group = group
    this.#insert = database.prepare('insert into chunk (body, data) values (?, ?)')
    this.#remove = database.prepare('delete from chunk where body = ?')
    // By chunk_body, whose entries end in the row's id: one step in the index for each piece, no sorting.
    this.#next = database.prepare(
      'select id, data from chunk where body = +? and id > ? order by id limit 1',
    )
    this.#note = database.prepare('insert or ignore into loose_body values (?)')
    this.#forget = database.prepare('delete from loose_body where body = ?')
    // Every body has at least one row in chunk, if an empty one: no id is ever given twice.
    this.#lastId = database
      .prepare<[], number>('select coalesce(max(body), 0) from chunk')
      .pluck()
      .get() as number
  }

  begin(): SqliteBody {
    const id = this.#nextId()
    this.#open.add(id)
    return new SqliteBody(id, this)
  }

  /** Writes pieces of a body whose message does not exist yet. */
  spill(id: number, pieces: readonly Buffer[]): Promise<void> {
    // Durable with the commit that makes the message exist: it syncs all that was written before it, too.
    return this.#group.run(
      () => {
        this.#note.run(id)
        for (const piece of pieces) this.#insert.run(id, piece)
      },
      { durable: false },
    )
  }

  /** Takes part in the transaction of `put`: writes the last piece, and the body is loose no more. */
  finish(body: SqliteBody): void {
    this.#insert.run(body.id, body.rest())
    if (body.spilled) this.#forget.run(body.id)
  }

  /** Takes part in a transaction: stores a body that is whole in memory. @returns its id */
  store(content: Uint8Array): number {
    const id = this.#nextId()
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
    let at = 0
    do {
      this.#insert.run(id, bytes.subarray(at, at + CHUNK))
      at += CHUNK
    } while (at < bytes.length)
    return id
  }

  /** Takes part in a transaction. */
  remove(id: number): void {
    this.#remove.run(id)
  }

  /** The message exists, or never will: nobody writes to this body any more. */
  done(id: number): void {
    this.#open.delete(id)
  }

  /** Forgets a body without a message. One that has a message by now is not loose, and stays. */
  async discard(id: number): Promise<void> {
    this.done(id)
    await this.#group.run(() => {
      if (this.#forget.run(id).changes > 0) this.#remove.run(id)
    })
  }

  /** Removes bodies that a crash or a failed `abort` has left without a message. @returns how many */
  async sweepLoose(): Promise<number> {
    const loose = reading(() =>
      this.#database.prepare<[], number>('select body from loose_body').pluck().all(),
    )
    const orphans = loose.filter(id => !this.#open.has(id))
    for (const id of orphans) await this.discard(id)
    return orphans.length
  }

  /** The pieces of a body in order, each read when it is asked for. */
  async *read(id: number, size: number): AsyncGenerator<Uint8Array> {
    let after = 0
    let seen = 0
    for (;;) {
      const row = reading(() => this.#next.get(id, after))
      if (row === undefined) break
      after = row.id
      seen += row.data.length
      if (row.data.length > 0) yield row.data
    }
    if (seen !== size) throw new Error(`a body of ${size} octets has only ${seen} in the store`)
  }

  #nextId(): number {
    return ++this.#lastId
  }
}

/** A body on its way in. */
export class SqliteBody implements BodyWriter {
  readonly id: number
  readonly #bodies: Bodies
  #pieces: Buffer[] = []
  #buffered = 0
  #size = 0
  #failure: Error | undefined
  spilled = false

  constructor(id: number, bodies: Bodies) {
    this.id = id
    this.#bodies = bodies
  }

  get size(): number {
    return this.#size
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#pieces.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    this.#buffered += chunk.byteLength
    this.#size += chunk.byteLength
    if (this.#buffered <= CHUNK) return
    const all = joined(this.#pieces)
    const rows: Buffer[] = []
    for (let at = 0; at < all.length; at += ROW) rows.push(all.subarray(at, at + ROW))
    this.#pieces = []
    this.#buffered = 0
    this.spilled = true
    try {
      await this.#bodies.spill(this.id, rows)
    } catch (error) {
      this.#failure = new Error('a part of this body was not stored', { cause: error })
      throw error
    }
  }

  /** What has not been written yet; at most one chunk. */
  rest(): Buffer {
    // A body with a hole must never become a message, even if the caller overlooked the failed write.
    if (this.#failure !== undefined) throw this.#failure
    return joined(this.#pieces)
  }

  async abort(): Promise<void> {
    this.#pieces = []
    this.#failure = new Error('this body was aborted')
    if (!this.spilled) return this.#bodies.done(this.id)
    // If the store cannot work now, the sweep will find the rows.
    await this.#bodies.discard(this.id).catch(() => undefined)
  }
}

/** Not copied where there is but one, as a session worker sends it: memory outside of the heap is what calls the collector. */
function joined(pieces: readonly Buffer[]): Buffer {
  const [first, ...more] = pieces
  return first !== undefined && more.length === 0 ? first : Buffer.concat(pieces)
}
