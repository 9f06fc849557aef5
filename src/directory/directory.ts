import { jitter, SECOND, type Clock, type Random } from '../base/clock.ts'
import type { Part } from '../base/lifecycle.ts'
import { messageOf } from '../base/problem.ts'
import { PASSWORD_FAULTS, type Account, type Snapshot } from './account.ts'
import type { Senders } from './addresses.ts'
import type { ReportDirectoryEvent } from './events.ts'
import { GUARD_LIMITS, type GuardLimits } from './guard.ts'
import { canonicalLogin, loginFromClient } from './login.ts'
import { parseStored } from './password/scheme.ts'
import { Verifier, type VerifierOptions } from './password/verifier.ts'
import type { LoginResult, Principal } from './principal.ts'
import { EMPTY_ROSTER, rosterOf, type KeyOwner } from './roster.ts'
import { loadSnapshots, saveSnapshots } from './snapshot-file.ts'
import { SourceSync, usableOf, type SyncRequest, type SyncResult } from './source-sync.ts'
import type { DirectorySource } from './source.ts'
import { accountStatusOf, statusOf, type AccountStatus, type DirectoryStatus } from './status.ts'

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

export interface DirectoryOptions extends DirectorySettings {
  readonly snapshotPath: string
  /** Own domains, in lower-case A-label form. */
  readonly domains: readonly string[]
  /** Whether `login@own.domain` is taken for the login. */
  readonly acceptAddressAsLogin: boolean
  readonly allowDes?: boolean
  readonly verifier?: VerifierOptions
  readonly report: ReportDirectoryEvent
  readonly clock: Clock
  readonly random: Random
}

/**
 * Who may log in and send as whom: a snapshot in memory and on disk, compared with its sources in the background.
 * A login never asks a source, so mail flows while LDAP is down, for a week if need be.
 */
export class Directory implements Part {
  readonly name = 'directory'
  readonly #options: DirectoryOptions
  #settings: DirectorySettings
  #syncs: readonly SourceSync[]
  readonly #verifier: Verifier
  readonly #stopping = new AbortController()
  #roster = EMPTY_ROSTER
  #timer: NodeJS.Timeout | undefined
  #running: Promise<unknown> = Promise.resolve()

  constructor(options: DirectoryOptions) {
    this.#options = options
    this.#settings = options
    this.#syncs = this.#syncsOf(options)
    this.#verifier = new Verifier({ clock: options.clock, ...options.verifier })
  }

