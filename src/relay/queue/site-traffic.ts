import { MINUTE, SECOND } from '../../base/clock.ts'
import type { Outcome } from '../../mail/outcome.ts'
import type { Shaping } from '../../mail/provider.ts'
import { afterOutcome, allowance, FULL_PACE, recovered, type BackOffOptions } from './pace.ts'

/** Whose hosts take the mail of a domain: all domains of a site share its allowance. */
export interface Site {
  /** The provider, or the first MX host where that is nobody we know. */
  readonly name: string
  /** Label. */
  readonly provider: string
}

/** How mail to one site goes at this moment. */
export interface SiteState extends Site {
  /** Deliveries under way, and how many may be. */
  readonly running: number
  /** Absent: no limit. */
  readonly connections?: number
  /** Absent: no limit. */
  readonly messagesPerMinute?: number
  /** Steps below the full allowance: 0 is none. */
  readonly level: number
  /** No mail until then, milliseconds since the epoch; 0 if it may go. */
  readonly pausedUntil: number
  /** The objection that slowed it down; '' at full pace. */
  readonly reply: string
}

// What a rate may send at once after a quiet time: a runner that looks twenty times a second must not be its limit.
const BURST = SECOND

/** What is under way to one site, and how much more may go. Times are milliseconds since the epoch. */
export class SiteTraffic {
  readonly site: Site
  readonly #limits: Shaping
  readonly #backOff: BackOffOptions
  #running = 0
  #pace = FULL_PACE
  /** By its rate, the site takes the next message then. */
  #nextAt = 0

  constructor(site: Site, limits: Shaping, backOff: BackOffOptions) {
    this.site = site
    this.#limits = limits
    this.#backOff = backOff
  }

  /** How many more deliveries may begin. */
  room(now: number): number {
    this.#recover(now)
    if (now < this.opensAt) return 0
    const { connections, messagesPerMinute } = this.#allowance
    const room = Math.max(0, connections - this.#running)
    if (messagesPerMinute === Infinity) return room
    const saved = Math.min(now - this.#nextAt, this.#slack)
    return Math.min(room, 1 + Math.floor((saved * messagesPerMinute) / MINUTE))
  }

  /** When its rate and its pause let the next message go; not after now where they do. */
  get opensAt(): number {
    return Math.max(this.#nextAt, this.#pace.pausedUntil)
  }

  enter(now: number): void {
    this.#running++
    this.#nextAt = Math.max(this.#nextAt, now - this.#slack) + this.#interval
  }

  leave(): void {
    this.#running--
  }

  /**
   * @param pause milliseconds of silence that the table of providers knows for this reply
   * @returns whether the site has objected to something new
   */
  heard(outcome: Outcome, begunAt: number, now: number, pause: number | undefined): boolean {
    this.#recover(now)
    const before = this.#pace
    this.#pace = afterOutcome(before, outcome, { begunAt, now, pause }, this.#backOff)
    const { level, pausedUntil } = this.#pace
    if (level === before.level && pausedUntil === before.pausedUntil) return false
    this.#nextAt = now + this.#interval
    return true
  }

  state(now: number): SiteState {
    this.#recover(now)
    const { level, pausedUntil, reply } = this.#pace
    const { connections, messagesPerMinute } = this.#allowance
    return {
      ...this.site,
      running: this.#running,
      ...(connections !== Infinity && { connections }),
      ...(messagesPerMinute !== Infinity && { messagesPerMinute }),
      level,
      pausedUntil: pausedUntil > now ? pausedUntil : 0,
      reply: level > 0 ? reply : '',
    }
  }

  /** Whether it is as if nothing had ever gone there. */
  forgettable(now: number): boolean {
    this.#recover(now)
    return this.#running === 0 && this.#pace.level === 0 && this.opensAt <= now
  }

  get #allowance(): Pick<Shaping, 'connections' | 'messagesPerMinute'> {
    return allowance(this.#pace, this.#limits)
  }

  /** Milliseconds from one message to the next. */
  get #interval(): number {
    return MINUTE / this.#allowance.messagesPerMinute
  }

  /** For how many milliseconds a quiet time may be made up for. */
  get #slack(): number {
    return Math.max(0, BURST - this.#interval)
  }

  #recover(now: number): void {
    this.#pace = recovered(this.#pace, now, this.#backOff)
    // Mail may go faster again, or the clock was set back.
    this.#nextAt = Math.min(this.#nextAt, now + this.#interval)
  }
}
