import { existsSync } from 'node:fs'

import type { Database, Statement } from 'better-sqlite3'

import { DAY } from '../../../base/clock.ts'
import type { BodyFolder } from '../body-files/body-folder.ts'
import { translateFile } from '../body-files/failure.ts'
import type { Bodies } from './bodies.ts'
import { reading } from './failure.ts'
import type { GroupCommit } from './group-commit.ts'

// How many messages without content are named.
const NAMED = 10

interface LostRow {
  readonly id: string
  readonly name: string
}

/** What a crash, or somebody's hand, has left of bodies without a message, and of messages without a body. */
export class Orphans {
  readonly #folder: BodyFolder
  readonly #bodies: Bodies
  readonly #group: GroupCommit
  readonly #loose: Statement<[], number>
  readonly #forget: Statement<[number]>
  readonly #files: Statement<[], number>
  readonly #filed: Statement<[], LostRow>

  constructor(
    database: Database,
    parts: { readonly folder: BodyFolder; readonly bodies: Bodies; readonly group: GroupCommit },
  ) {
    this.#folder = parts.folder
    this.#bodies = parts.bodies
    this.#group = parts.group
    this.#loose = database.prepare<[], number>('select body from loose_body').pluck()
    this.#forget = database.prepare('delete from loose_body where body = ?')
    this.#files = database.prepare<[], number>('select count(*) from body_file').pluck()
    this.#filed = database.prepare(
      `select message.id, body_file.name from message join body_file on body_file.body = message.body
       where ended_at is null`,
    )
  }

  /**
   * Removes all files that are no bodies. To be called before anybody writes one.
   *
   * @returns what has to be said of messages whose files are not there; undefined where none lacks
   */
  async sweepAtStart(): Promise<string | undefined> {
    const loose = reading(() => this.#loose.all())
    for (const id of loose) {
      await this.#group.run(() => {
        this.#forget.run(id)
        this.#bodies.remove(id)
      })
    }
    let found = 0
    for await (const name of this.#folder.names()) {
      if (this.#bodies.isBody(name)) found++
      else await this.#remove(name)
    }
    return reading(() => (this.#files.get() === found ? undefined : this.#lost()))
  }

  /** Removes files that are no bodies and that nobody has written to for a day: of a session worker, or a backup, that died. */
  async sweep(now: number): Promise<void> {
    await this.#bodies.settled()
    const before = now - DAY
    try {
      for await (const name of this.#folder.forgottenHolds(before)) await this.#remove(name)
      for await (const name of this.#folder.names()) {
        // In this order: a file that is old by now was put long ago, or never will be.
        const changedAt = await this.#folder.changedAt(name)
        if (changedAt === undefined || changedAt >= before || this.#bodies.isBody(name)) continue
        await this.#remove(name)
      }
    } catch (error) {
      throw translateFile(error)
    }
  }

  /** What cannot be removed now, can another time. */
  async #remove(name: string): Promise<void> {
    await this.#folder.remove(name).catch(() => undefined)
  }

  #lost(): string | undefined {
    const lost: string[] = []
    let more = 0
    for (const { id, name } of this.#filed.iterate()) {
      if (existsSync(this.#folder.file(name))) continue
      if (lost.length < NAMED) lost.push(`${id} (${this.#folder.file(name)})`)
      else more++
    }
    if (lost.length === 0) return undefined
    const rest = more > 0 ? ` and ${more} more` : ''
    return `messages whose content is not there: ${lost.join(', ')}${rest}; put the files back from a backup, or remove the messages: mailcanary queue drop ID`
  }
}
