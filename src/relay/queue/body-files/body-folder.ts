import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsync,
  fsyncSync,
  mkdirSync,
  openSync,
} from 'node:fs'
import { opendir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

import { codeOf, messageOf, Problem } from '../../../base/problem.ts'
import { FILE_NAME } from './body-file.ts'

const synced = promisify(fsync)

const HOLD_NAME = /^backup-[0-9a-f]{32}$/

/** The folder of the large bodies, beside the database that has their keys. Each thread has one of these. */
export class BodyFolder {
  readonly path: string
  #syncing: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor(path: string) {
    this.path = path
  }

  /** The one that belongs to a database: `queue.bodies` beside `queue.sqlite`. */
  static of(database: string): BodyFolder {
    return new BodyFolder(database.replace(/(?:\.sqlite)?$/, '.bodies'))
  }

  /** Makes it, for its owner alone, where it is not there. @throws Problem if it cannot be used */
  create(): void {
    try {
      const made = mkdirSync(this.path, { recursive: true, mode: 0o700 })
      // Its own name has to survive a power loss too.
      if (made !== undefined) syncFolder(dirname(this.path))
      accessSync(this.path, constants.R_OK | constants.W_OK | constants.X_OK)
    } catch (error) {
      throw new Problem(
        `cannot use the folder ${this.path} for large messages: ${messageOf(error)}`,
      )
    }
  }

  /**
   * A new database would take every file for one without a message.
   *
   * @throws Problem where the database of these files was moved without them
   */
  async refuseStrangers(database: string): Promise<void> {
    if (!existsSync(this.path)) return
    for await (const name of this.names()) {
      throw new Problem(
        `${this.path} has letters (${name}) whose queue ${database} is not there; move the queue back, or the folder to where the queue is, or remove the folder`,
      )
    }
  }

  file(name: string): string {
    return join(this.path, name)
  }

  /**
   * Resolves when the names of all files that have been made in it are on the disk: until then a power loss may leave
   * content that nobody finds. One sync for all that ask while the one before is under way.
   */
  sync(): Promise<void> {
    // One that has begun may have missed what has been made since.
    this.#next ??= (this.#syncing ?? Promise.resolve()).then(() => {
      const sync = this.#sync()
      this.#syncing = sync.catch(() => undefined)
      this.#next = undefined
      return sync
    })
    return this.#next
  }

  async #sync(): Promise<void> {
    const folder = openSync(this.path, 'r')
    try {
      await synced(folder)
    } finally {
      closeSync(folder)
    }
  }

  /** A file, or what a backup held. Safe to call again. */
  async remove(name: string): Promise<void> {
    await rm(this.file(name), { force: true, recursive: true })
  }

  /** The files in it, in no order; nothing that we have not made. */
  async *names(): AsyncGenerator<string> {
    for await (const { name } of await opendir(this.path)) {
      if (FILE_NAME.test(name)) yield name
    }
  }

  /** What a backup held and did not let go: it was killed. */
  async *forgottenHolds(before: number): AsyncGenerator<string> {
    for await (const { name } of await opendir(this.path)) {
      if (HOLD_NAME.test(name) && ((await this.changedAt(name)) ?? before) < before) yield name
    }
  }

  /** When it was last written to, in milliseconds since the epoch; undefined if there is none. */
  async changedAt(name: string): Promise<number | undefined> {
    try {
      return (await stat(this.file(name))).mtimeMs
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw error
    }
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
