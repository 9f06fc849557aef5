import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

import { MINUTE, type Clock } from '../base/clock.ts'
import type { SignInWay } from './events.ts'

/** Somebody who has signed in at the page, for a short while. No password is in it. */
export interface Session {
  readonly login: string
  /** entryUUID: the session ends with the account, also where somebody else gets the login. */
  readonly account: string
  readonly way: SignInWay
  /** Has to come with every form: no other site can know it. */
  readonly formToken: string
  readonly startedAt: number
}

interface Kept {
  readonly session: Session
  seenAt: number
}

/** Milliseconds without a click, and altogether: what is done here takes minutes. */
const IDLE = 10 * MINUTE
const LONGEST = 30 * MINUTE
// Of one person, who has few browsers; and of all, for our memory.
const MOST_PER_LOGIN = 5
const MOST = 1_000

/**
 * Who is signed in: in memory, on this node, until a restart at the latest. A table with the digests of the cookies, so
 * that the time of a look-up says nothing of them, and whoever reads our memory has none.
 */
export class Sessions {
  readonly #clock: Clock
  readonly #kept = new Map<string, Kept>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#kept.size
  }

  /** @returns the value of the cookie, which is kept nowhere, and the session */
  begin(who: Pick<Session, 'login' | 'account' | 'way'>): {
    readonly cookie: string
    readonly session: Session
  } {
    this.#sweep()
    const own = [...this.#kept].filter(([, { session }]) => session.login === who.login)
    // The oldest stand first in a Map; those of all go before somebody is refused.
    if (own.length >= MOST_PER_LOGIN) this.#kept.delete(own[0]?.[0] ?? '')
    else if (this.#kept.size >= MOST) this.#kept.delete([...this.#kept.keys()][0] ?? '')
    const cookie = randomBytes(32).toString('base64url')
    const now = this.#clock()
    const formToken = randomBytes(32).toString('base64url')
    const session = { ...who, formToken, startedAt: now }
    this.#kept.set(keyOf(cookie), { session, seenAt: now })
    return { cookie, session }
  }

  /** Whose cookie this is, if it is anybody's still; counts as a click. */
  find(cookie: string): Session | undefined {
    const key = keyOf(cookie)
    const kept = this.#kept.get(key)
    if (kept === undefined) return undefined
    const now = this.#clock()
    if (isOver(kept, now)) {
      this.#kept.delete(key)
      return undefined
    }
    kept.seenAt = now
    return kept.session
  }

  end(session: Session): void {
    for (const [key, kept] of this.#kept) if (kept.session === session) this.#kept.delete(key)
  }

  /** Ends all of the same login but this one. */
  endOthers(session: Session): void {
    for (const [key, { session: other }] of this.#kept) {
      if (other.login === session.login && other !== session) this.#kept.delete(key)
    }
  }

  #sweep(): void {
    const now = this.#clock()
    for (const [key, kept] of this.#kept) if (isOver(kept, now)) this.#kept.delete(key)
  }
}

/** Whether a form comes from a page that we gave to this session. */
export function ownsForm(session: Session, formToken: string): boolean {
  const [one, other] = [Buffer.from(session.formToken), Buffer.from(formToken)]
  return one.length === other.length && timingSafeEqual(one, other)
}

function isOver({ session, seenAt }: Kept, now: number): boolean {
  return now - seenAt >= IDLE || now - session.startedAt >= LONGEST
}

function keyOf(cookie: string): string {
  return createHash('sha256').update(cookie).digest('base64')
}
