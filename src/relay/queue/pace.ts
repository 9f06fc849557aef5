import { HOUR, MINUTE } from '../../base/clock.ts'
import type { Outcome } from '../../mail/outcome.ts'
import type { Shaping } from '../../mail/provider.ts'
import { formatReply } from '../../mail/reply.ts'
import { wishOf } from './retry.ts'

/*
 * How fast mail goes to one provider, and how that follows from what it answers. Pure, and the only place that decides it.
 *
 * Who objects to our rate or our reputation gets less at once, and more again step by step while it has no objection:
 * what stops at once and starts at once swings between the two for ever.
 */

export interface BackOffOptions {
  /** Milliseconds without an objection after which mail goes one step faster. */
  readonly recovery: number
  /** Milliseconds that a provider can silence us for at most. */
  readonly longestPause: number
}

export const BACK_OFF_DEFAULTS: BackOffOptions = { recovery: 15 * MINUTE, longestPause: 4 * HOUR }

export interface Pace {
  /** 0 is the full allowance; each step above halves the connections and has a rate of its own. */
  readonly level: number
  /** The next faster step is counted from here: the last objection, its pause included, or the step before. */
  readonly since: number
  /** No mail before this. */
  readonly pausedUntil: number
  /** Something was taken since the last step. */
  readonly proven: boolean
  /** The last objection; '' if there was none. */
  readonly reply: string
}

export const FULL_PACE: Pace = { level: 0, since: 0, pausedUntil: 0, proven: false, reply: '' }

// Messages a minute. The last is what others found that the big providers bear when they are angry.
const RATES: readonly number[] = [Infinity, 60, 20, 6, 1]
export const SLOWEST = RATES.length - 1

// One objection is about the volume of this hour, two steps for what a provider thinks of us.
const STEPS = new Map<string, number>([
  ['rate', 1],
  ['reputation', 2],
])

/** What may be sent at this pace. */
export function allowance(
  { level }: Pace,
  limits: Shaping,
): Pick<Shaping, 'connections' | 'messagesPerMinute'> {
  return {
    connections: Math.max(1, Math.floor(limits.connections / 2 ** level)),
    messagesPerMinute: Math.min(limits.messagesPerMinute, RATES[level] ?? 1),
  }
}

/**
 * The pace after an outcome.
 *
 * @param begunAt when its attempt began: an objection to what was begun at the pace before is no news
 * @param pause milliseconds of silence that the table of providers knows for this reply
 */
export function afterOutcome(
  pace: Pace,
  outcome: Outcome,
  {
    begunAt,
    now,
    pause,
  }: { readonly begunAt: number; readonly now: number; readonly pause: number | undefined },
  options: BackOffOptions,
): Pace {
  if (outcome.kind === 'delivered') {
    return pace.level === 0 || pace.proven || begunAt < pace.since
      ? pace
      : { ...pace, proven: true }
  }
  const steps = pause === undefined ? (STEPS.get(outcome.class) ?? 0) : SLOWEST
  if (steps === 0) return pace
  const silence = Math.min(pause ?? wishOf(outcome.reply) ?? 0, options.longestPause)
  const pausedUntil = Math.max(pace.pausedUntil, silence > 0 ? now + silence : 0)
  const old = pace.level > 0 && begunAt < pace.since
  return {
    level: Math.min(pace.level + (old ? 0 : steps), SLOWEST),
    since: Math.max(now, pausedUntil),
    pausedUntil,
    proven: false,
    reply: formatReply(outcome.reply),
  }
}

/** The pace now that time has gone by. Where nothing was taken meanwhile it takes four times as long. */
export function recovered(pace: Pace, now: number, options: BackOffOptions): Pace {
  let { level, since, pausedUntil, proven } = pace
  if (since - now > options.longestPause) {
    // The clock was set back by more than any pause: what it said is worth nothing.
    since = now
    pausedUntil = 0
  }
  while (level > 0) {
    const wait = proven ? options.recovery : 4 * options.recovery
    if (now - since < wait) break
    level--
    since += wait
    proven = false
  }
  return level === pace.level && since === pace.since
    ? pace
    : { ...pace, level, since, pausedUntil, proven }
}
