import { migrate, type Postgres, type Session } from '../../base/postgres.ts'
import type { Ledger } from '../limits/ledger.ts'
import type {
  HoldTarget,
  Operator,
  OperatorAction,
  QueueOperations,
  StandingHold,
  WaitingDelivery,
} from './operations.ts'
import { Bodies, PostgresBody } from './postgres/bodies.ts'
import { asking } from './postgres/failure.ts'
import { holdsWithAmounts, liftHold, setHold } from './postgres/holds.ts'
import { giveBack, leaseDue, nextDue, releaseAllOf, releaseUnheld } from './postgres/leasing.ts'
import { PostgresLedger } from './postgres/ledger.ts'
import { operate } from './postgres/operating.ts'
import { putMessage } from './postgres/putting.ts'
import { countQueue, findRecord, listWaiting, messageRow, refusedOf } from './postgres/records.ts'
import { QUEUE_MIGRATIONS } from './postgres/schema.ts'
import { settle } from './postgres/settling.ts'
import type { QueueOfLogin, RefusedMail } from './queue-of-login.ts'
import type {
  BodyWriter,
  Lease,
  LeaseRequest,
  MessageRecord,
  NewMessage,
  QueueCounts,
  QueueStore,
  Settlement,
} from './store.ts'

// A transaction of this many takes some milliseconds.
const SWEPT_AT_ONCE = 200
const CORRESPONDENTS_AT_ONCE = 5_000

/**
 * The queue in a PostgreSQL that several nodes share. Any node delivers what any node has accepted; a delivery is one
 * node's by its lease. When the database is away every method throws StoreUnavailable; when it is back the next one
 * works. A commit whose answer was lost may have happened: the client that got no 250 sends again, and the message may
 * be there twice.
 */
export class PostgresQueueStore implements QueueStore, QueueOperations, QueueOfLogin {
  /** What logins have sent; counted for all nodes, in the same commits. */
  readonly ledger: Ledger
  readonly #database: Postgres
  readonly #node: string
  readonly #bodies: Bodies
  /** The leases that the runner has, by their tokens. */
  readonly #held = new Set<string>()
  #leasesInDoubt = false

  private constructor(database: Postgres, node: string) {
    this.#database = database
    this.#node = node
    this.#bodies = new Bodies(database, node)
    this.ledger = new PostgresLedger(database, this.#bodies)
  }

  /**
   * Makes the tables, or finds them, and ends what an earlier process of this node left: its leases, its half bodies.
   * The store closes the database when it is closed.
   *
   * @param node the same at every start of a node, and of two that run never the same
   * @throws Problem if the tables were made by a newer version, or the database cannot be used
   */
  static async open(database: Postgres, node: string): Promise<PostgresQueueStore> {
    try {
      await migrate(database, 'queue', QUEUE_MIGRATIONS)
      const store = new PostgresQueueStore(database, node)
      await releaseAllOf(database, node)
      await store.#bodies.sweepLoose()
      return store
    } catch (error) {
      await database.close()
      throw error
    }
  }

  /** A key that all nodes need the same of: the first one that any of them offered. */
  async sharedKey(name: string, offered: Uint8Array): Promise<Uint8Array> {
    await this.#database.run(
      'insert into queue_key (name, key) values ($1, $2) on conflict do nothing',
      [name, Buffer.from(offered)],
    )
    const sql = 'select key from queue_key where name = $1'
    const [row] = await this.#database.rows<{ key: Buffer }>(sql, [name])
    if (row === undefined) throw new Error(`the key ${name} is gone`)
    return row.key
  }

  newBody(): BodyWriter {
    return this.#bodies.begin()
  }

