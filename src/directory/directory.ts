import type { Part } from '../base/lifecycle.ts'
import { PASSWORD_FAULTS, type Account } from './account.ts'
import { canonicalLogin, loginFromClient } from './login.ts'
import { parseStored } from './password/scheme.ts'
import { Verifier, type VerifierOptions } from './password/verifier.ts'
import type { LoginResult, Principal } from './principal.ts'
import type { KeyOwner } from './roster.ts'
import {
  SnapshotKeeper,
  type DirectorySettings,
  type SnapshotKeeperOptions,
} from './snapshot-keeper.ts'
import type { SyncRequest, SyncResult } from './source-sync.ts'
import { accountStatusOf, type AccountStatus, type DirectoryStatus } from './status.ts'

export interface DirectoryOptions extends SnapshotKeeperOptions {
  /** Whether `login@own.domain` is taken for the login. */
  readonly acceptAddressAsLogin: boolean
  readonly verifier?: VerifierOptions
}

/**
 * Who may log in and send as whom: a snapshot in memory and on disk, compared with its sources in the background.
 * A login never asks a source, so mail flows while LDAP is down, for a week if need be.
 */
export class Directory implements Part {
  readonly name = 'directory'
  readonly #options: DirectoryOptions
  readonly #keeper: SnapshotKeeper
  readonly #verifier: Verifier

  constructor(options: DirectoryOptions) {
    this.#options = options
    this.#keeper = new SnapshotKeeper(options)
    this.#verifier = new Verifier({ clock: options.clock, ...options.verifier })
  }

  /** Resolves once logins can be answered: with the snapshot on disk, else after the first try at the sources. */
  async start(): Promise<void> {
    await Promise.all([this.#verifier.start(), this.restore()])
    await this.#keeper.start()
  }

  async stop(): Promise<void> {
    await this.#keeper.stop()
    await this.#verifier.stop()
  }

  /** Takes what was kept on disk. Never throws: without it there is nothing yet. */
  restore(): Promise<void> {
    return this.#keeper.restore()
  }

  /**
   * Has other sources and rules from now on. What is known of a source that stays is kept and compared with it at once; a new
   * one is read first, so that nobody is without an answer in between.
   *
   * @returns why everything is as it was: a new source could not be read; undefined once it is another
   */
  reconfigure(settings: DirectorySettings): Promise<string | undefined> {
    return this.#keeper.reconfigure(settings)
  }

  /** Compares with every source now, after a comparison that is under way; never throws. */
  sync(request: SyncRequest = {}): Promise<readonly SyncResult[]> {
    return this.#keeper.sync(request)
  }

  /** Milliseconds between comparisons. */
  get syncEvery(): number {
    return this.#keeper.syncEvery
  }

  /** Whether every source has a snapshot: without one of them, nobody can say that a login does not exist. */
  ready(): boolean {
    return this.#keeper.ready()
  }

  /** @param login as the client wrote it */
  async authenticate(login: string, password: string): Promise<LoginResult> {
    if (!this.ready()) return { kind: 'unavailable', cause: 'no directory snapshot is loaded' }
    const canonical = this.#canonical(login)
    const account =
      canonical === undefined ? undefined : this.#keeper.roster.accounts.get(canonical)
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
    const account = this.#keeper.roster.accounts.get(this.#canonical(login) ?? '')
    if (account === undefined || account.rejection !== undefined) return undefined
    return this.#principalOf(account)
  }

  /** Somebody who was recognised by an SSH key, and what they may send as: what is wrong with a password does not matter. */
  entrust(login: string): LoginResult {
    if (!this.ready()) return { kind: 'unavailable', cause: 'no directory snapshot is loaded' }
    const account = this.#keeper.roster.accounts.get(canonicalLogin(login) ?? '')
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
    return this.#keeper.roster.keys.get(fingerprint)
  }

  /** The login that a client means by what it wrote, whether anybody has it or not; undefined for what nobody can have. */
  loginOf(text: string): string | undefined {
    return this.#canonical(text)
  }

  /** Whether a stored password is the one that logins are checked against now. */
  isInForce(login: string, hash: string): boolean {
    return this.#keeper.roster.accounts.get(login)?.hash === hash
  }

  /** Every login that is known, whether it can log in or not, and what it may send as. */
  *everybody(): Generator<Principal> {
    for (const login of this.#keeper.roster.accounts.keys()) {
      yield { login, addresses: this.#keeper.roster.addresses.get(login) ?? [] }
    }
  }

  /** What is known of everybody, one after the other. */
  *accounts(): Generator<AccountStatus> {
    for (const login of this.#keeper.roster.accounts.keys()) {
      const account = accountStatusOf(this.#keeper.roster, login)
      if (account !== undefined) yield account
    }
  }

  /** What is known of one login, whether it can log in or not. */
  account(login: string): AccountStatus | undefined {
    return accountStatusOf(this.#keeper.roster, this.#canonical(login) ?? '')
  }

  status(): DirectoryStatus {
    const { allowDes = false } = this.#options
    const schemes = [...this.#verifier.schemes].filter(scheme => scheme !== 'des' || allowDes)
    return this.#keeper.status(new Set(schemes))
  }

  #refuse(login: string, password: string): Promise<LoginResult> {
    const { typical } = this.#keeper.roster
    if (typical === undefined) return Promise.resolve({ kind: 'refused' })
    return this.#verifier
      .pretend(login, typical, password)
      .then(result => (result.kind === 'unavailable' ? result : { kind: 'refused' }))
  }

  #principalOf({ login }: Account): Principal {
    return { login, addresses: this.#keeper.roster.addresses.get(login) ?? [] }
  }

  #canonical(login: string): string | undefined {
    return loginFromClient(login, this.#options.domains, this.#options.acceptAddressAsLogin)
  }
}
