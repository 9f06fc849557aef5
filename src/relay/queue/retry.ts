import { DAY, HOUR, MINUTE, SECOND, type Random } from '../../base/clock.ts'
import type { Outcome } from '../../mail/outcome.ts'
import type { Reply } from '../../mail/reply.ts'

/*
 * What becomes of a recipient after an attempt. Pure, and the only place that decides it.
 *
 * Delays follow from the number of attempts, never from the clock: when the clock jumps, no more falls due at once
 * than was due anyway.
 */

export interface RetryOptions {
  /** Milliseconds to wait after the first, second, third failed attempt; the last one repeats. */
  readonly schedule: readonly [number, ...number[]]
  /** Share by which delays are spread in both directions, so that what failed together does not return together. */
  readonly jitter: number
  /** Age in milliseconds at which the relay gives up; RFC 5321 section 4.5.4.1 wants 4 to 5 days at least. */
  readonly giveUpAfter: number
  /** Age in milliseconds at which the sender is told once that it takes longer. */
  readonly delayNoticeAfter: number
  /** Milliseconds to wait at least where the next hop may have the message already. */
  readonly indeterminateDelay: number
}

/** Greylisting ends within minutes, so the first tries come quickly; a host that is down for hours is left in peace. */
export const RETRY_DEFAULTS: RetryOptions = {
  // Totals:    1 min     6 min       16 min       36 min       1 h 6       2 h 6     4 h 6     then every 4 h
  schedule: [MINUTE, 5 * MINUTE, 10 * MINUTE, 20 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR],
  jitter: 0.1,
  giveUpAfter: 5 * DAY,
  delayNoticeAfter: 4 * HOUR,
  indeterminateDelay: 30 * MINUTE,
}

// What a remote may ask of us: less would be a busy loop, more would cost the early retries their point.
const SHORTEST_WISH = 30 * SECOND
const LONGEST_WISH = 4 * HOUR

export interface Attempted {
  readonly outcome: Outcome
  /** Attempts that have ended, this one included. */
  readonly attempts: number
  readonly acceptedAt: number
  readonly now: number
  /** The sender has been told of the delay. */
  readonly delayReported: boolean
}

export type Decision =
  | { readonly next: 'delivered' }
  /** `expired`: it was only deferred, but for too long. */
  | { readonly next: 'bounced'; readonly expired: boolean }
  | { readonly next: 'queued'; readonly dueAt: number; readonly delayNotice: boolean }

export function decide(attempted: Attempted, options: RetryOptions, random: Random): Decision {
  const { outcome, attempts, acceptedAt, now, delayReported } = attempted
  if (outcome.kind === 'delivered') return { next: 'delivered' }
  if (outcome.kind === 'bounced') return { next: 'bounced', expired: false }
  const age = now - acceptedAt
  // Age alone is no reason: a relay that was switched off for a week, or a clock that jumped, owes its tries first.
  if (age >= options.giveUpAfter && attempts >= options.schedule.length) {
    return { next: 'bounced', expired: true }
  }
  return {
    next: 'queued',
    dueAt: dueAt(now + delayAfter(attempted, options, random), attempted, options),
    delayNotice: !delayReported && age >= options.delayNoticeAfter,
  }
}

/** The last try is made when the time is up, not up to four hours before or after. */
function dueAt(planned: number, { acceptedAt, now }: Attempted, options: RetryOptions): number {
  const expiresAt = acceptedAt + options.giveUpAfter
  if (now >= expiresAt) return planned
  return Math.min(planned, Math.max(expiresAt, now + options.schedule[0]))
}

function delayAfter(
  { outcome, attempts }: Attempted,
  options: RetryOptions,
  random: Random,
): number {
  const { schedule } = options
  const step = schedule[Math.min(Math.max(attempts, 1), schedule.length) - 1] ?? schedule[0]
  const spread = 1 + options.jitter * (2 * random() - 1)
  const planned = Math.round(step * spread)
  if (outcome.kind === 'deferred' && outcome.indeterminate) {
    // Every further try may be a second copy.
    return Math.max(planned, options.indeterminateDelay)
  }
  const wish = wishOf(outcome.reply)
  if (wish === undefined) return planned
  // Spread upwards only: who comes early starts the greylister's clock anew.
  const asked = Math.round(wish * (1 + options.jitter * random()))
  // A wish may shorten the early delays; a host that says "in 60 seconds" for days is not asked every minute.
  return attempts < schedule.length ? asked : Math.max(asked, planned)
}

const UNIT: ReadonlyMap<string, number> = new Map([
  ['s', SECOND],
  ['m', MINUTE],
  ['h', HOUR],
])

/**
 * The delay that a temporary refusal asks for, in milliseconds and within bounds: `try again in 300 seconds`,
 * `Greylisted for 5 minutes`, `please come back in 00:04:59`.
 */
export function wishOf(reply: Reply): number | undefined {
  if (reply.code < 400 || reply.code > 499) return undefined
  const clock = /\b(?:in|after|for|wait)\s+(\d{1,2}):(\d{2}):(\d{2})\b/i.exec(reply.text)
  if (clock) {
    const [, hours, minutes, seconds] = clock.map(Number)
    return bounded((hours ?? 0) * HOUR + (minutes ?? 0) * MINUTE + (seconds ?? 0) * SECOND)
  }
  const words =
    /\b(?:in|after|for|wait)(?:\s+at\s+least)?\s+(\d{1,6})\s*(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?)\b/i
  const match = words.exec(reply.text)
  const unit = UNIT.get(match?.[2]?.charAt(0).toLowerCase() ?? '')
  return unit === undefined ? undefined : bounded(Number(match?.[1]) * unit)
}

function bounded(wish: number): number {
  return Math.min(Math.max(wish, SHORTEST_WISH), LONGEST_WISH)
}
