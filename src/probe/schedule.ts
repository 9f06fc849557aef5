import { createHash } from 'node:crypto'

import { createTask, validate } from 'node-cron'

import { type Clock, type Random, SECOND } from '../base/clock.ts'
import { messageOf } from '../base/problem.ts'
import { pause } from './deadline.ts'

/** When a probe sends. */
export type Schedule =
  | {
      readonly kind: 'every'
      /** Milliseconds. */
      readonly every: number
      /** By how much a canary may be put off, as a share of `every`: 0.2 is up to a fifth later. */
      readonly jitter: number
    }
  /** A cron expression with five or six fields, in UTC: a change to summer time must not leave a gap. */
  | { readonly kind: 'cron'; readonly expression: string }

export interface ScheduleOptions {
  /** Name of the probe: probes of one interval do not all send in the same second. */
  readonly name: string
  readonly schedule: Schedule
  readonly clock: Clock
  readonly random: Random
  readonly signal: AbortSignal
  /**
   * Sends one canary.
   *
   * @param slot the moment it was due, the same on every node: with the probe's name it is the key of this tick
   */
  readonly run: (slot: number) => Promise<void>
  readonly skipped: (reason: string) => void
}

// The clock may jump while we wait, so nobody waits longer than this without looking at it.
const LOOK_AT_CLOCK = 20 * SECOND
const CATCH_UP_WITHIN = 30 * SECOND

/** Whether node-cron can read the expression. */
export function isCronExpression(expression: string): boolean {
  return validate(expression)
}

/**
 * The last slot of an interval that is not after a moment: a multiple of the interval, moved by a part of it that
 * follows from the name. Nodes that know nothing of each other agree on it.
 *
 * @returns milliseconds since the epoch
 */
export function slotBefore(name: string, every: number, at: number): number {
  const hash = createHash('sha256').update(name).digest().readUInt32BE()
  const phase = Math.floor((hash / 2 ** 32) * every)
  return Math.floor((at - phase) / every) * every + phase
}

/**
 * Runs a schedule until `signal` is aborted, and resolves when the last run has ended. It never rejects.
 *
 * A clock that is set back silences the probe until the time has caught up: its ticks are taken.
 */
export async function runSchedule(options: ScheduleOptions): Promise<void> {
  const { clock, signal, random } = options
  let running: Promise<void> | undefined
  let tick = firstTick(options)
  while (!signal.aborted) {
    await waitUntil(tick.due, clock, signal)
    if (signal.aborted) break
    if (running) {
      options.skipped('the canary before is still being submitted')
    } else {
      running = options
        .run(tick.slot)
        .catch((error: unknown) => options.skipped(messageOf(error)))
        .finally(() => {
          running = undefined
        })
    }
    tick = nextTick(options, tick.slot, clock(), random)
  }
  await running
}

interface Tick {
  readonly slot: number
  /** When it is to happen; the slot and the jitter. */
  readonly due: number
}

/** After a pause the last slot is made up for, and only that one: where it was taken already, nothing is sent. */
function firstTick(options: ScheduleOptions): Tick {
  const { schedule, name, clock, random } = options
  if (schedule.kind === 'cron') return nextTick(options, 0, clock(), random)
  const spread = Math.min(schedule.every / 10, CATCH_UP_WITHIN)
  return { slot: slotBefore(name, schedule.every, clock()), due: clock() + random() * spread }
}

function nextTick(options: ScheduleOptions, last: number, now: number, random: Random): Tick {
  const { schedule, name } = options
  if (schedule.kind === 'cron') {
    const task = createTask(schedule.expression, () => undefined, { timezone: 'UTC' })
    // `getNextRun` is null for a task that was not started; this one never is, it only reads the expression.
    const next = task.getNextRuns(1)[0]?.getTime() ?? Number.POSITIVE_INFINITY
    void task.destroy()
    return { slot: next, due: next }
  }
  const current = slotBefore(name, schedule.every, now)
  const slot = current > last ? current : current + schedule.every
  return { slot, due: slot + random() * schedule.jitter * schedule.every }
}

async function waitUntil(at: number, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const rest = at - clock()
    if (rest <= 0) return
    await pause(Math.min(rest, LOOK_AT_CLOCK), signal)
  }
}
