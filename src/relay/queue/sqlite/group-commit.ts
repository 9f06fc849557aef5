import type { Database, Statement } from 'better-sqlite3'

import { StoreUnavailable } from '../store.ts'
import { translate } from './failure.ts'

interface Member {
  readonly work: () => unknown
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
  readonly durable: boolean
}

type Result = { readonly value: unknown } | { readonly error: unknown }

// How long work waits for company that nobody waits for: a tenth of what a sync of a slow disk takes.
const PATIENCE = 5

/** What a commit may do to a piece of work, for fewer syncs of the disk. */
export interface CommitOptions {
  /** It may wait some milliseconds for others to share a commit with. */
  readonly patient?: boolean
  /** False for what may be undone by a power loss (not by `kill -9`), as if it had not been. Default true. */
  readonly durable?: boolean
}

// A commit costs one sync of the disk, whoever shares it. More than this would make the first wait for the last.
const MOST = 256

/**
 * One durable transaction for everything that arrives while the previous one is on its way to the disk. A sync of the
 * disk takes longer than fifty inserts: sharing it is what makes thousands of messages a second out of hundreds.
 *
 * A member that fails, fails alone: all is undone and done again, each member with a savepoint, which costs too much to
 * have one where all goes well, as it nearly always does. Nobody is told of success before the commit.
 */
export class GroupCommit {
  readonly #database: Database
  #waiting: Member[] = []
  #scheduled = false
  #patience: NodeJS.Timeout | undefined
  #closed = false
  readonly #before: () => void
  readonly #sync: () => Promise<void>
  readonly #after: () => void
  #syncing: Promise<void> | undefined
  readonly #statements: Readonly<
    Record<'begin' | 'commit' | 'savepoint' | 'release', Statement<[]>>
  >
  /** Transactions so far; for the test that they are shared. */
  commits = 0
  /** Those of them that waited for the disk. */
  syncs = 0

  /**
   * @param around.before takes part in every transaction, as its last step
   * @param around.sync has the disk keep what was committed
   * @param around.after told when it does
   */
  constructor(
    database: Database,
    around: {
      readonly before: () => void
      readonly sync: () => Promise<void>
      readonly after: () => void
    },
  ) {
    this.#database = database
    this.#before = around.before
    this.#sync = around.sync
    this.#after = around.after
    this.#statements = {
      begin: database.prepare('begin immediate'),
      commit: database.prepare('commit'),
      savepoint: database.prepare('savepoint member'),
      release: database.prepare('release member'),
    }
  }

  /**
   * Runs a piece of work inside the next shared transaction. It must be synchronous and touch nothing but the
   * database: it is undone if the commit fails, and done once more if another member does.
   *
   * @throws StoreUnavailable if the work, the commit or the sync met a full or failing disk; what the work threw otherwise
   */
  run<T>(work: () => T, { patient = false, durable = true }: CommitOptions = {}): Promise<T> {
    if (this.#closed) return Promise.reject(closed())
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ work, resolve: resolve as Member['resolve'], reject, durable })
      if (!patient || this.#waiting.length >= MOST) this.#schedule()
      else this.#patience ??= setTimeout(() => this.#schedule(), PATIENCE)
    })
  }

  /** Commits what waits, and takes no more. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#patience)
    await this.#syncing
    while (this.#waiting.length > 0) {
      this.#commit()
      await this.#syncing
    }
  }

  #schedule(): void {
    // While the disk is at work company gathers. Nothing else is written then, so that a sync is of one group.
    if (this.#scheduled || this.#syncing) return
    this.#scheduled = true
    clearTimeout(this.#patience)
    this.#patience = undefined
    // Not a microtask: after the poll phase every socket that had something to say has joined.
    setImmediate(() => {
      this.#scheduled = false
      if (this.#closed) return
      this.#commit()
      if (this.#waiting.length > 0) this.#schedule()
    })
  }

  #commit(): void {
    const members = this.#waiting.splice(0, MOST)
    if (members.length === 0) return
    let results: readonly Result[]
    const durable = members.some(member => member.durable)
    try {
      results = this.#transact(members)
      this.commits++
      if (durable) this.syncs++
    } catch (error) {
      this.#undo()
      return fail(members, translate(error))
    }
    if (durable) this.#syncing = this.#keep(members, results)
    else tell(members, results)
  }

  /** Never rejects. */
  async #keep(members: readonly Member[], results: readonly Result[]): Promise<void> {
    try {
      await this.#sync()
      this.#after()
      tell(members, results)
    } catch (error) {
      fail(members, error)
    } finally {
      this.#syncing = undefined
    }
    if (this.#waiting.length > 0) this.#schedule()
  }

  #transact(members: readonly Member[]): readonly Result[] {
    this.#statements.begin.run()
    const results = this.#trust(members) ?? members.map(member => this.#attempt(member))
    this.#before()
    this.#statements.commit.run()
    return results
  }

  /** @returns nothing where a member has failed: then nothing has been done */
  #trust(members: readonly Member[]): readonly Result[] | undefined {
    try {
      return members.map(({ work }) => ({ value: work() }))
    } catch {
      this.#undo()
      this.#statements.begin.run()
      return undefined
    }
  }

  #undo(): void {
    if (this.#database.inTransaction) this.#database.exec('rollback')
  }

  #attempt(member: Member): Result {
    this.#statements.savepoint.run()
    try {
      const value = member.work()
      this.#statements.release.run()
      return { value }
    } catch (error) {
      // SQLite ends the whole transaction by itself on some failures of the disk: then all have failed.
      if (!this.#database.inTransaction) throw error
      this.#database.exec('rollback to member; release member')
      return { error: translate(error) }
    }
  }
}

function tell(members: readonly Member[], results: readonly Result[]): void {
  for (const [i, member] of members.entries()) {
    const result = results[i]
    if (result !== undefined && 'value' in result) member.resolve(result.value)
    else member.reject(result?.error)
  }
}

function fail(members: readonly Member[], error: unknown): void {
  for (const member of members) member.reject(error)
}

function closed(): StoreUnavailable {
  return new StoreUnavailable('queue store: closed', { full: false })
}
