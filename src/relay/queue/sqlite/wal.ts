import { closeSync, fdatasync, openSync } from 'node:fs'
import { promisify } from 'node:util'

import type { Database } from 'better-sqlite3'

import { messageOf } from '../../../base/problem.ts'
import { StoreUnavailable } from '../store.ts'
import { reading } from './failure.ts'

const sync = promisify(fdatasync)

/**
 * The log of the database. SQLite writes it and leaves its sync to us (`synchronous = normal`), so that the event loop goes on
 * while the disk is at work. What has been committed before a sync began is durable when that has ended: SQLite itself syncs the
 * log before it moves anything out of it, and what it has moved before it writes over the log.
 */
export class Wal {
  readonly #database: Database
  readonly #file: number

  /** @param database whose log exists, and stands in its folder for good: see `openQueue` */
  constructor(database: Database) {
    this.#database = database
    this.#file = openSync(`${database.name}-wal`, 'r')
  }

  /** @throws StoreUnavailable if the disk does not keep it; it may be there all the same, as after a lost reply */
  readonly sync = async (): Promise<void> => {
    try {
      await sync(this.#file)
    } catch {
      this.#writeAnew()
    }
  }

  /**
   * What was deleted lies on in it until that is overwritten, which on a quiet day is never. Takes some milliseconds, and
   * after a busy hour as long as any checkpoint: of 32 MiB at most (`wal_autocheckpoint`).
   */
  empty(): void {
    reading(() => this.#database.pragma('wal_checkpoint(truncate)'))
  }

  close(): void {
    closeSync(this.#file)
  }

  /** Linux says once that it could not write, and then takes the octets for written: they have to be written again. */
  #writeAnew(): void {
    try {
      const [{ busy }] = this.#database.pragma('wal_checkpoint(truncate)') as [{ busy: number }]
      if (busy === 0) return
    } catch (error) {
      throw unsynced(messageOf(error))
    }
    throw unsynced('another process reads the queue')
  }
}

function unsynced(cause: string): StoreUnavailable {
  return new StoreUnavailable(`queue store: it could not be synced to the disk: ${cause}`, {
    full: false,
  })
}
