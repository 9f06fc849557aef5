import { createHash } from 'node:crypto'

import type { Schedule } from './schedule.ts'

/** One of several probes that share their ticks: seeds of one provider, so that each gets less mail. */
export interface Turn {
  readonly index: number
  /** How many share. */
  readonly of: number
}

/**
 * Whether a tick is this probe's. It follows from the tick alone, so that nodes that know nothing of each other agree,
 * and so that all origins send to the same seed at the same tick and can be compared. By an interval the seeds come one
 * after the other; by a cron expression, whose ticks have no number, each is drawn.
 *
 * @param slot the moment the tick was due, milliseconds since the epoch
 */
export function isTurn(turn: Turn, schedule: Schedule, slot: number): boolean {
  if (turn.of <= 1) return true
  const number =
    schedule.kind === 'every'
      ? Math.floor(slot / schedule.every)
      : createHash('sha256').update(String(slot)).digest().readUInt32BE()
  return number % turn.of === turn.index
}
