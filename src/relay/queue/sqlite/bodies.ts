import type { Database, Statement } from 'better-sqlite3'

import { readBodyFile } from '../body-files/body-file-reader.ts'
import type { BodyContent, BodyFile } from '../body-files/body-file.ts'
import type { BodyFolder } from '../body-files/body-folder.ts'
import type { BodyFiles } from '../store.ts'
import { reading } from './failure.ts'
import { SqliteBody } from './sqlite-body.ts'

// Of one row at most, which one read fetches.
const ROW = 65_536

interface ChunkRow {
  readonly id: number
  readonly data: Buffer
}

interface FileRow {
  readonly name: string
  readonly key: Buffer
  readonly tag: Buffer
}

/**
 * Bodies: small ones, as nearly all are, in rows that the transaction writes that makes their message exist; large ones in
 * files (`body-files/`), of which it writes name and key.
 *
 * Methods that take part in a transaction of the caller say so; they must run inside `GroupCommit.run`.
 */
export class Bodies implements BodyFiles {
  readonly #folder: BodyFolder
  readonly #insert: Statement<[number, Buffer]>
  readonly #remove: Statement<[number]>
  readonly #next: Statement<[number, number], ChunkRow>
  readonly #insertFile: Statement<[number, string, Uint8Array, Uint8Array]>
  readonly #removeFile: Statement<[number], string>
  readonly #file: Statement<[number], FileRow>
  readonly #named: Statement<[string], number>
  /** Files whose rows a transaction has removed that may not be on the disk yet. */
  #removed: string[] = []
  readonly #removals = new Set<Promise<void>>()
  #lastId: number

  constructor(database: Database, folder: BodyFolder) {
    this.#folder = folder
    this.#insert = database.prepare('insert into chunk (body, data) values (?, ?)')
    this.#remove = database.prepare('delete from chunk where body = ?')
    // By chunk_body, whose entries end in the row's id: one step in the index for each piece, no sorting.
    this.#next = database.prepare(
      'select id, data from chunk where body = +? and id > ? order by id limit 1',
    )
    this.#insertFile = database.prepare(
      'insert into body_file (body, name, key, tag) values (?, ?, ?, ?)',
    )
    this.#removeFile = database
      .prepare<[number], string>('delete from body_file where body = ? returning name')
      .pluck()
    this.#file = database.prepare('select name, key, tag from body_file where body = ?')
    this.#named = database
      .prepare<[string], number>('select 1 from body_file where name = ?')
      .pluck()
    // Every body has at least one row in one of them, if an empty one: no id is ever given twice.
    const inRows = database.prepare<[], number | null>('select max(body) from chunk').pluck()
    const inFiles = database.prepare<[], number | null>('select max(body) from body_file').pluck()
    this.#lastId = Math.max(inRows.get() ?? 0, inFiles.get() ?? 0)
  }

  get folder(): string {
    return this.#folder.path
  }

  begin(): SqliteBody {
    return new SqliteBody(this.#folder, name => this.#discard(name))
  }

  adopt(content: BodyContent): SqliteBody {
    return new SqliteBody(this.#folder, name => this.#discard(name), content)
  }

  /** Takes part in a transaction. @returns the body's id */
  store(content: BodyContent): number {
    const id = ++this.#lastId
    if ('name' in content) {
      this.#insertFile.run(id, content.name, content.key, content.tag)
      return id
    }
    const octets = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
    let at = 0
    do {
      this.#insert.run(id, octets.subarray(at, at + ROW))
      at += ROW
    } while (at < octets.length)
    return id
  }

  /** Takes part in a transaction. */
  remove(id: number): void {
    if (this.#remove.run(id).changes > 0) return
    const name = this.#removeFile.get(id)
    if (name !== undefined) this.#removed.push(name)
  }

  /**
   * All transactions are on the disk: removes the files of the bodies that they have removed, unless they have failed. Not before:
   * a power loss would leave the message and not its content.
   */
  afterSync(): void {
    for (const name of this.#removed.splice(0)) {
      const removal = this.#discard(name).finally(() => this.#removals.delete(removal))
      this.#removals.add(removal)
    }
  }

  /** Resolves when no file is being removed. */
  async settled(): Promise<void> {
    await Promise.all(this.#removals)
  }

  /** Removes a file, if there is no body of it. Never throws: what cannot be removed now is when the store is swept. */
  async #discard(name: string): Promise<void> {
    try {
      if (!this.isBody(name)) await this.#folder.remove(name)
    } catch {
      // The database or the file system cannot now.
    }
  }

  /** Whether a file is a body. */
  isBody(name: string): boolean {
    return reading(() => this.#named.get(name) !== undefined)
  }

  /** The pieces of a body in order, each read when it is asked for. */
  async *read(id: number, size: number): AsyncGenerator<Uint8Array> {
    const file = reading(() => this.#file.get(id))
    if (file === undefined) yield* this.#readRows(id, size)
    else yield* readBodyFile(this.#folder, { ...file, size } satisfies BodyFile)
  }

  async *#readRows(id: number, size: number): AsyncGenerator<Uint8Array> {
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
}