  /** Resolves once logins can be answered: with the snapshot on disk, else after the first try at the sources. */
  async start(): Promise<void> {
    await Promise.all([this.#verifier.start(), this.restore()])
    if (this.#stopping.signal.aborted) return
    const first = this.sync().finally(() => this.#schedule())
    if (!this.ready()) await first
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    clearTimeout(this.#timer)
    await this.#running
    await this.#verifier.stop()
  }

  /**
   * Has other sources and rules from now on. What is known of a source that stays is kept and compared with it at once; a new
   * one is read first, so that nobody is without an answer in between.
   *
   * @returns why everything is as it was: a new source could not be read; undefined once it is another
   */
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
      this.#call()
      await this.#keep()
      return undefined
    })
    this.#running = change.catch(() => undefined)
    void this.sync().finally(() => this.#schedule())
    return change
  }

  /** Milliseconds between comparisons. */
  get syncEvery(): number {
    return this.#settings.syncEvery
  }

  /** Whether every source has a snapshot: without one of them, nobody can say that a login does not exist. */
  ready(): boolean {
    return this.#syncs.every(sync => sync.snapshot !== undefined)
  }

  /** @param login as the client wrote it */
  async authenticate(login: string, password: string): Promise<LoginResult> {
    if (!this.ready()) return { kind: 'unavailable', cause: 'no directory snapshot is loaded' }
    const canonical = this.#canonical(login)
    const account = canonical === undefined ? undefined : this.#roster.accounts.get(canonical)
    const stored = parseStored(account?.hash ?? '', this.#options.allowDes ?? false)
    if (account === undefined || typeof stored === 'string') {
      return this.#refuse(canonical ?? '', password)
    }
    const result = await this.#verifier.verify(account.login, stored, password)
    if (result.kind === 'unavailable') return result
    const principal = this.principal(account.login)
    return result.kind === 'match' && principal !== undefined
      ? { kind: 'accepted', principal }
      : { kind: 'refused' }
  }

  /** Somebody who can log in, and what they may send as; undefined for everybody else. */
  principal(login: string): Principal | undefined {
    const account = this.#roster.accounts.get(this.#canonical(login) ?? '')
    if (account === undefined || account.rejection !== undefined) return undefined
    return this.#principalOf(account)
  }

  /** Somebody who was recognised by an SSH key, and what they may send as: what is wrong with a password does not matter. */
  entrust(login: string): LoginResult {
    if (!this.ready()) return { kind: 'unavailable', cause: 'no directory snapshot is loaded' }
    const account = this.#roster.accounts.get(canonicalLogin(login) ?? '')
    const { rejection } = account ?? {}
    return account === undefined || (rejection !== undefined && !PASSWORD_FAULTS.has(rejection))
      ? { kind: 'refused' }
      : { kind: 'accepted', principal: this.#principalOf(account) }
  }

  /**
   * Whose an SSH key is.
   *
   * @param fingerprint `SHA256:...`
   */
  ownerOfKey(fingerprint: string): KeyOwner | undefined {
    return this.#roster.keys.get(fingerprint)
  }

  /** The login that a client means by what it wrote, whether anybody has it or not; undefined for what nobody can have. */
  loginOf(text: string): string | undefined {
    return this.#canonical(text)
  }

  /** Whether a stored password is the one that logins are checked against now. */
  isInForce(login: string, hash: string): boolean {
    return this.#roster.accounts.get(login)?.hash === hash
  }

  /** Every login that is known, whether it can log in or not, and what it may send as. */
  *everybody(): Generator<Principal> {
    for (const login of this.#roster.accounts.keys()) {
      yield { login, addresses: this.#roster.addresses.get(login) ?? [] }
    }
  }

  /** What is known of everybody, one after the other. */
  *accounts(): Generator<AccountStatus> {
    for (const login of this.#roster.accounts.keys()) {
      const account = accountStatusOf(this.#roster, login)
      if (account !== undefined) yield account
    }
  }

  /** What is known of one login, whether it can log in or not. */
  account(login: string): AccountStatus | undefined {
    return accountStatusOf(this.#roster, this.#canonical(login) ?? '')
  }

  status(): DirectoryStatus {
    const { clock } = this.#options
    return statusOf(this.#roster, this.#syncs, this.#verifier.schemes, clock())
  }

  /** Compares with every source now, after a comparison that is under way; never throws. */
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
        if (result.changed > 0) this.#call()
        report({
          kind: 'directory-synced',
          source,
          accounts: usableOf(result.snapshot),
          changed: result.changed,
          rejected: result.snapshot.rejected,
          seconds: (clock() - began) / SECOND,
        })
        return result
    }
  }

  #refuse(login: string, password: string): Promise<LoginResult> {
    const { typical } = this.#roster
    if (typical === undefined) return Promise.resolve({ kind: 'refused' })
    return this.#verifier
      .pretend(login, typical, password)
      .then(result => (result.kind === 'unavailable' ? result : { kind: 'refused' }))
  }

  #principalOf({ login }: Account): Principal {
    return { login, addresses: this.#roster.addresses.get(login) ?? [] }
  }

  #canonical(login: string): string | undefined {
    return loginFromClient(login, this.#options.domains, this.#options.acceptAddressAsLogin)
  }

  #syncsOf({ sources, fullEvery, guard = GUARD_LIMITS }: DirectorySettings): SourceSync[] {
    const { clock, allowDes = false } = this.#options
    return sources.map(source => new SourceSync({ source, fullEvery, guard, allowDes, clock }))
  }

  #snapshots(): readonly Snapshot[] {
    return this.#syncs.flatMap(sync => sync.snapshot ?? [])
  }

  /** Puts what the sources have said in force. */
  #call(): void {
    const { domains, allowDes = false } = this.#options
    const { senders = new Map() } = this.#settings
    this.#roster = rosterOf(this.#snapshots(), domains, senders, allowDes)
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
      this.#call()
      const { ageSeconds = 0, accounts } = this.status()
      if (accounts > 0) report({ kind: 'directory-loaded', accounts, ageSeconds })
    } catch (error) {
      report({ kind: 'directory-sync-failed', source: 'snapshot', cause: messageOf(error) })
    }
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
