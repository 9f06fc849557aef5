import { createHmac } from 'node:crypto'

import type { Clock } from '../../base/clock.ts'

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
  /** Distinct wrong passwords for one login from one network, and all together from one network. */
  readonly wrongPasswords: number
  readonly wrongLogins: number
  /** Milliseconds. */
  readonly window: number
  readonly delay: number
  readonly clock: Clock
}

// What the two tables remember at most: a flood of networks must not become our memory.
const MAX_ENTRIES = 10_000
const MAX_DELAY = 5_000
const FREE_GUESSES = 3

/**
 * Counts distinct wrong passwords, for a login from a network and for the network as a whole. Distinct, since a
 * program with an old password repeats the same one all day, and one mistake of a person costs Thunderbird two or
 * three attempts. By network, so that nobody can lock out somebody else.
 *
 * Passwords are kept as digests under a key of this process, for `window` milliseconds.
 */
export class LoginThrottle {
  readonly #options: ThrottleOptions
  readonly #byLogin = new Map<string, Guesses>()
  readonly #byNetwork = new Map<string, Guesses>()

  constructor(options: ThrottleOptions) {
    this.#options = options
  }

  /**
   * Asks for leave to check a password. Those being checked count as wrong until `leave` says what they were, or a
   * hundred connections at once would be a hundred free guesses.
   */
  enter(login: string, network: string, password: string): ThrottleVerdict {
    const digest = this.#digest(login, password)
    const own = this.#guesses(this.#byLogin, pairOf(login, network))
    const all = this.#guesses(this.#byNetwork, network)
    const { wrongPasswords, wrongLogins } = this.#options
    if (isClosed(own, digest, wrongPasswords) || isClosed(all, digest, wrongLogins)) {
      return { kind: 'closed' }
    }
    for (const guesses of [own, all]) {
      guesses.pending.set(digest, (guesses.pending.get(digest) ?? 0) + 1)
    }
    const over = own.wrong.size - FREE_GUESSES + 1
    return { kind: 'open', delay: Math.min(MAX_DELAY, Math.max(0, over) * this.#options.delay) }
  }

  /** What came of it. `unknown` is for what could not be checked, and counts as nothing. */
  leave(
    login: string,
    network: string,
    password: string,
    outcome: 'right' | 'wrong' | 'unknown',
  ): void {
    const digest = this.#digest(login, password)
    const pair = pairOf(login, network)
    for (const guesses of [this.#byLogin.get(pair), this.#byNetwork.get(network)]) {
      if (guesses === undefined) continue
      const left = (guesses.pending.get(digest) ?? 1) - 1
      if (left > 0) guesses.pending.set(digest, left)
      else guesses.pending.delete(digest)
      if (outcome === 'wrong') guesses.wrong.set(digest, this.#options.clock())
    }
    // Whoever knows the password is no guesser; the network's own count stays.
    if (outcome === 'right') this.#byLogin.get(pair)?.wrong.clear()
    this.#drop(this.#byLogin, pair)
    this.#drop(this.#byNetwork, network)
  }

  /** How many entries are held. */
  get size(): number {
    return this.#byLogin.size + this.#byNetwork.size
  }

  #digest(login: string, password: string): string {
    return createHmac('sha256', this.#options.key)
      .update(`${login.toLowerCase()}\0${password}`)
      .digest('base64')
  }

  #guesses(table: Map<string, Guesses>, key: string): Guesses {
    const found = table.get(key) ?? {
      wrong: new Map<string, number>(),
      pending: new Map<string, number>(),
    }
    const since = this.#options.clock() - this.#options.window
    for (const [digest, at] of found.wrong) if (at <= since) found.wrong.delete(digest)
    // The most recently used stands last, so that the first is the one to forget.
    table.delete(key)
    table.set(key, found)
    if (table.size > MAX_ENTRIES) {
      for (const [oldest] of table) {
        table.delete(oldest)
        break
      }
    }
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

function pairOf(login: string, network: string): string {
  return `${network}\n${login.toLowerCase()}`
}
