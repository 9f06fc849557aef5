import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'

import type { Clock } from '../../base/clock.ts'
import { remember } from '../../base/remember.ts'

/**
 * Of which of a person's passwords something is a guess: the one for mail, or the directory's own, which the account page takes
 * as well.
 */
export type GuessedPassword = 'mail' | 'directory'

/** Digests of distinct wrong guesses with the time each was made, and those being checked with their number. */
interface Guesses {
  readonly wrong: Map<string, number>
  readonly pending: Map<string, number>
}

/** Whether somebody may try, and how long to let a wrong answer wait, in milliseconds. */
type ThrottleVerdict =
  | { readonly kind: 'open'; readonly delay: number }
  | { readonly kind: 'closed' }

interface ThrottleOptions {
  readonly key: Uint8Array
  /** Distinct wrong passwords for one login from one network, after which nothing new is tried there. */
  readonly wrongPasswords: number
  /** Distinct wrong guesses from one network, after which answers to further ones come ever later. */
  readonly wrongLogins: number
  /** Milliseconds. */
  readonly window: number
  readonly delay: number
  readonly clock: Clock
}

// What the two tables remember at most: a flood of networks must not become our memory.
const MAX_ENTRIES = 10_000
const MAX_DELAY = 5_000
// With a hundred connections from one network, three guesses a second; a mail program still waits for it.
const MAX_NETWORK_DELAY = 30_000
const FREE_GUESSES = 3
// Of the digest of a password that was right: enough to tell it from guesses, too little to find it by.
const KNOWN_DIGITS = 3

/**
 * Counts distinct wrong passwords, for a login from a network and for the network as a whole. Distinct, since a
 * program with an old password repeats the same one all day, and one mistake of a person costs Thunderbird two or
 * three attempts.
 *
 * Guesses at both passwords of a person count together, or there would be twice as many; what is right for one says nothing
 * about the other.
 *
 * Nobody can lock out somebody else: too many guesses at a login close it to new ones from that network alone, and never
 * to the password that was right before; too many from a network only make wrong answers late, since half of all people
 * may stand behind it (Gmail sends everybody's mail from addresses of its own).
 *
 * Passwords are kept as digests under a key of this process, wrong ones for `window` milliseconds.
 */
export class LoginThrottle {
  readonly #options: ThrottleOptions
  readonly #key: KeyObject
  readonly #byLogin = new Map<string, Guesses>()
  readonly #byNetwork = new Map<string, Guesses>()
  /** By password and login: the beginning of the digest of what was right the last time. */
  readonly #known = new Map<string, string>()

  constructor(options: ThrottleOptions) {
    this.#options = options
    this.#key = createSecretKey(options.key)
  }

  /**
   * Asks for leave to check a password. Those being checked count as wrong until `leave` says what they were, or a
   * hundred connections at once would be a hundred free guesses.
   */
  enter(
    login: string,
    network: string,
    password: string,
    of: GuessedPassword = 'mail',
  ): ThrottleVerdict {
    const digest = this.#digest(login, password, of)
    const own = this.#guesses(this.#byLogin, pairOf(login, network))
    const all = this.#guesses(this.#byNetwork, network)
    const { wrongPasswords, wrongLogins } = this.#options
    const known = this.#known.get(knownOf(login, of)) === beginningOf(digest)
    if (!known && isClosed(own, digest, wrongPasswords)) return { kind: 'closed' }
    for (const guesses of [own, all]) {
      guesses.pending.set(digest, (guesses.pending.get(digest) ?? 0) + 1)
    }
    const wait = (over: number, most: number): number =>
      Math.min(most, Math.max(0, over) * this.#options.delay)
    const ofLogin = wait(own.wrong.size - FREE_GUESSES + 1, MAX_DELAY)
    const ofNetwork = wait(all.wrong.size + all.pending.size - wrongLogins, MAX_NETWORK_DELAY)
    return { kind: 'open', delay: Math.max(ofLogin, ofNetwork) }
  }

  /** What came of it. `unknown` is for what could not be checked, and counts as nothing. */
  leave(
    login: string,
    network: string,
    password: string,
    outcome: 'right' | 'wrong' | 'unknown',
    of: GuessedPassword = 'mail',
  ): void {
    const digest = this.#digest(login, password, of)
    const pair = pairOf(login, network)
    for (const guesses of [this.#byLogin.get(pair), this.#byNetwork.get(network)]) {
      if (guesses === undefined) continue
      const left = (guesses.pending.get(digest) ?? 1) - 1
      if (left > 0) guesses.pending.set(digest, left)
      else guesses.pending.delete(digest)
      if (outcome === 'wrong') this.#countWrong(guesses, digest)
    }
    if (outcome === 'right') {
      // Whoever knows the password is no guesser at it, and may be one at the other; the network's own count stays.
      const wrong = this.#byLogin.get(pair)?.wrong
      for (const guess of wrong?.keys() ?? []) if (guess.startsWith(`${of} `)) wrong?.delete(guess)
      remember(this.#known, knownOf(login, of), beginningOf(digest), MAX_ENTRIES)
    }
    this.#drop(this.#byLogin, pair)
    this.#drop(this.#byNetwork, network)
  }

  /** How many entries are held. */
  get size(): number {
    return this.#byLogin.size + this.#byNetwork.size
  }

  #countWrong({ wrong }: Guesses, digest: string): void {
    // A network is never closed: what makes it wait the longest is all that has to be remembered.
    const most = this.#options.wrongLogins + MAX_NETWORK_DELAY / Math.max(1, this.#options.delay)
    remember(wrong, digest, this.#options.clock(), Math.max(most, this.#options.wrongPasswords))
  }

  #digest(login: string, password: string, of: GuessedPassword): string {
    const digest = createHmac('sha256', this.#key)
      .update(`${login.toLowerCase()}\0${password}`)
      .digest('base64')
    return `${of} ${digest}`
  }

  #guesses(table: Map<string, Guesses>, key: string): Guesses {
    const found = table.get(key) ?? {
      wrong: new Map<string, number>(),
      pending: new Map<string, number>(),
    }
    const since = this.#options.clock() - this.#options.window
    for (const [digest, at] of found.wrong) if (at <= since) found.wrong.delete(digest)
    remember(table, key, found, MAX_ENTRIES)
    return found
  }

  #drop(table: Map<string, Guesses>, key: string): void {
    const guesses = table.get(key)
    if (guesses?.wrong.size === 0 && guesses.pending.size === 0) table.delete(key)
  }
}

function isClosed(guesses: Guesses, digest: string, limit: number): boolean {
  if (guesses.wrong.size >= limit) return true
  if (guesses.wrong.has(digest) || guesses.pending.has(digest)) return false
  return guesses.wrong.size + guesses.pending.size >= limit
}

function knownOf(login: string, of: GuessedPassword): string {
  return `${of} ${login.toLowerCase()}`
}

function beginningOf(digest: string): string {
  const at = digest.indexOf(' ') + 1
  return digest.slice(at, at + KNOWN_DIGITS)
}

function pairOf(login: string, network: string): string {
  return `${network}\n${login.toLowerCase()}`
}
