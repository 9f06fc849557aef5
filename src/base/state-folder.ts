import { closeSync, constants, openSync } from 'node:fs'
import { access, mkdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'

import Database from 'better-sqlite3'

import { codeOf, messageOf, Problem } from './problem.ts'

const LOCK = 'lock.sqlite'

/**
 * The folder that holds everything one daemon remembers, and the exclusive right to it. The lock is the kernel's, so
 * that `kill -9` and power loss release it and no stale lock ever has to be removed by hand.
 */
export class StateFolder {
  readonly path: string
  readonly #lock: Database.Database

  private constructor(path: string, lock: Database.Database) {
    this.path = path
    this.#lock = lock
  }

  /**
   * Creates the folder (mode 0700) if it is absent, and holds it until `close` or the end of the process.
   *
   * @throws Problem that names the folder, if it cannot be used or another process holds it
   */
  static async open(path: string): Promise<StateFolder> {
    const folder = resolve(path)
    await prepare(folder)
    return new StateFolder(folder, lock(folder))
  }

  /** The path of a file in the folder. */
  file(name: string): string {
    return join(this.path, name)
  }

  /** Lets another process have the folder. Safe to call twice. */
  close(): void {
    this.#lock.close()
  }
}

async function prepare(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    if (codeOf(error) === 'EEXIST' || codeOf(error) === 'ENOTDIR') throw notAFolder(folder)
    throw new Problem(
      `cannot create the state folder ${folder}: ${messageOf(error)}; create it for the user mailcanary runs as`,
    )
  }
  const found = await stat(folder)
  if (!found.isDirectory()) throw notAFolder(folder)
  try {
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    if (codeOf(error) === 'EROFS') {
      throw new Problem(
        `the state folder ${folder} is on a read-only file system; mount it writable or name another folder`,
      )
    }
    throw new Problem(
      `the state folder ${folder} is not writable for ${userName()}; give it to that user or name another folder`,
    )
  }
}

function lock(folder: string): Database.Database {
  const path = join(folder, LOCK)
  let database: Database.Database | undefined
  try {
    // SQLite would create it readable for all.
    closeSync(openSync(path, 'a', 0o600))
    database = new Database(path, { timeout: 0 })
    // The transaction is never ended: SQLite holds fcntl locks for as long, and the kernel drops them with the process.
    database.pragma('locking_mode = exclusive')
    database.exec('begin exclusive')
    return database
  } catch (error) {
    database?.close()
    if (codeOf(error).startsWith('SQLITE_BUSY')) {
      throw new Problem(
        `the state folder ${folder} is in use by another mailcanary; stop that one first, or name another folder`,
      )
    }
    if (codeOf(error) === 'SQLITE_NOTADB') {
      throw new Problem(
        `${path} is damaged; it holds nothing but the lock: remove it and start again`,
      )
    }
    throw new Problem(`cannot lock the state folder ${folder}: ${messageOf(error)}`)
  }
}

function notAFolder(folder: string): Problem {
  return new Problem(
    `${folder} is not a folder; name a folder for the state, or an absent one to create`,
  )
}

function userName(): string {
  return `uid ${process.getuid?.() ?? 'unknown'}`
}
