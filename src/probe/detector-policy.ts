/*
 * When a falling rate is an alarm: the whole policy, and nothing else.
 *
 * A canary every few minutes is too few for a share over a window: the window is either too short to hold a sample or
 * too long to be of use. Here each decided canary adds its evidence. For each of a few sizes of drop, `odds` holds how
 * much likelier what was seen is if a drop of this size began at any canary so far than if all is as ever, each
 * beginning counted once (the Shiryaev–Roberts procedure):
 *
 *     R ← (R + weight) × p₁/p₀              for a canary that failed
 *     R ← (R + weight) × (1−p₁)/(1−p₀)      for one that did not
 *
 * and the alarm is raised when their sum reaches `THRESHOLD`. While the share that fails is p₀ or less, the sum less the
 * number of canaries is a supermartingale, so that the mean number of canaries to a false alarm is `THRESHOLD` at least,
 * whatever p₀ is: no table, no tuning. A. N. Shiryaev, "On optimum methods in quickest detection problems", Theory of
 * Probability and its Applications 8 (1963) 22–46; S. W. Roberts, "A comparison of some control chart procedures",
 * Technometrics 8 (1966) 411–430; M. Pollak, "Average run lengths of an optimal method of detecting a change in
 * distribution", Annals of Statistics 15 (1987) 749–779.
 */

/** Sizes of a drop that are looked for, and how much each weighs: of what arrived before, this share is lost now. */
const DROPS = [
  { lost: 0.05, weight: 0.1 },
  { lost: 0.18, weight: 0.76 },
  { lost: 0.5, weight: 0.08 },
  // Weighs enough for three lost canaries in a row to be an alarm where one in a hundred is usual.
  { lost: 0.99, weight: 0.06 },
] as const

/** As many canaries as a seed gets in a year at one every 10 minutes. */
export const THRESHOLD = 365 * 24 * 6

// Between the two nothing changes, or an alarm would come and go with every canary.
const ENDS_BELOW = 0.5
// Of each size, as a share of its weight: then some six arrivals in a row end an alarm.
const KEPT = 0.02
// The evidence that is always there, also while all is well.
const CALM_BELOW = 0.25

/** What is known of one signal after some canaries. */
export interface DetectorState {
  /** For each size of drop; their sum is at most `THRESHOLD`. */
  readonly odds: readonly number[]
  readonly alarm: boolean
  /** Canaries since the evidence began to gather, and how many of them failed; 0 while there is none. */
  readonly canaries: number
  readonly failures: number
}

export const INITIAL: DetectorState = {
  odds: DROPS.map(() => 0),
  alarm: false,
  canaries: 0,
  failures: 0,
}

/**
 * The state after one more canary that was decided. One that is unknown is not to be given here.
 *
 * @param baseline the share that fails while all is well, above 0 and below 1
 */
export function observe(state: DetectorState, failed: boolean, baseline: number): DetectorState {
  let sum = 0
  const odds = DROPS.map(({ lost, weight }, i) => {
    const dropped = baseline + (1 - baseline) * lost
    const likelihood = failed ? dropped / baseline : (1 - dropped) / (1 - baseline)
    const value = ((state.odds[i] ?? 0) + weight) * likelihood
    sum += value
    return value
  })
  const bounded = sum > THRESHOLD ? withinThreshold(odds, sum) : odds
  const evidence = evidenceOf(bounded)
  const calm = evidence < CALM_BELOW
  return {
    odds: bounded,
    alarm: sum >= THRESHOLD || (state.alarm && evidence >= ENDS_BELOW),
    canaries: calm ? 0 : state.canaries + 1,
    failures: calm ? 0 : state.failures + (failed ? 1 : 0),
  }
}

/**
 * No more is kept than an alarm takes, or a long outage would be remembered long after its end. The sizes keep their
 * proportion, but none is given up: after a total loss the first arrival tells much, and is not the end yet.
 */
function withinThreshold(odds: readonly number[], sum: number): readonly number[] {
  const kept = odds.map((value, i) =>
    Math.max((value / sum) * THRESHOLD, KEPT * (DROPS[i]?.weight ?? 0) * THRESHOLD),
  )
  const total = kept.reduce((all, value) => all + value, 0)
  return kept.map(value => (value / total) * THRESHOLD)
}

/** How near an alarm is: 0 without evidence, 1 at the threshold, on a logarithmic scale. */
export function evidenceOf(odds: readonly number[]): number {
  const sum = odds.reduce((total, value) => total + value, 0)
  return Math.min(1, Math.log1p(sum) / Math.log1p(THRESHOLD))
}
