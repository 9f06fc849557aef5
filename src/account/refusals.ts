import { DAY, type Clock } from '../base/clock.ts'
import { remember } from '../base/remember.ts'
import type { RelayEvent } from '../relay/events.ts'

/** A message that the relay itself did not take. */
export interface Refusal {
  readonly at: number
  readonly code: number
  readonly enhanced: string
  /** As the log has it: our own words, with the sender that was refused. */
  readonly reason: string
}

const MOST_PER_LOGIN = 5
const MOST_LOGINS = 1_000
const KEPT_FOR = DAY

/**
 * What the relay refused of each login lately, so that its owner can see it. In memory only, bounded and for a day: there
 * is no message that it could be kept with.
 */
export class Refusals {
  readonly #clock: Clock
  readonly #of = new Map<string, Refusal[]>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  record(event: RelayEvent): void {
    if (event.kind !== 'message-refused' || event.login === '') return
    const { login, code, enhanced, reason } = event
    const kept = this.#of.get(login) ?? []
    kept.unshift({ at: this.#clock(), code, enhanced, reason })
    remember(this.#of, login, kept.slice(0, MOST_PER_LOGIN), MOST_LOGINS)
  }

  /** The latest first. */
  of(login: string): readonly Refusal[] {
    const since = this.#clock() - KEPT_FOR
    return (this.#of.get(login) ?? []).filter(({ at }) => at >= since)
  }
}
