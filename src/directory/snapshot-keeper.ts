import { jitter, SECOND, type Clock, type Random } from '../base/clock.ts'
import { messageOf } from '../base/problem.ts'
import type { Snapshot } from './account.ts'
import type { Senders } from './addresses.ts'
import type { ReportDirectoryEvent } from './events.ts'
import { GUARD_LIMITS, type GuardLimits } from './guard.ts'
import { EMPTY_ROSTER, rosterOf, type Roster } from './roster.ts'
import { loadSnapshots, saveSnapshots } from './snapshot-file.ts'
import { SourceSync, type SyncRequest, type SyncResult } from './source-sync.ts'
import type { DirectorySource } from './source.ts'
import { statusOf, type DirectoryStatus } from './status.ts'

/** What can be another from one moment to the next. */
export interface DirectorySettings {
  /** In order of precedence: the first that names a login decides about it. */
  readonly sources: readonly DirectorySource[]
  /** Who else may send as an address. */
  readonly senders?: Senders
  /** Milliseconds between comparisons, spread by a tenth. */
  readonly syncEvery: number
  /** Milliseconds after which everything is read: only then are people seen who are gone. */
  readonly fullEvery: number
  readonly guard?: GuardLimits
}

export interface SnapshotKeeperOptions extends DirectorySettings {
  readonly snapshotPath: string
  /** Own domains, in lower-case A-label form. */
  readonly domains: readonly string[]
  readonly allowDes?: boolean
  readonly report: ReportDirectoryEvent
  readonly clock: Clock
  readonly random: Random
}

/**
 * Keeps one snapshot for each source: compared with it in the background, on disk for the next start, and in force as one
 * roster. Comparisons happen one after the other, and the roster changes at once, as a whole.
 */
export class SnapshotKeeper {
  readonly #options: SnapshotKeeperOptions
  #settings: DirectorySettings
  #syncs: readonly SourceSync[]
  readonly #stopping = new AbortController()
  #roster = EMPTY_ROSTER
  #ready = false
  #timer: NodeJS.Timeout | undefined
  #running: Promise<unknown> = Promise.resolve()

  constructor(options: SnapshotKeeperOptions) {
    this.#options = options
    this.#settings = options
    this.#syncs = this.#syncsOf(options)
  }

  /** What is in force. */
  get roster(): Roster {
    return this.#roster
  }

  /** Milliseconds between comparisons. */
  get syncEvery(): number {
    return this.#settings.syncEvery
  }

  /** Whether every source has a snapshot: without one of them, nobody can say that a login does not exist. */
  ready(): boolean {
    return this.#ready
  }

  /** @param schemes that this host can verify */
  status(schemes: ReadonlySet<string>): DirectoryStatus {
    return statusOf(this.#roster, this.#syncs, schemes, this.#options.clock())
  }

  /** Compares from now on; resolves once there is something in force, or the first try was in vain. */
  async start(): Promise<void> {
    if (this.#stopping.signal.aborted) return
    const first = this.sync().finally(() => this.#schedule())
    if (!this.ready()) await first
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    clearTimeout(this.#timer)
    await this.#running
  }

  /** As `Directory.reconfigure`. */
  reconfigure(settings: DirectorySettings): Promise<string | undefined> {
    const change = this.#running.then(async () => {
      const syncs = this.#syncsOf(settings)
      for (const sync of syncs) {
        const { name } = sync.source
        const kept = this.#syncs.find(({ source }) => source.name === name)?.snapshot
        if (kept !== undefined) sync.restore(kept)
        const read = kept === undefined && (await sync.run({}, this.#stopping.signal))
        if (read && read.kind === 'failed') return `${name} could not be read: ${read.cause}`
        if (read && read.kind === 'refused') return `${name} was not believed: ${read.reason}`
      }
      this.#settings = settings
      this.#syncs = syncs
      await this.#call()
      await this.#keep()
      return undefined
    })
    this.#running = change.catch(() => undefined)
    void this.sync().finally(() => this.#schedule())
    return change
  }

  /** As `Directory.sync`. */
  sync(request: SyncRequest = {}): Promise<readonly SyncResult[]> {
    const run = this.#running.then(async () => {
      const results: SyncResult[] = []
      for (const sync of this.#syncs) {
        if (this.#stopping.signal.aborted) break
        results.push(await this.#syncOne(sync, request))
      }
      return results
    })
    this.#running = run.catch(() => undefined)
    return run
  }

  /** Takes what was kept on disk. Never throws: without it there is nothing yet. */
  async restore(): Promise<void> {
    const { snapshotPath, report } = this.#options
    try {
      const kept = await loadSnapshots(snapshotPath)
      if (kept === undefined) return
      for (const sync of this.#syncs) {
        const snapshot = kept.get(sync.source.name)
        if (snapshot !== undefined) sync.restore(snapshot)
      }
      await this.#call()
      const { ageSeconds = 0, accounts } = this.status(new Set())
      if (accounts > 0) report({ kind: 'directory-loaded', accounts, ageSeconds })
    } catch (error) {
      report({ kind: 'directory-sync-failed', source: 'snapshot', cause: messageOf(error) })
    }
  }

  async #syncOne(sync: SourceSync, request: SyncRequest): Promise<SyncResult> {
    const { clock, report } = this.#options
    const source = sync.source.name
    const began = clock()
    const result = await sync.run(request, this.#stopping.signal)
    switch (result.kind) {
      case 'failed':
        // Given up because we are stopping: that is nobody's trouble.
        if (!this.#stopping.signal.aborted) {
          report({ kind: 'directory-sync-failed', source, cause: result.cause })
        }
        return result
      case 'refused':
        report({ kind: 'directory-sync-refused', source, reason: result.reason })
        return result
      case 'synced':
        if (result.full || result.changed > 0) await this.#keep()
        if (result.changed > 0) await this.#call()
        report({
          kind: 'directory-synced',
          source,
          accounts: result.snapshot.usable,
          changed: result.changed,
          rejected: result.snapshot.rejected,
          seconds: (clock() - began) / SECOND,
        })
        return result
    }
  }

  #syncsOf({ sources, fullEvery, guard = GUARD_LIMITS }: DirectorySettings): SourceSync[] {
    const { clock, allowDes = false } = this.#options
    return sources.map(source => new SourceSync({ source, fullEvery, guard, allowDes, clock }))
  }

  #snapshots(): readonly Snapshot[] {
    return this.#syncs.flatMap(sync => sync.snapshot ?? [])
  }

  /** Puts what the sources have said in force. */
  async #call(): Promise<void> {
    const { domains, allowDes = false } = this.#options
    const { senders = new Map() } = this.#settings
    this.#roster = await rosterOf(this.#snapshots(), domains, senders, allowDes)
    // NOT BEFORE THE ROSTER IS IN FORCE: somebody who is in the snapshot and not yet in it would be refused.
    this.#ready = this.#syncs.every(sync => sync.snapshot !== undefined)
  }

  async #keep(): Promise<void> {
    try {
      await saveSnapshots(this.#options.snapshotPath, this.#snapshots())
    } catch (error) {
      // In force all the same: somebody may have been locked for a reason, and a full disk must not let them in.
      this.#options.report({
        kind: 'directory-sync-failed',
        source: 'snapshot',
        cause: messageOf(error),
      })
    }
  }

  #schedule(): void {
    if (this.#stopping.signal.aborted) return
    clearTimeout(this.#timer)
    const wait = jitter(this.#settings.syncEvery, 0.1, this.#options.random)
    this.#timer = setTimeout(() => void this.sync().finally(() => this.#schedule()), wait)
  }
}
