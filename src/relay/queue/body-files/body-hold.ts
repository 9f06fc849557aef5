import { randomBytes } from 'node:crypto'
import { existsSync, linkSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

import type { Database } from 'better-sqlite3'

import { codeOf, Problem } from '../../../base/problem.ts'
import { BodyFolder } from './body-folder.ts'

// What one has held stays held: for the next to be in vain, messages have to come and end within the moment that it takes.
const TRIES = 10

/**
 * The large bodies of a queue as they are at one moment, for a backup: the daemon removes files as messages end. They get a
 * second name each (a hard link) in a folder that is swept like any other file without a message.
 */
export class BodyHold {
  readonly #folder: BodyFolder
  readonly #held: string
  #linked = true

  private constructor(folder: BodyFolder) {
    this.#folder = folder
    this.#held = join(folder.path, `backup-${randomBytes(16).toString('hex')}`)
  }

  /**
   * Begins a transaction that reads, and holds all files that the database names in it. One that is not there although it is
   * named again in a later transaction is lost, and left out.
   *
   * @param path of the database
   * @throws Problem if files go away faster than they can be held
   */
  static async of(path: string, database: Database): Promise<BodyHold> {
    const hold = new BodyHold(BodyFolder.of(path))
    await hold.#prepare()
    try {
      let lost: readonly string[] = []
      for (let n = 0; n < TRIES; n++) {
        database.exec('begin')
        const missing = [...bodiesIn(database)].filter(name => !hold.#hold(name))
        if (missing.every(name => lost.includes(name))) return hold
        lost = missing
        database.exec('rollback')
      }
      throw new Problem(`files in ${hold.#folder.path} are not there that ${path} names`)
    } catch (error) {
      await hold.release()
      throw error
    }
  }

  /** All that are held, of those that the transaction names. */
  names(database: Database): readonly string[] {
    return [...bodiesIn(database)].filter(name => existsSync(this.file(name)))
  }

  /** Where a file can be read until `release`. */
  file(name: string): string {
    return this.#linked ? join(this.#held, name) : this.#folder.file(name)
  }

  async release(): Promise<void> {
    await rm(this.#held, { recursive: true, force: true })
  }

  async #prepare(): Promise<void> {
    try {
      await mkdir(this.#held, { mode: 0o700 })
    } catch {
      // There is no folder, or nothing can be written to it, so that nobody else does.
      this.#linked = false
    }
  }

  /** @returns false if it has gone */
  #hold(name: string): boolean {
    if (!this.#linked) return existsSync(this.#folder.file(name))
    try {
      linkSync(this.#folder.file(name), join(this.#held, name))
      return true
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false
      if (codeOf(error) === 'EEXIST') return true
      throw error
    }
  }
}

/** The names of all files that a database has as bodies. */
function* bodiesIn(database: Database): Generator<string> {
  const table = database.prepare(`select 1 from sqlite_schema where name = 'body_file'`).get()
  if (table === undefined) return
  yield* database.prepare<[], string>('select name from body_file').pluck().iterate()
}
