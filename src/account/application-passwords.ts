import { setTimeout as wait } from 'node:timers/promises'

import { DAY, HOUR, SECOND, type Clock } from '../base/clock.ts'
import { newId } from '../base/id.ts'
import type { Part } from '../base/lifecycle.ts'
import { Periodic } from '../base/periodic.ts'
import { messageOf } from '../base/problem.ts'
import type { Secret } from '../base/secret.ts'
import type { Directory } from '../directory/directory.ts'
import type { LoginResult } from '../directory/principal.ts'
import type { ApplicationPasswordStore } from './application-password-store.ts'
import {
  digestOf,
  MOST_PER_LOGIN,
  newApplicationPassword,
  plainForm,
  type ApplicationPassword,
} from './application-password.ts'
import type { ReportAccountEvent } from './events.ts'

interface ApplicationPasswordsOptions {
  readonly store: ApplicationPasswordStore
  readonly directory: Pick<
    Directory,
    'authenticate' | 'account' | 'loginOf' | 'principal' | 'ready'
  >
  /** Milliseconds that those of an account that is gone from the directory are kept. Default 30 d: by then it was no slip. */
  readonly orphansKept?: number
  readonly report: ReportAccountEvent
  readonly clock: Clock
}

type Check = 'match' | 'none' | 'unavailable'

/** Milliseconds that a mail program waits for a database that does not answer. */
const PATIENCE = 5 * SECOND
const ORPHANS_KEPT = 30 * DAY
// Logins whose last use is in memory, so that it is not written at each of them.
const MOST_REMEMBERED = 10_000

/** The passwords that we have made for people's programs, as a second way to log in beside the directory's. */
export class ApplicationPasswords implements Part {
  readonly name = 'application passwords'
  readonly #options: ApplicationPasswordsOptions
  readonly #lastUse = new Map<string, number>()
  readonly #sweeping: Periodic
  #writing: Promise<unknown> = Promise.resolve()

  constructor(options: ApplicationPasswordsOptions) {
    this.#options = options
    const failed = (error: unknown): void =>
      options.report({ kind: 'account-fault', cause: messageOf(error) })
    this.#sweeping = new Periodic({ name: this.name, every: HOUR, run: () => this.sweep(), failed })
  }

  start(): Promise<void> {
    return this.#sweeping.start()
  }

  async stop(): Promise<void> {
    await this.#sweeping.stop()
    await this.#writing
    await this.#options.store.close()
  }

  /**
   * `Directory.authenticate`, and application passwords. Only what has their shape is looked up; that costs a fast digest
   * and one row, the same whether there is such a login or not. What is not found goes the ordinary way, and so takes the
   * ordinary time: neither tells a guesser anything.
   */
  async authenticate(login: string, password: string): Promise<LoginResult> {
    const { directory } = this.#options
    const plain = directory.ready() ? plainForm(password) : undefined
    const canonical = directory.loginOf(login)
    if (plain === undefined || canonical === undefined) {
      return directory.authenticate(login, password)
    }
    const check = await this.#check(canonical, plain)
    // Locked, expired, gone: then it is nobody's, whatever was found.
    const principal = check === 'match' ? directory.principal(canonical) : undefined
    if (principal !== undefined) return { kind: 'accepted', principal }
    const result = await directory.authenticate(login, password)
    return check === 'unavailable' && result.kind === 'refused'
      ? { kind: 'unavailable', cause: 'the application passwords cannot be looked up' }
      : result
  }

  /** @returns undefined if the login has as many as anybody may have */
  async create(login: string, name: string): Promise<Secret | undefined> {
    const { store, directory, clock, report } = this.#options
    const secret = newApplicationPassword()
    const account = directory.account(login)?.uuid ?? ''
    const id = newId(clock)
    const made = { id, login, account, name, createdAt: clock(), usedAt: undefined }
    const digest = digestOf(login, plainForm(secret.reveal()) ?? '')
    if (!(await store.add(made, digest, MOST_PER_LOGIN))) return undefined
    report({ kind: 'application-password', login, action: 'created' })
    return secret
  }

  list(login: string): Promise<readonly ApplicationPassword[]> {
    return this.#options.store.list(login)
  }

  /** From the next login on it is refused. */
  async revoke(login: string, id: string): Promise<boolean> {
    const removed = await this.#options.store.remove(login, id)
    if (removed) this.#options.report({ kind: 'application-password', login, action: 'revoked' })
    return removed
  }

  /** Forgets those of accounts that have been gone for long. */
  async sweep(): Promise<void> {
    const { store, directory, clock, orphansKept = ORPHANS_KEPT } = this.#options
    if (!directory.ready()) return
    for (const login of await store.logins()) {
      if (directory.account(login) === undefined) await store.forget(login, clock() - orphansKept)
    }
  }

  async #check(login: string, plain: string): Promise<Check> {
    const { store, directory } = this.#options
    const done = new AbortController()
    try {
      const found = await Promise.race([
        store.find(login, digestOf(login, plain)),
        wait(PATIENCE, 'late' as const, { signal: done.signal, ref: false }),
      ])
      if (found === 'late') return 'unavailable'
      if (found === undefined || found.account !== directory.account(login)?.uuid) return 'none'
      this.#note(found)
      return 'match'
    } catch {
      return 'unavailable'
    } finally {
      done.abort()
    }
  }

  /** Beside the login, which does not wait for it. */
  #note({ id }: ApplicationPassword): void {
    const { store, clock, report } = this.#options
    const now = clock()
    if (now - (this.#lastUse.get(id) ?? -Infinity) < HOUR) return
    if (this.#lastUse.size >= MOST_REMEMBERED) this.#lastUse.clear()
    this.#lastUse.set(id, now)
    this.#writing = Promise.all([
      this.#writing,
      store.used(id, now).catch((error: unknown) => {
        this.#lastUse.delete(id)
        report({ kind: 'account-fault', cause: messageOf(error) })
      }),
    ])
  }
}
