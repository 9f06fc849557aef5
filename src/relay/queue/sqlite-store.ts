import { existsSync } from 'node:fs'

import type { Database } from 'better-sqlite3'

import type { Ledger } from '../limits/ledger.ts'
import { BodyFolder } from './body-files/body-folder.ts'
import type {
  HoldTarget,
  Operator,
  OperatorAction,
  QueueOperations,
  StandingHold,
  WaitingDelivery,
} from './operations.ts'
import type { QueueOfLogin, RefusedMail } from './queue-of-login.ts'
import { Bodies } from './sqlite/bodies.ts'
import { Correspondents } from './sqlite/correspondents.ts'
import { Counting } from './sqlite/counting.ts'
import { Destinations } from './sqlite/destinations.ts'
import { reading, translate } from './sqlite/failure.ts'
import { GroupCommit } from './sqlite/group-commit.ts'
import { Holds } from './sqlite/holds.ts'
import { Leasing } from './sqlite/leasing.ts'
import { SqliteLedger } from './sqlite/ledger.ts'
import { openQueue } from './sqlite/open.ts'
import { Operating } from './sqlite/operating.ts'
import { Orphans } from './sqlite/orphans.ts'
import { Putting } from './sqlite/putting.ts'
import { Records } from './sqlite/records.ts'
import { Reserving } from './sqlite/reserving.ts'
import { Settling } from './sqlite/settling.ts'
import { SqliteBody } from './sqlite/sqlite-body.ts'
import { Sweeping } from './sqlite/sweeping.ts'
import { Timeline } from './sqlite/timeline.ts'
import { Waiting } from './sqlite/waiting.ts'
import { Wal } from './sqlite/wal.ts'
import type {
  BodyFiles,
  BodyWriter,
  Lease,
  LeaseRequest,
  MessageRecord,
  NewMessage,
  QueueCounts,
  QueueStore,
  Reserve,
  Settlement,
} from './store.ts'

/**
 * The queue in one SQLite file and a folder of large bodies, for one process: whoever opens it holds the state folder. Everything that writes shares
 * durable transactions (`GroupCommit`); everything that reads answers at once.
 */
export class SqliteQueueStore implements QueueStore, QueueOperations, QueueOfLogin {
  /** What logins have sent; its counts are in the same file and the same commits. */
  readonly ledger: Ledger
  readonly #database: Database
  readonly #wal: Wal
  readonly #group: GroupCommit
  readonly #bodies: Bodies
  readonly #orphans: Orphans
  readonly #destinations: Destinations
  readonly #putting: Putting
  readonly #leasing: Leasing
  readonly #reserving: Reserving
  readonly #settling: Settling
  readonly #sweeping: Sweeping
  readonly #operating: Operating
  readonly #records: Records
  readonly #correspondents: Correspondents
  readonly #holds: Holds
  readonly #waiting: Waiting

