import { createHmac, createSecretKey, randomBytes } from 'node:crypto'

import { MINUTE, type Clock } from '../../base/clock.ts'
import { remember } from '../../base/remember.ts'

const MOST = 10_000

/**
 * Logins that were right a moment ago, so that a client that logs in for every message costs one verification and
 * not a hundred. Holds no password: only an HMAC under a key that lives as long as the process, over login, stored
 * hash and password, so that a changed hash invalidates by itself. Failures are never kept.
 */
export class SuccessCache {
  readonly #key = createSecretKey(randomBytes(32))
  readonly #until = new Map<string, number>()
  readonly #clock: Clock
  readonly #lifetime: number

  /** @param lifetime milliseconds; 0 keeps nothing */
  constructor(clock: Clock, lifetime = 5 * MINUTE) {
    this.#clock = clock
    this.#lifetime = lifetime
  }

  has(login: string, hash: string, password: string): boolean {
    const entry = this.nameOf(login, hash, password)
    const until = this.#until.get(entry)
    if (until === undefined) return false
    if (until > this.#clock()) return true
    this.#until.delete(entry)
    return false
  }

  add(login: string, hash: string, password: string): void {
    if (this.#lifetime === 0) return
    const entry = this.nameOf(login, hash, password)
    remember(this.#until, entry, this.#clock() + this.#lifetime, MOST)
  }

  clear(): void {
    this.#until.clear()
  }

  /** @returns what tells login, stored hash and password from any other three, and neither of them to anybody */
  nameOf(login: string, hash: string, password: string): string {
    return createHmac('sha256', this.#key).update(`${login}\0${hash}\0${password}`).digest('base64')
  }
}
