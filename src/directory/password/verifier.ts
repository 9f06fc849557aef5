import { SECOND, type Clock } from '../../base/clock.ts'
import { checkPassword, type CheckResult } from './check.ts'
import { Libcrypt } from './libcrypt.ts'
import type { CryptScheme, StoredPassword } from './scheme.ts'
import { SuccessCache } from './success-cache.ts'

export type Verification =
  | { readonly kind: 'match' }
  | { readonly kind: 'mismatch' }
  | { readonly kind: 'unavailable'; readonly cause: string }

export interface VerifierOptions {
  /** Verifications at the same time, each with a libcrypt thread of its own. */
  readonly threads?: number
  /** Verifications that may wait; beyond it the answer is `unavailable` at once. */
  readonly mostWaiting?: number
  /** Milliseconds from question to answer, waiting included. */
  readonly deadline?: number
  /** Milliseconds for which a right password is remembered; 0 remembers none. */
  readonly remember?: number
  readonly clock?: Clock
}

interface Job {
  readonly login: string
  readonly password: string
  readonly stored: StoredPassword
  readonly settle: (result: Verification) => void
}

/** What waits for one login at most, so that guessing at one cannot fill the queue of all. */
const MOST_WAITING_PER_LOGIN = 5
// crypt_rn takes 512 octets; the tools that set passwords take less.
const LONGEST_PASSWORD = 512

/**
 * Verifies passwords, a few at a time, each login's tries one after the other. It answers `unavailable` for
 * everything that says nothing of the password: too busy, too slow, scheme not supported on this host.
 */
export class Verifier {
  readonly #lanes: Libcrypt[]
  readonly #free: Libcrypt[] = []
  readonly #waiting: Job[] = []
  readonly #busy = new Set<string>()
  readonly #cache: SuccessCache
  readonly #asked = new Map<string, Promise<Verification>>()
  readonly #mostWaiting: number
  readonly #deadline: number
  #running = false

  constructor(options: VerifierOptions = {}) {
    this.#lanes = Array.from({ length: options.threads ?? 2 }, () => new Libcrypt())
    this.#cache = new SuccessCache(options.clock ?? Date.now, options.remember)
    this.#mostWaiting = options.mostWaiting ?? 100
    this.#deadline = options.deadline ?? 5 * SECOND
  }

  async start(): Promise<void> {
    this.#running = true
    await Promise.all(this.#lanes.map(lane => lane.start()))
    if (!this.#running) return
    this.#free.push(...this.#lanes)
    this.#next()
  }

  async stop(): Promise<void> {
    this.#running = false
    for (const job of this.#waiting.splice(0)) job.settle(unavailable('stopping'))
    this.#free.length = 0
    this.#cache.clear()
    await Promise.all(this.#lanes.map(lane => lane.stop()))
  }

  /** Schemes of libcrypt that can be verified on this host. */
  get schemes(): ReadonlySet<CryptScheme> {
    return this.#lanes[0]?.schemes ?? new Set()
  }

  /** Verifies a password of a login; the octets as sent, then their NFC form if that differs. */
  async verify(login: string, stored: StoredPassword, password: string): Promise<Verification> {
    if (!isPlausible(password)) return { kind: 'mismatch' }
    const identity = `${stored.cost}\0${'hash' in stored ? stored.hash : stored.digest.toString('base64')}`
    if (this.#cache.has(login, identity, password)) return { kind: 'match' }
    // A program that opens ten connections at once asks the same thing ten times.
    const question = this.#cache.nameOf(login, identity, password)
    const asked = this.#asked.get(question)
    if (asked !== undefined) return asked
    const answer = this.#enqueue(login, stored, password).finally(() => {
      this.#asked.delete(question)
    })
    this.#asked.set(question, answer)
    const result = await answer
    if (result.kind === 'match') this.#cache.add(login, identity, password)
    return result
  }

  /**
   * Spends the time of a verification and refuses whatever comes of it: for a login that does not exist, so that
   * time does not tell who does. `like` is a stored password of the commonest cost; whose it is does not matter.
   */
  async pretend(login: string, like: StoredPassword, password: string): Promise<Verification> {
    if (!isPlausible(password)) return { kind: 'mismatch' }
    const result = await this.#enqueue(login, like, password)
    return result.kind === 'unavailable' ? result : { kind: 'mismatch' }
  }

  #enqueue(login: string, stored: StoredPassword, password: string): Promise<Verification> {
    if (!this.#running) return Promise.resolve(unavailable('stopping'))
    const ofLogin = this.#waiting.reduce((count, job) => count + Number(job.login === login), 0)
    if (this.#waiting.length >= this.#mostWaiting || ofLogin >= MOST_WAITING_PER_LOGIN) {
      return Promise.resolve(unavailable('too many logins at once'))
    }
    return new Promise(resolve => {
      const timer = setTimeout(() => {
        const place = this.#waiting.indexOf(job)
        if (place >= 0) this.#waiting.splice(place, 1)
        resolve(unavailable('verification took too long'))
      }, this.#deadline)
      const job: Job = {
        login,
        password,
        stored,
        settle: result => {
          clearTimeout(timer)
          resolve(result)
        },
      }
      this.#waiting.push(job)
      this.#next()
    })
  }

  #next(): void {
    while (this.#free.length > 0) {
      const place = this.#waiting.findIndex(job => !this.#busy.has(job.login))
      const job = this.#waiting[place]
      const lane = this.#free.pop()
      if (lane === undefined) return
      if (job === undefined) {
        this.#free.push(lane)
        return
      }
      this.#waiting.splice(place, 1)
      this.#busy.add(job.login)
      void this.#run(job, lane)
    }
  }

  async #run(job: Job, lane: Libcrypt): Promise<void> {
    const result = await checkBothForms(job, lane)
    this.#busy.delete(job.login)
    job.settle(
      result === 'unusable'
        ? unavailable(`${job.stored.scheme} cannot be verified`)
        : { kind: result },
    )
    if (!this.#running) return
    this.#free.push(lane)
    this.#next()
  }
}

async function checkBothForms(job: Job, lane: Libcrypt): Promise<CheckResult> {
  const asSent = await checkPassword(job.password, job.stored, lane)
  const composed = job.password.normalize('NFC')
  // Clients differ in what they make of an umlaut; the stored form is mostly the composed one.
  if (asSent !== 'mismatch' || composed === job.password) return asSent
  return checkPassword(composed, job.stored, lane)
}

/** crypt() stops at a NUL, so `right\0anything` would match; the rest nobody can have set. */
function isPlausible(password: string): boolean {
  return (
    password !== '' &&
    !password.includes('\0') &&
    !/\p{Surrogate}/u.test(password) &&
    Buffer.byteLength(password) <= LONGEST_PASSWORD
  )
}

function unavailable(cause: string): Verification {
  return { kind: 'unavailable', cause }
}