  private constructor(database: Database, folder: BodyFolder) {
    const wal = new Wal(database)
    const timeline = new Timeline(database)
    const destinations = new Destinations(database)
    const bodies = new Bodies(database, folder)
    const group = new GroupCommit(database, {
      before: () => destinations.caughtUp(),
      sync: wal.sync,
      after: () => bodies.afterSync(),
    })
    const putting = new Putting(database, { bodies, destinations, timeline })
    this.#holds = new Holds(database, destinations)
    this.#reserving = new Reserving({ group, destinations, holds: this.#holds })
    this.#waiting = new Waiting(database, this.#holds)
    this.#database = database
    this.#wal = wal
    this.#group = group
    this.#bodies = bodies
    this.#orphans = new Orphans(database, { folder, bodies, group })
    this.#destinations = destinations
    this.#putting = putting
    this.ledger = new SqliteLedger({
      group,
      reserving: this.#reserving,
      putting,
      counting: new Counting(database),
    })
    this.#leasing = new Leasing(database, destinations, this.#holds)
    this.#settling = new Settling(database, { bodies, destinations, putting, timeline })
    this.#sweeping = new Sweeping(database, timeline)
    this.#operating = new Operating(database, {
      destinations,
      holds: this.#holds,
      settling: this.#settling,
      timeline,
    })
    this.#correspondents = new Correspondents(database)
    this.#records = new Records(database, timeline, this.#holds)
  }

  /**
   * Opens the file, or creates it. Leases that a dead process left are released, bodies without a message removed.
   *
   * @param report told, in a sentence for people, of messages whose content is not there
   * @throws Problem that names the file and the way out, if it cannot be used
   */
  static async open(
    path: string,
    report: (sentence: string) => void = () => undefined,
  ): Promise<SqliteQueueStore> {
    const folder = BodyFolder.of(path)
    if (!existsSync(path)) await folder.refuseStrangers(path)
    const store = new SqliteQueueStore(openQueue(path), folder)
    try {
      folder.create()
      await store.#group.run(() => store.#leasing.release(Infinity))
      const lost = await store.#orphans.sweepAtStart()
      if (lost !== undefined) report(lost)
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

  /** Those of them that waited for the disk: not those that only lease. */
  get syncs(): number {
    return this.#group.syncs
  }

  newBody(): BodyWriter {
    return this.#bodies.begin()
  }

  get bodyFiles(): BodyFiles {
    return this.#bodies
  }

  async put(message: NewMessage, body: BodyWriter): Promise<void> {
    if (!(body instanceof SqliteBody)) throw new TypeError('a body of another store')
    const preparing = body.prepare()
    if (preparing !== undefined) await preparing
    await this.#reserving.run(slots => this.#putting.put(message, body.content, slots))
  }

  reserveWith(reserve: Reserve | undefined): void {
    this.#reserving.with(reserve)
  }

  lease(request: LeaseRequest): Promise<readonly Lease[]> {
    // A lease that a power loss undoes is one that the next start would end anyway; only that its attempt may have
    // delivered is forgotten with it.
    return this.#group.run(() => this.#leasing.lease(request), { durable: false })
  }

  async *body(id: string): AsyncGenerator<Uint8Array> {
    const row = reading(() => this.#records.message(id))
    if (row === undefined || row.body === null) throw new Error(`message ${id} has no body`)
    yield* this.#bodies.read(row.body, row.size)
  }

  settle(lease: Lease, settlement: Settlement): Promise<boolean> {
    // Nobody waits for it but a slot of the runner.
    return this.#group.run(() => this.#settling.settle(lease, settlement), { patient: true })
  }

  giveBack(lease: Lease, dueAt: number): Promise<void> {
    return this.#group.run(() => this.#leasing.giveBack(lease, dueAt))
  }

  async nextDue(busy: readonly string[] = []): Promise<number | undefined> {
    return reading(() => {
      if (this.#holds.everything()) return undefined
      const next = this.#destinations.next(busy)
      const expiry = this.#leasing.nextExpiry(busy)
      return expiry === undefined ? next : Math.min(next ?? Infinity, expiry)
    })
  }

  async counts(): Promise<QueueCounts> {
    return reading(() => this.#records.counts())
  }

  /** Reading goes on working on a full disk, and on one that has become read-only: only a write tells. */
  async check(): Promise<void> {
    await this.#group.run(() => {
      const version = Number(this.#database.pragma('user_version', { simple: true }))
      this.#database.pragma(`user_version = ${version}`)
    })
  }

  async find(id: string): Promise<MessageRecord | undefined> {
    return reading(() => this.#records.find(id))
  }

  async list(request: Parameters<QueueOperations['list']>[0]): Promise<readonly WaitingDelivery[]> {
    return reading(() => this.#waiting.list(request))
  }

  operate(
    id: string,
    request: Operator & { readonly action: OperatorAction; readonly domain?: string },
  ): Promise<{ readonly changed: number; readonly busy: number } | undefined> {
    return this.#group.run(() => {
      const row = this.#records.message(id)
      return row === undefined ? undefined : this.#operating.operate(row.key, request)
    })
  }

  hold(target: HoldTarget, operator: Operator): Promise<boolean> {
    return this.#group.run(() => this.#holds.set(target, operator))
  }

  lift(target: HoldTarget, operator: Operator): Promise<boolean> {
    return this.#group.run(() => this.#holds.lift(target, operator))
  }

  async holds(): Promise<readonly StandingHold[]> {
    return reading(() => this.#holds.standing())
  }

  async refused(login: string, limit: number): Promise<readonly RefusedMail[]> {
    return reading(() => this.#records.refused(login, limit))
  }

  /** The address of every recipient in every record, again and again where it is in several. */
  recipients(): AsyncIterable<string> {
    return this.#correspondents.addresses()
  }

  async sweep(before: number): Promise<number> {
    await this.#orphans.sweep(Date.now())
    let removed = 0
    for (;;) {
      const portion = await this.#group.run(() => this.#sweeping.portion(before))
      if (portion === 0) break
      removed += portion
    }
    this.#wal.empty()
    return removed
  }

  async close(): Promise<void> {
    await this.#group.close()
    await this.#bodies.settled()
    if (!this.#database.open) return
    this.#wal.close()
    try {
      this.#database.close()
    } catch (error) {
      throw translate(error)
    }
  }
}
