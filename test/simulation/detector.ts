import type { Random } from '../../src/base/clock.ts'
import {
  clampBaseline,
  learntBaseline,
  LEARNT_FROM_DAYS,
} from '../../src/probe/detector-baseline.ts'
import { type DetectorState, INITIAL, observe } from '../../src/probe/detector-policy.ts'

/*
 * What the detector does when it is given canaries that fail by chance. `failing` and `baseline` are shares of canaries.
 */

/** A seed gets as many in a year, at one every 10 minutes. */
export const CANARIES_A_YEAR = 52_560
const CANARIES_A_DAY = 144

/** Alarms that begin within so many canaries, while nothing changes. */
export function countAlarms(
  random: Random,
  { failing, baseline, canaries }: { failing: number; baseline: number; canaries: number },
): number {
  let state: DetectorState = INITIAL
  let alarms = 0
  for (let i = 0; i < canaries; i++) {
    const before = state.alarm
    state = observe(state, random() < failing, baseline)
    if (state.alarm && !before) alarms++
  }
  return alarms
}

/** False alarms in a year of canaries. */
export function falseAlarmsAYear(
  random: Random,
  { failing, baseline, years }: { failing: number; baseline: number; years: number },
): number {
  return countAlarms(random, { failing, baseline, canaries: years * CANARIES_A_YEAR }) / years
}

/** The same with a baseline that is learnt, anew in every run, from four weeks of canaries that fail alike. */
export function falseAlarmsAYearLearnt(
  random: Random,
  { failing, years }: { failing: number; years: number },
): number {
  let alarms = 0
  // A month by a baseline of its own: baselines of neighbouring days are nearly the same.
  const months = years * 12
  for (let i = 0; i < months; i++) {
    const baseline = learnt(random, failing)
    alarms += countAlarms(random, { failing, baseline, canaries: CANARIES_A_YEAR / 12 })
  }
  return alarms / years
}

/** How many canaries it took in each run until the alarm, from the first one after the drop; in ascending order. */
export function delays(
  random: Random,
  options: {
    healthy: number
    dropped: number
    /** Undefined to learn it anew in each run. */
    baseline?: number
    runs: number
  },
): readonly number[] {
  const { healthy, dropped, runs } = options
  const found: number[] = []
  while (found.length < runs) {
    const baseline = options.baseline ?? learnt(random, healthy)
    let state = afterCalm(random, healthy, baseline)
    let canaries = 0
    while (!state.alarm) {
      canaries++
      state = observe(state, random() < dropped, baseline)
    }
    found.push(canaries)
  }
  return found.sort((a, b) => a - b)
}

/** Two days of health: what the detector is like when it happens. */
function afterCalm(random: Random, failing: number, baseline: number): DetectorState {
  let state: DetectorState = INITIAL
  for (let i = 0; i < 2 * CANARIES_A_DAY; i++) {
    state = observe(state, random() < failing, baseline)
    if (state.alarm) state = INITIAL
  }
  return state
}

function learnt(random: Random, failing: number): number {
  const days = Array.from({ length: LEARNT_FROM_DAYS }, () => {
    let failures = 0
    for (let i = 0; i < CANARIES_A_DAY; i++) if (random() < failing) failures++
    return { n: CANARIES_A_DAY, failures }
  })
  return clampBaseline(learntBaseline(days))
}

/** @returns the value that a share `q` of the runs do not exceed */
export function atQuantile(sorted: readonly number[], q: number): number {
  return sorted[Math.ceil(q * sorted.length) - 1] ?? Number.NaN
}
