import { LIMIT_NAMES, type LimitName, type LoginLimits } from './login-limits.ts'
import { stepsWithin, WINDOWS, type Usage } from './usage.ts'

/** How much of one limit is used. */
export interface LimitUse {
  readonly limit: LimitName
  readonly used: number
  /** `Infinity` is no limit. */
  readonly most: number
  /** In words: `messages an hour`. */
  readonly title: string
}

/** What a login has sent, against each of its limits; as `judge` counts it. */
export function usesOf(usage: Usage, limits: LoginLimits, now: number): readonly LimitUse[] {
  return LIMIT_NAMES.map(limit => {
    const { of, noun, per } = WINDOWS[limit]
    const steps = stepsWithin(usage, WINDOWS[limit], now)
    const used = steps.reduce((sum, step) => sum + step[of], 0)
    return { limit, used, most: limits[limit], title: `${noun}s ${per}` }
  })
}
