import { DAY, HOUR, MINUTE } from '../../base/clock.ts'
import type { LimitName } from './login-limits.ts'

/*
 * Windows slide in steps: what was sent is counted by the step in which it was, and a step counts for as long as any
 * part of it lies in the window. So an hour is never shorter than an hour, and at most a step longer. Steps are five
 * minutes for an hour and an hour for a day: some forty rows say all of a login, and not three hundred.
 */

/** A length of steps, and how far back the windows look that are made of them; milliseconds. */
interface Grid {
  readonly step: number
  readonly window: number
}

const OF_AN_HOUR: Grid = { step: 5 * MINUTE, window: HOUR }
const OF_A_DAY: Grid = { step: HOUR, window: DAY }

/** Everything that is sent is counted in each of these. */
export const GRIDS: readonly Grid[] = [OF_AN_HOUR, OF_A_DAY]

/** How much of each: of one message, or of many. */
export interface Amounts {
  readonly messages: number
  readonly recipients: number
  /** Recipients that the login had not written to before. */
  readonly fresh: number
}

/** What a login sent in one step. */
export interface UsageStep extends Amounts {
  /** Length of the step, that of one of the grids. */
  readonly step: number
  /** When it began, milliseconds since the epoch; a multiple of its length. */
  readonly at: number
}

/** What a login sent lately: of each grid the steps that its window sees, and maybe others, in any order. */
export type Usage = readonly UsageStep[]

interface Window {
  readonly of: keyof Amounts
  readonly grid: Grid
  /** For people: `100 messages an hour`. */
  readonly noun: string
  readonly per: string
}

export const WINDOWS: Readonly<Record<LimitName, Window>> = {
  messages_per_hour: { of: 'messages', grid: OF_AN_HOUR, noun: 'message', per: 'an hour' },
  messages_per_day: { of: 'messages', grid: OF_A_DAY, noun: 'message', per: 'a day' },
  recipients_per_hour: { of: 'recipients', grid: OF_AN_HOUR, noun: 'recipient', per: 'an hour' },
  recipients_per_day: { of: 'recipients', grid: OF_A_DAY, noun: 'recipient', per: 'a day' },
  new_recipients_per_day: { of: 'fresh', grid: OF_A_DAY, noun: 'new recipient', per: 'a day' },
}

/** When the step that a moment is in began. */
export function stepOf(at: number, { step }: Grid): number {
  return Math.floor(at / step) * step
}

/** When the earliest step began that a window of the grid sees. */
export function oldestStep(now: number, grid: Grid): number {
  return stepOf(now - grid.window, grid)
}

/** The steps that a window sees at `now`. Those of the future are of a clock that was wrong, and count nothing. */
export function stepsWithin(usage: Usage, { grid }: Window, now: number): UsageStep[] {
  const { step, window } = grid
  return usage.filter(
    ({ at, step: length }) => length === step && at <= now && at + step > now - window,
  )
}
