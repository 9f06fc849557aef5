import { createHash } from 'node:crypto'

import { type Clock, type Random, SECOND } from '../base/clock.ts'
import { nextCronTime } from '../base/cron.ts'
import { messageOf } from '../base/problem.ts'
import { pause } from './deadline.ts'

/** When a probe sends. */
export type Schedule =
  | {
      readonly kind: 'every'
      /** Milliseconds. */
      readonly every: number
      /** By how much a canary may be put off, milliseconds; less than `every`. */
      readonly jitter: number
    }
  | {
      readonly kind: 'cron'
      /** Five or six fields. */
      readonly expression: string
      /** By whose clocks: a name such as Europe/Berlin, or UTC. */
      readonly zone: string
      readonly jitter: number
    }

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
  readonly skipped: (skip: Skip) => void
}

/** Why nothing was sent at a tick: a closed set. */
export const SKIP_REASONS = [
  /** The canary before is still being submitted. */
  'overlap',
  /** The process did not run, or the clock was set forward: the ticks in between are not made up for. */
  'missed',
  /** A fault of ours, such as a history that cannot be written. */
  'failed',
  /** By an operator. */
  'paused',
  /** Too many canaries of the probe have no verdict yet. */
  'undecided',
  /** The seed has had as many canaries in 24 hours as it may have. */
  'cap',
] as const
export type SkipReason = (typeof SKIP_REASONS)[number]

export interface Skip {
  readonly reason: SkipReason
  readonly ticks: number
  /** A few words for people. */
  readonly detail: string
}

// The clock may jump while we wait, so nobody waits longer than this without looking at it.
const LOOK_AT_CLOCK = 20 * SECOND
// Clocks are corrected by seconds all the time; more than this is a jump.
const SET_BACK = 30 * SECOND
const CATCH_UP_WITHIN = 30 * SECOND
// A week at one tick a minute. They have to be looked for one by one.
const MOST_COUNTED = 10_000

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
  const { clock, signal } = options
  let running: Promise<void> | undefined
  let tick = firstTick(options)
  while (!signal.aborted) {
    const waited = await waitUntil(tick.due, clock, signal)
    if (waited === 'aborted') break
    if (waited === 'set-back') {
      // What was waited for may be a year away now.
      tick = nextTick(options)
      continue
    }
    const slot = currentSlot(options, tick.slot)
    if (running) {
      options.skipped({ reason: 'overlap', ticks: 1, detail: 'the canary before is on its way' })
    } else {
      running = options
        .run(slot)
        .catch((error: unknown) =>
          options.skipped({ reason: 'failed', ticks: 1, detail: messageOf(error) }),
        )
        .finally(() => {
          running = undefined
        })
    }
    tick = nextTick(options, slot)
  }
  await running
}

interface Tick {
  readonly slot: number
  /** When it is to happen; the slot and the jitter. */
  readonly due: number
}

/**
 * After a start the last slot of an interval is made up for, and only that one: where it was taken already, nothing is
 * sent.
 */
function firstTick(options: ScheduleOptions): Tick {
  const { schedule, name, clock, random } = options
  if (schedule.kind === 'cron') return nextTick(options)
  const spread = Math.min(schedule.every / 10, CATCH_UP_WITHIN)
  return { slot: slotBefore(name, schedule.every, clock()), due: clock() + random() * spread }
}

/** The slot to run: of those that have gone by unseen only the last one, and the others are told. */
function currentSlot({ schedule, name, clock, skipped }: ScheduleOptions, due: number): number {
  const { slot, ticks } =
    schedule.kind === 'cron'
      ? lastCronSlot(schedule, due, clock())
      : lastSlot(schedule, name, due, clock())
  if (ticks > 0) skipped({ reason: 'missed', ticks, detail: 'nobody was there to send' })
  return slot
}

/** The last slot that has come, and how many came between it and the one that was due. */
interface Overdue {
  readonly slot: number
  readonly ticks: number
}

function lastSlot(
  { every }: Schedule & { readonly kind: 'every' },
  name: string,
  due: number,
  now: number,
): Overdue {
  const slot = Math.max(due, slotBefore(name, every, now))
  return { slot, ticks: Math.round((slot - due) / every) }
}

function lastCronSlot(
  { expression, zone }: Schedule & { readonly kind: 'cron' },
  due: number,
  now: number,
): Overdue {
  let slot = due
  for (let ticks = 0; ; ticks++) {
    const next = nextCronTime(expression, zone, slot)
    if (next > now || ticks === MOST_COUNTED) return { slot, ticks }
    slot = next
  }
}

/** @param last the slot that was run; undefined where none is known */
function nextTick({ schedule, name, clock, random }: ScheduleOptions, last?: number): Tick {
  const slot =
    schedule.kind === 'cron'
      ? nextCronTime(schedule.expression, schedule.zone, clock())
      : Math.max(last ?? 0, slotBefore(name, schedule.every, clock())) + schedule.every
  return { slot, due: slot + random() * schedule.jitter }
}

async function waitUntil(
  at: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<'due' | 'set-back' | 'aborted'> {
  let seen = clock()
  while (!signal.aborted) {
    const now = clock()
    if (now < seen - SET_BACK) return 'set-back'
    if (now >= at) return 'due'
    seen = now
    await pause(Math.min(at - now, LOOK_AT_CLOCK), signal)
  }
  return 'aborted'
}
