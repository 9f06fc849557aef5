import { setTimeout as wait } from 'node:timers/promises'

import { DAY, SECOND, type Clock } from '../base/clock.ts'
import { remember } from '../base/remember.ts'
import type { Secret } from '../base/secret.ts'
import type { Directory } from '../directory/directory.ts'
import type { LdapOwners, OwnerChange } from '../directory/ldap-owner.ts'
import { longestFor, type PasswordMaker } from '../directory/password/maker.ts'
import type { Door } from './door.ts'
import type { ReportAccountEvent } from './events.ts'
import type { Session } from './sessions.ts'

export interface MailPasswordOptions {
  readonly directory: Pick<Directory, 'isInForce' | 'sync'>
  readonly owners: Pick<LdapOwners, 'change'>
  readonly maker: Pick<PasswordMaker, 'make' | 'scheme'>
  readonly door: Pick<Door, 'guarded'>
  readonly report: ReportAccountEvent
  readonly clock: Clock
}

/** What became of a wish for another password. */
export type PasswordChange =
  | { readonly kind: 'changed' }
  | { readonly kind: 'refused' | 'too-many' | 'unavailable' | 'forbidden' | 'unknown' }
  | { readonly kind: 'unfit'; readonly why: Unfit }

export type Unfit = 'short' | 'long' | 'unprintable' | 'like-login' | 'like-directory'

/** A change that was made here, and how far it has come. */
export interface ChangeState {
  /** When the directory took it, or was asked to. Milliseconds since the epoch. */
  readonly at: number
  /** `arrived`: logins are checked against it. `unconfirmed`: the directory never said whether it took it. */
  readonly state: 'arrived' | 'under-way' | 'unconfirmed'
  /** When it was first seen to have arrived. */
  readonly arrivedAt?: number
}

interface Change {
  readonly at: number
  readonly hash: string
  readonly confirmed: boolean
  arrivedAt: number | undefined
}

export const SHORTEST_PASSWORD = 12
// What anybody waits for before a page; the comparison goes on behind it.
const PATIENCE = 3 * SECOND
const REMEMBERED_FOR = DAY
const MOST_REMEMBERED = 1_000

/** The change of the mail password by its owner, and whether it is in force here. */
export class MailPassword {
  readonly #options: MailPasswordOptions
  readonly #changes = new Map<string, Change>()
  #running: Promise<unknown> = Promise.resolve()
  #next: Promise<unknown> | undefined

  constructor(options: MailPasswordOptions) {
    this.#options = options
  }

  /**
   * Writes a new password into the directory, as its owner, who shows the directory's password for it once more: it is not
   * kept between two clicks.
   */
  async change(
    { login }: Session,
    directoryPassword: Secret,
    wanted: Secret,
    network: string,
  ): Promise<PasswordChange> {
    const { maker, owners, door, report, clock } = this.#options
    const why = unfitness(wanted, login, directoryPassword, longestFor(maker.scheme))
    if (why !== undefined) return { kind: 'unfit', why }
    const hash = await maker.make(wanted.reveal())
    if (hash === undefined) {
      report({ kind: 'account-fault', cause: `${maker.scheme} cannot be made on this host` })
      return { kind: 'unavailable' }
    }
    const result: OwnerChange | { readonly kind: 'proven' | 'too-many' } = await door.guarded(
      'directory',
      login,
      directoryPassword,
      network,
      () => owners.change(login, directoryPassword, hash),
    )
    if (result.kind === 'proven' || result.kind === 'too-many') return { kind: 'too-many' }
    report({
      kind: 'mail-password-change',
      login,
      result: result.kind === 'forbidden' ? 'refused' : result.kind,
      ...('cause' in result && { cause: result.cause }),
    })
    if (result.kind === 'changed' || result.kind === 'unknown') {
      this.#remember(login, { at: clock(), hash, confirmed: result.kind === 'changed' })
      await this.look()
    }
    return { kind: result.kind }
  }

  /** Compares with the directory, as long as somebody likes to wait for it. */
  async look(): Promise<void> {
    const done = new AbortController()
    const impatience = wait(PATIENCE, undefined, { signal: done.signal, ref: false })
    await Promise.race([this.#compared(), impatience.catch(() => undefined)])
    done.abort()
  }

  /** The last change that was made here, if it was today. */
  stateOf(login: string): ChangeState | undefined {
    const change = this.#changes.get(login)
    const now = this.#options.clock()
    if (change === undefined || now - change.at >= REMEMBERED_FOR) return undefined
    const { at, hash, confirmed } = change
    if (change.arrivedAt === undefined && this.#options.directory.isInForce(login, hash)) {
      change.arrivedAt = now
    }
    return change.arrivedAt === undefined
      ? { at, state: confirmed ? 'under-way' : 'unconfirmed' }
      : { at, state: 'arrived', arrivedAt: change.arrivedAt }
  }

  /** One that is under way may have read too early; a single one behind it is enough for all who ask meanwhile. */
  #compared(): Promise<unknown> {
    this.#next ??= this.#running.then(() => {
      this.#next = undefined
      this.#running = this.#options.directory.sync()
      return this.#running
    })
    return this.#next
  }

  #remember(login: string, change: Omit<Change, 'arrivedAt'>): void {
    remember(this.#changes, login, { ...change, arrivedAt: undefined }, MOST_REMEMBERED)
  }
}

/** Why a password would not do; nothing of what it has to be made of, which makes people write `Passw0rd!`. */
function unfitness(
  wanted: Secret,
  login: string,
  directoryPassword: Secret,
  longest: number,
): Unfit | undefined {
  const text = wanted.reveal()
  if (/[\p{Control}\p{Surrogate}]/u.test(text)) return 'unprintable'
  if (Array.from(text).length < SHORTEST_PASSWORD) return 'short'
  if (Buffer.byteLength(text) > longest) return 'long'
  if (text === directoryPassword.reveal()) return 'like-directory'
  return text.toLowerCase().replaceAll(login, '').length < SHORTEST_PASSWORD / 2
    ? 'like-login'
    : undefined
}