  async put(message: NewMessage, body: BodyWriter): Promise<void> {
    if (!(body instanceof PostgresBody)) throw new TypeError('a body of another store')
    await this.#commit(async session => {
      await this.#bodies.finish(session, body)
      await putMessage(session, message, body)
    })
    this.#bodies.done(body.id)
  }

  async lease(request: LeaseRequest): Promise<readonly Lease[]> {
    try {
      const leases = await this.#commit(async session => {
        if (this.#leasesInDoubt) await releaseUnheld(session, this.#node, [...this.#held])
        return leaseDue(session, this.#node, request)
      })
      this.#leasesInDoubt = false
      for (const { token } of leases) this.#held.add(token)
      return leases
    } catch (error) {
      // If only the answer was lost, these deliveries would wait for the end of a lease that nobody has.
      this.#leasesInDoubt = true
      throw error
    }
  }

  async *body(id: string): AsyncGenerator<Uint8Array> {
    const row = await asking(() => messageRow(this.#database, id))
    if (row === undefined || row.body === null) throw new Error(`message ${id} has no body`)
    yield* this.#bodies.read(row.body, row.size)
  }

  async settle(lease: Lease, settlement: Settlement): Promise<boolean> {
    const stored = await this.#commit(session => settle(session, this.#bodies, lease, settlement))
    this.#held.delete(lease.token)
    return stored
  }

  async giveBack(lease: Lease, dueAt: number): Promise<void> {
    await asking(() => giveBack(this.#database, lease, dueAt))
    this.#held.delete(lease.token)
  }

  nextDue(busy: readonly string[] = []): Promise<number | undefined> {
    return asking(() => nextDue(this.#database, busy))
  }

  counts(): Promise<QueueCounts> {
    return asking(() => countQueue(this.#database))
  }

  /** A replica answers every question and takes nothing: only a statement that could write tells. */
  async check(): Promise<void> {
    await asking(() => this.#database.run(`delete from queue_key where name = ''`))
  }

  find(id: string): Promise<MessageRecord | undefined> {
    return asking(() => findRecord(this.#database, id))
  }

  list(request: Parameters<QueueOperations['list']>[0]): Promise<readonly WaitingDelivery[]> {
    return asking(() => listWaiting(this.#database, request))
  }

  operate(
    id: string,
    request: Operator & { readonly action: OperatorAction; readonly domain?: string },
  ): Promise<{ readonly changed: number; readonly busy: number } | undefined> {
    return this.#commit(async session => {
      const row = await messageRow(session, id)
      return row === undefined ? undefined : operate(session, row.key, request)
    })
  }

  hold(target: HoldTarget, operator: Operator): Promise<boolean> {
    return asking(() => setHold(this.#database, target, operator))
  }

  lift(target: HoldTarget, operator: Operator): Promise<boolean> {
    return asking(() => liftHold(this.#database, target, operator))
  }

  holds(): Promise<readonly StandingHold[]> {
    return asking(() => holdsWithAmounts(this.#database))
  }

  refused(login: string, limit: number): Promise<readonly RefusedMail[]> {
    return asking(() => refusedOf(this.#database, login, limit))
  }

  /** The address of every recipient in every record, again and again where it is in several. */
  async *recipients(): AsyncGenerator<string> {
    let after = { message: 0, position: -1 }
    for (;;) {
      const rows = await asking(() =>
        this.#database.rows<{ message: number; position: number; address: string }>(
          `select message, position, address from recipient
            where (message, position) > ($1, $2) order by message, position limit $3`,
          [after.message, after.position, CORRESPONDENTS_AT_ONCE],
        ),
      )
      for (const { address } of rows) yield address
      const last = rows.at(-1)
      if (last === undefined) return
      after = last
    }
  }

  async sweep(before: number): Promise<number> {
    return asking(async () => {
      await this.#bodies.sweepLoose()
      await this.#database.run('delete from standing_hold where lifted_at < $1', [before])
      let removed = 0
      for (;;) {
        const portion = await this.#database.run(
          `delete from message where key in (
            select key from message where ended_at < $1 order by ended_at limit $2)`,
          [before, SWEPT_AT_ONCE],
        )
        if (portion === 0) return removed
        removed += portion
      }
    })
  }

  close(): Promise<void> {
    return this.#database.close()
  }

  #commit<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return asking(() => this.#database.transaction(work))
  }
}
