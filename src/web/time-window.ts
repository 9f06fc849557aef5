import { DAY, HOUR, MINUTE } from '../base/clock.ts'
import type { RangeName } from './browser/status-data.ts'

// Wide enough for a chart, and a step holds several canaries of a probe that runs every few minutes.
const LENGTHS: Readonly<Record<RangeName, { readonly length: number; readonly step: number }>> = {
  '15m': { length: 15 * MINUTE, step: MINUTE },
  '1h': { length: HOUR, step: 5 * MINUTE },
  '6h': { length: 6 * HOUR, step: 15 * MINUTE },
  '24h': { length: DAY, step: HOUR },
  '7d': { length: 7 * DAY, step: 6 * HOUR },
  '30d': { length: 30 * DAY, step: DAY },
}

/** The time that a range stands for. */
export interface TimeWindow {
  /** Milliseconds since the epoch. */
  readonly since: number
  readonly until: number
  readonly step: number
  /** Beginning of every step, oldest first. */
  readonly steps: readonly number[]
  /** The step that a time falls into, by the step's own beginning. */
  indexOf(from: number): number
}

/** Steps begin at multiples of their length, so that a bar does not change its content from one look to the next. */
export function windowOf(range: RangeName, at: number): TimeWindow {
  const { length, step } = LENGTHS[range]
  const until = at - (at % step) + step
  const since = until - length
  return {
    since,
    until,
    step,
    steps: Array.from({ length: length / step }, (_, index) => since + index * step),
    indexOf: from => Math.floor((from - since) / step),
  }
}
