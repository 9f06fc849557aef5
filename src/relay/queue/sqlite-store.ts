import type { Database } from 'better-sqlite3'

import { Bodies, SqliteBody } from './sqlite/bodies.ts'
import { Destinations } from './sqlite/destinations.ts'
import { reading, translate } from './sqlite/failure.ts'
import { GroupCommit } from './sqlite/group-commit.ts'
import { Leasing } from './sqlite/leasing.ts'
import { openQueue } from './sqlite/open.ts'
import { Operating } from './sqlite/operating.ts'
import { Putting } from './sqlite/putting.ts'
import { Records } from './sqlite/records.ts'
import { Settling } from './sqlite/settling.ts'
import { Sweeping } from './sqlite/sweeping.ts'
import { Timeline } from './sqlite/timeline.ts'
import type {
  BodyWriter,
  Lease,
  LeaseRequest,
  MessageRecord,
  NewMessage,
  OperatorAction,
  QueueCounts,
  QueueOperations,
  QueueStore,
  Settlement,
} from './store.ts'

/**
 * The queue in one SQLite file, for one process: whoever opens it holds the state folder. Everything that writes shares
 * durable transactions (`GroupCommit`); everything that reads answers at once.
 */
export class SqliteQueueStore implements QueueStore, QueueOperations {
  readonly #database: Database
  readonly #group: GroupCommit
  readonly #bodies: Bodies
  readonly #destinations: Destinations
  readonly #putting: Putting
  readonly #leasing: Leasing
  readonly #settling: Settling
  readonly #sweeping: Sweeping
  readonly #operating: Operating
  readonly #records: Records

  private constructor(database: Database) {
    const group = new GroupCommit(database)
    const timeline = new Timeline(database)
    const destinations = new Destinations(database)
    const bodies = new Bodies(database, group)
    const putting = new Putting(database, destinations, timeline)
    this.#database = database
    this.#group = group
    this.#bodies = bodies
    this.#destinations = destinations
    this.#putting = putting
    this.#leasing = new Leasing(database, destinations)
    this.#settling = new Settling(database, { bodies, destinations, putting, timeline })
    this.#sweeping = new Sweeping(database, timeline)
    this.#operating = new Operating(database, { destinations, settling: this.#settling, timeline })
    this.#records = new Records(database, timeline)
  }

  /**
   * Opens the file, or creates it. Leases that a dead process left are released, bodies without a message removed.
   *
   * @throws Problem that names the file and the way out, if it cannot be used
   */
  static async open(path: string): Promise<SqliteQueueStore> {
    const store = new SqliteQueueStore(openQueue(path))
    try {
      await store.#group.run(() => store.#leasing.releaseAll())
      await store.#bodies.sweepLoose()
    } catch (error) {
      await store.close()
      throw error
    }
    return store
  }

  /** Durable transactions so far: far fewer than writes under load. */
  get commits(): number {
    return this.#group.commits
  }

  newBody(): BodyWriter {
    return this.#bodies.begin()
  }

  async put(message: NewMessage, body: BodyWriter): Promise<void> {
    if (!(body instanceof SqliteBody)) throw new TypeError('a body of another store')
    await this.#group.run(() => {
      this.#bodies.finish(body)
      this.#putting.put(message, body.id, body.size)
    })
    this.#bodies.done(body.id)
  }

  lease(request: LeaseRequest): Promise<readonly Lease[]> {
    return this.#group.run(() => this.#leasing.lease(request))
  }

  async *body(id: string): AsyncGenerator<Uint8Array> {
    const row = reading(() => this.#records.message(id))
    if (row === undefined || row.body === null) throw new Error(`message ${id} has no body`)
    yield* this.#bodies.read(row.body, row.size)
  }

  settle(lease: Lease, settlement: Settlement): Promise<boolean> {
    return this.#group.run(() => this.#settling.settle(lease, settlement))
  }

  giveBack(lease: Lease, dueAt: number): Promise<void> {
    return this.#group.run(() => this.#leasing.giveBack(lease, dueAt))
  }

  async nextDue(busy: readonly string[] = []): Promise<number | undefined> {
    return reading(() => this.#destinations.next(busy))
  }

  async counts(): Promise<QueueCounts> {
    return reading(() => this.#records.counts())
  }

  async find(id: string): Promise<MessageRecord | undefined> {
    return reading(() => this.#records.find(id))
  }

  async list(request: {
    readonly limit: number
    readonly after?: string
  }): Promise<readonly MessageRecord[]> {
    return reading(() => this.#records.list(request.limit, request.after ?? ''))
  }

  operate(
    id: string,
    request: { readonly action: OperatorAction; readonly by: string; readonly at: number },
  ): Promise<{ readonly changed: number; readonly busy: number } | undefined> {
    return this.#group.run(() => {
      const row = this.#records.message(id)
      return row === undefined ? undefined : this.#operating.operate(row.key, request)
    })
  }

  async sweep(before: number): Promise<number> {
    await this.#bodies.sweepLoose()
    let removed = 0
    for (;;) {
      const portion = await this.#group.run(() => this.#sweeping.portion(before))
      if (portion === 0) return removed
      removed += portion
    }
  }

  async close(): Promise<void> {
    if (!this.#database.open) return
    this.#group.close()
    try {
      this.#database.close()
    } catch (error) {
      throw translate(error)
    }
  }
}
