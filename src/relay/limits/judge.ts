import { HOLD_AT_MOST, LIMIT_NAMES, type LimitName, type LoginLimits } from './login-limits.ts'
import { stepsWithin, WINDOWS, type Amounts, type Usage } from './usage.ts'

/** A limit that is reached. */
export interface Reached {
  readonly limit: LimitName
  /** The limit's number. */
  readonly most: number
  /** When there is room again, milliseconds since the epoch. */
  readonly until: number
}

/** What is to become of more mail from a login. */
export type Judgement =
  | { readonly kind: 'within' }
  | ({ readonly kind: 'defer' | 'hold' } & Reached)

export const WITHIN: Judgement = { kind: 'within' }

/**
 * Whether a login may send this as well. Of several limits that are reached it is the one that lasts longest; one that
 * defers comes before one that holds.
 *
 * @param wanted what is asked for now; an amount of 0 asks for nothing of its kind
 */
export function judge(usage: Usage, wanted: Amounts, limits: LoginLimits, now: number): Judgement {
  let worst: Judgement = WITHIN
  for (const limit of LIMIT_NAMES) {
    const judged = judgeOne(usage, wanted, limits, limit, now)
    if (judged.kind !== 'within' && isWorse(judged, worst)) worst = judged
  }
  return worst
}

/** The limit in words: `limit of 100 messages an hour`. */
export function titleOf({ limit, most }: Reached): string {
  const { noun, per } = WINDOWS[limit]
  return `limit of ${most} ${noun}${most === 1 ? '' : 's'} ${per}`
}

function judgeOne(
  usage: Usage,
  wanted: Amounts,
  limits: LoginLimits,
  limit: LimitName,
  now: number,
): Judgement {
  const window = WINDOWS[limit]
  const most = limits[limit]
  const asked = wanted[window.of]
  if (asked === 0 || most === Infinity) return WITHIN
  const steps = stepsWithin(usage, window, now)
  const used = steps.reduce((sum, step) => sum + step[window.of], 0)
  if (used + asked <= most) return WITHIN
  const kind = limits.over === 'hold' && used + asked <= most * HOLD_AT_MOST ? 'hold' : 'defer'
  // The oldest steps leave the window first; what is asked for has to find room.
  let left = used
  const last = window.grid.step + window.grid.window
  for (const step of steps.toSorted((one, other) => one.at - other.at)) {
    left -= step[window.of]
    if (left + asked <= most) return { kind, limit, most, until: step.at + last }
  }
  // More than the limit by itself: the part that fits now has to leave first.
  return { kind, limit, most, until: now + last }
}

function isWorse(one: Exclude<Judgement, { kind: 'within' }>, other: Judgement): boolean {
  if (other.kind === 'within') return true
  if (one.kind !== other.kind) return one.kind === 'defer'
  return one.until > other.until
}
