import { randomUUID } from 'node:crypto'

import type { Postgres, Session } from '../../../base/postgres.ts'
import type { BodyWriter } from '../store.ts'
import { asking } from './failure.ts'

/** Octets of one row of a body: what one session holds in memory, and what one read fetches. */
const CHUNK = 64 * 1024

// A body that a node which is gone was taking in. No session lasts that long.
const LOOSE_FOR = '1 day'

/**
 * Bodies in pieces. One that fits into one piece is written by the transaction that makes its message exist; of a larger
 * one the first pieces go ahead, noted in loose_body until the message comes.
 */
export class Bodies {
  readonly #database: Postgres
  readonly #node: string
  readonly #open = new Set<string>()

  constructor(database: Postgres, node: string) {
    this.#database = database
    this.#node = node
  }

  begin(): PostgresBody {
    const id = randomUUID()
    this.#open.add(id)
    return new PostgresBody(id, this)
  }

  /** Writes pieces of a body whose message does not exist yet. @param from number of the first one */
  async spill(id: string, from: number, pieces: readonly Buffer[]): Promise<void> {
    await this.#database.transaction(async session => {
      await session.run(
        `insert into loose_body (body, node, written_at) values ($1, $2, clock_timestamp())
          on conflict (body) do update set written_at = excluded.written_at`,
        [id, this.#node],
      )
      for (const [i, piece] of pieces.entries()) await insert(session, id, from + i, piece)
    })
  }

  /** Takes part in the transaction of `put`: writes the last piece, and the body is loose no more. */
  async finish(session: Session, body: PostgresBody): Promise<void> {
    const rest = body.rest()
    if (body.written > 0) {
      // Where the note is gone somebody has swept the pieces: a body with a hole must never become a message.
      const noted = await session.run('delete from loose_body where body = $1', [body.id])
      if (noted === 0) throw new Error('a body that was begun is not there any more')
    }
    await insert(session, body.id, body.written, rest)
  }

  /** Takes part in a transaction: stores a body that is whole in memory. @returns its name */
  async store(session: Session, content: Uint8Array): Promise<string> {
    const id = randomUUID()
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
    let number = 0
    do {
      await insert(session, id, number, bytes.subarray(number * CHUNK, (number + 1) * CHUNK))
      number++
    } while (number * CHUNK < bytes.length)
    return id
  }

  /** The message exists, or never will: nobody writes to this body any more. */
  done(id: string): void {
    this.#open.delete(id)
  }

  /** Forgets a body without a message. One that has a message by now is not loose, and stays. */
  async discard(id: string): Promise<void> {
    this.done(id)
    await this.#database.transaction(async session => {
      const loose = await session.run('delete from loose_body where body = $1', [id])
      if (loose > 0) await session.run('delete from chunk where body = $1', [id])
    })
  }

  /** Removes what this node has left behind, and what a node that is gone has. */
  async sweepLoose(): Promise<void> {
    const loose = await this.#database.rows<{ body: string }>(
      `select body from loose_body
        where node = $1 or written_at < clock_timestamp() - interval '${LOOSE_FOR}'`,
      [this.#node],
    )
    for (const { body } of loose) if (!this.#open.has(body)) await this.discard(body)
  }

  /** The pieces of a body in order, each read when it is asked for. */
  async *read(id: string, size: number): AsyncGenerator<Uint8Array> {
    let seen = 0
    for (let number = 0; ; number++) {
      const [row] = await asking(() =>
        this.#database.rows<{ data: Buffer }>(
          'select data from chunk where body = $1 and number = $2',
          [id, number],
        ),
      )
      if (row === undefined) break
      seen += row.data.length
      if (row.data.length > 0) yield row.data
    }
    if (seen !== size) throw new Error(`a body of ${size} octets has only ${seen} in the store`)
  }
}

/** A body on its way in. */
export class PostgresBody implements BodyWriter {
  readonly id: string
  readonly #bodies: Bodies
  #pieces: Buffer[] = []
  #buffered = 0
  #failure: Error | undefined
  size = 0
  /** Pieces that are in the database already. */
  written = 0

  constructor(id: string, bodies: Bodies) {
    this.id = id
    this.#bodies = bodies
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#pieces.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    this.#buffered += chunk.byteLength
    this.size += chunk.byteLength
    if (this.#buffered <= CHUNK) return
    const all = Buffer.concat(this.#pieces)
    const whole: Buffer[] = []
    let at = 0
    for (; all.length - at > CHUNK; at += CHUNK) whole.push(all.subarray(at, at + CHUNK))
    this.#pieces = [all.subarray(at)]
    this.#buffered = all.length - at
    const from = this.written
    this.written += whole.length
    try {
      await asking(() => this.#bodies.spill(this.id, from, whole))
    } catch (error) {
      this.#failure = new Error('a part of this body was not stored', { cause: error })
      throw error
    }
  }

  /** What has not been written yet; at most one chunk. */
  rest(): Buffer {
    // A body with a hole must never become a message, even if the caller overlooked the failed write.
    if (this.#failure !== undefined) throw this.#failure
    return Buffer.concat(this.#pieces)
  }

  async abort(): Promise<void> {
    this.#pieces = []
    this.#failure = new Error('this body was aborted')
    if (this.written === 0) return this.#bodies.done(this.id)
    // If the store cannot work now, the sweep will find the rows.
    await this.#bodies.discard(this.id).catch(() => undefined)
  }
}

async function insert(session: Session, id: string, number: number, data: Buffer): Promise<void> {
  await session.run('insert into chunk (body, number, data) values ($1, $2, $3)', [
    id,
    number,
    data,
  ])
}
