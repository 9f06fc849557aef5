import { setTimeout as wait } from 'node:timers/promises'

import { SECOND, type Clock } from '../base/clock.ts'
import { messageOf } from '../base/problem.ts'
import type { Secret } from '../base/secret.ts'
import type { Rejection } from '../directory/account.ts'
import type { Directory } from '../directory/directory.ts'
import type { LdapOwners, Proof } from '../directory/ldap-owner.ts'
import type { LoginThrottle } from '../relay/submission/login-throttle.ts'
import { OpenCount } from '../relay/submission/network.ts'
import type { ReportAccountEvent, SignInWay } from './events.ts'

export interface DoorOptions {
  readonly directory: Pick<Directory, 'authenticate' | 'account' | 'loginOf' | 'sync'>
  /** Absent where the directory cannot be asked for its own password: an export file. */
  readonly owners?: Pick<LdapOwners, 'prove'>
  /** The listeners' own: it is a second door to the same passwords, and both count the same guesses. */
  readonly throttle: LoginThrottle
  readonly report: ReportAccountEvent
  readonly clock: Clock
  /** Milliseconds; a test has its own. */
  readonly delay?: (milliseconds: number) => Promise<unknown>
}

/** Who somebody is, or why that is not known. `barred` is told only to whom the password belongs. */
export type Entrance =
  | { readonly kind: 'open'; readonly login: string; readonly account: string }
  | { readonly kind: 'refused' }
  | { readonly kind: 'too-many' }
  | { readonly kind: 'unavailable' }
  | { readonly kind: 'barred'; readonly rejection: Rejection | 'unknown-here' }

/**
 * An answer that is no success is given at a whole number of these. What a directory takes for a wrong password is not in
 * our hand, and for a login that it does not have it takes less: the rest is waited for here.
 */
export const REFUSED_AT = SECOND

// Answers to many wrong guesses from a network come late; this many of them may wait at once.
const MOST_AT_ONCE = 20

// What is wrong with the mail password, and not with its owner.
const CAN_BE_MENDED: ReadonlySet<Rejection> = new Set([
  'no-password',
  'ambiguous',
  'unknown-scheme',
  'malformed',
  'too-costly',
  'des-not-allowed',
])

/** The way in to the account page, by either password. */
export class Door {
  readonly #options: DoorOptions
  readonly #throttle: LoginThrottle
  readonly #asking = new OpenCount(MOST_AT_ONCE)
  readonly #delay: (milliseconds: number) => Promise<unknown>

  constructor(options: DoorOptions) {
    this.#options = options
    this.#throttle = options.throttle
    this.#delay = options.delay ?? (milliseconds => wait(milliseconds, undefined, { ref: false }))
  }

  /** Which passwords it takes. */
  get ways(): readonly SignInWay[] {
    return this.#options.owners === undefined ? ['mail'] : ['directory', 'mail']
  }

  /** @param login as it was typed @param network as `networkOf` writes it */
  async enter(way: SignInWay, login: string, password: Secret, network: string): Promise<Entrance> {
    const began = this.#options.clock()
    const typed = login.trim()
    const canonical = this.#options.directory.loginOf(typed) ?? ''
    const result = await this.guarded(way, canonical || typed, password, network, () =>
      way === 'directory' ? this.#prove(canonical, password) : this.#mail(canonical, password),
    )
    const entrance =
      result.kind === 'proven' ? await this.#admit(way, canonical) : { kind: result.kind }
    if (entrance.kind !== 'open') await this.#rest(began)
    return entrance
  }

  /** Whether an account in this state may come in this way: where the mail password is at fault, its owner may mend it. */
  admits(way: SignInWay, rejection: Rejection | undefined): boolean {
    return rejection === undefined || (way === 'directory' && CAN_BE_MENDED.has(rejection))
  }

  /** Checks a password under the throttle, and says so to log and metrics. */
  async guarded<T extends { readonly kind: string; readonly cause?: string }>(
    way: SignInWay,
    login: string,
    password: Secret,
    network: string,
    check: () => Promise<T | Proof>,
  ): Promise<T | Proof | { readonly kind: 'too-many' }> {
    if (!this.#asking.take(network)) return this.#tooMany(login, way)
    try {
      return await this.#checked(way, login, password, network, check)
    } finally {
      this.#asking.giveBack(network)
    }
  }

  async #checked<T extends { readonly kind: string; readonly cause?: string }>(
    way: SignInWay,
    login: string,
    password: Secret,
    network: string,
    check: () => Promise<T | Proof>,
  ): Promise<T | Proof | { readonly kind: 'too-many' }> {
    const secret = password.reveal()
    const verdict = this.#throttle.enter(login, network, secret, way)
    if (verdict.kind === 'closed') return this.#tooMany(login, way)
    let result: T | Proof
    try {
      result = await check()
    } catch (error) {
      result = { kind: 'unavailable', cause: messageOf(error) }
    }
    const outcome =
      result.kind === 'refused' ? 'wrong' : result.kind === 'unavailable' ? 'unknown' : 'right'
    this.#throttle.leave(login, network, secret, outcome, way)
    const said = { right: 'accepted', wrong: 'refused', unknown: 'unavailable' } as const
    const cause = 'cause' in result && result.cause !== undefined ? { cause: result.cause } : {}
    this.#options.report({ kind: 'account-sign-in', login, way, result: said[outcome], ...cause })
    // The guesser waits, not the one who knows.
    if (outcome === 'wrong' && verdict.delay > 0) await this.#delay(verdict.delay)
    return result
  }

  #tooMany(login: string, way: SignInWay): { readonly kind: 'too-many' } {
    this.#options.report({
      kind: 'account-sign-in',
      login,
      way,
      result: 'refused',
      cause: 'too many',
    })
    return { kind: 'too-many' }
  }

  async #prove(login: string, password: Secret): Promise<Proof> {
    // Even for what can be nobody's login the directory is asked: it takes the time that it takes.
    return (await this.#options.owners?.prove(login, password)) ?? { kind: 'refused' }
  }

  async #mail(login: string, password: Secret): Promise<Proof> {
    const result = await this.#options.directory.authenticate(login, password.reveal())
    return result.kind === 'accepted' ? { kind: 'proven' } : result
  }

  async #admit(way: SignInWay, login: string): Promise<Entrance> {
    const { directory } = this.#options
    // Somebody who has been there for less than one interval of comparing.
    if (directory.account(login) === undefined) await directory.sync()
    const account = directory.account(login)
    if (account === undefined) return { kind: 'barred', rejection: 'unknown-here' }
    const { rejection, uuid } = account
    return rejection !== undefined && !this.admits(way, rejection)
      ? { kind: 'barred', rejection }
      : { kind: 'open', login: account.login, account: uuid }
  }

  async #rest(began: number): Promise<void> {
    const taken = this.#options.clock() - began
    await this.#delay(Math.max(1, Math.ceil(taken / REFUSED_AT)) * REFUSED_AT - taken)
  }
}
