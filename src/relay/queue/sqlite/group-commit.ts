import type { Database } from 'better-sqlite3'

import { StoreUnavailable } from '../store.ts'
import { translate } from './failure.ts'

interface Member {
  readonly work: () => unknown
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

type Result = { readonly value: unknown } | { readonly error: unknown }

// A commit costs one sync of the disk, whoever shares it. More than this would make the first wait for the last.
const MOST = 256

/**
 * One durable transaction for everything that arrives while the previous one is on its way to the disk. A sync of the
 * disk takes longer than fifty inserts: sharing it is what makes thousands of messages a second out of hundreds.
 *
 * A member that fails is rolled back to its savepoint and fails alone. Nobody is told of success before the commit.
 */
export class GroupCommit {
  readonly #database: Database
  #waiting: Member[] = []
  #scheduled = false
  #closed = false
  /** Transactions so far; for the test that they are shared. */
  commits = 0

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Runs a piece of work inside the next shared transaction. It must be synchronous and touch nothing but the
   * database: it is undone if the commit fails.
   *
   * @throws StoreUnavailable if the work or the commit met a full or failing disk; what the work threw otherwise
   */
  run<T>(work: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(closed())
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ work, resolve: resolve as Member['resolve'], reject })
      this.#schedule()
    })
  }

  /** Commits what waits, and takes no more. */
  close(): void {
    this.#closed = true
    while (this.#waiting.length > 0) this.#commit()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    // Not a microtask: after the poll phase every socket that had something to say has joined.
    setImmediate(() => {
      this.#scheduled = false
      this.#commit()
      if (this.#waiting.length > 0) this.#schedule()
    })
  }

  #commit(): void {
    const members = this.#waiting.splice(0, MOST)
    if (members.length === 0) return
    let results: readonly Result[]
    try {
      this.#database.exec('begin immediate')
      results = members.map(member => this.#attempt(member))
      this.#database.exec('commit')
      this.commits++
    } catch (error) {
      if (this.#database.inTransaction) this.#database.exec('rollback')
      const failure = translate(error)
      for (const member of members) member.reject(failure)
      return
    }
    for (const [i, member] of members.entries()) {
      const result = results[i]
      if (result !== undefined && 'value' in result) member.resolve(result.value)
      else member.reject(result?.error)
    }
  }

  #attempt(member: Member): Result {
    this.#database.exec('savepoint member')
    try {
      const value = member.work()
      this.#database.exec('release member')
      return { value }
    } catch (error) {
      // SQLite ends the whole transaction by itself on some failures of the disk: then all have failed.
      if (!this.#database.inTransaction) throw error
      this.#database.exec('rollback to member; release member')
      return { error: translate(error) }
    }
  }
}

function closed(): StoreUnavailable {
  return new StoreUnavailable('queue store: closed', { full: false })
}
