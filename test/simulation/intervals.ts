import type { Random } from '../../src/base/clock.ts'
import { dayBlockInterval } from '../../src/probe/statistics/day-blocks.ts'
import { difference, pairedDifference } from '../../src/probe/statistics/difference.ts'
import { fisher, mcNemar } from '../../src/probe/statistics/exact.ts'
import { type Interval, wilson } from '../../src/probe/statistics/interval.ts'

/*
 * How often an interval holds what it should, and how often a test finds what is not there, of samples drawn by chance.
 */

/** @returns the share of runs whose interval holds `truth`; a run without an interval holds everything */
function coverage(runs: number, truth: number, draw: () => Interval | undefined): number {
  let held = 0
  for (let i = 0; i < runs; i++) {
    const interval = draw()
    // Where it ends exactly at the truth, rounding decides otherwise.
    if (!interval || (interval.low <= truth + 1e-9 && interval.high >= truth - 1e-9)) held++
  }
  return held / runs
}

function binomial(random: Random, n: number, p: number): number {
  let k = 0
  for (let i = 0; i < n; i++) if (random() < p) k++
  return k
}

export function coverageOfWilson(random: Random, n: number, p: number, runs: number): number {
  return coverage(runs, p, () => wilson(binomial(random, n, p), n))
}

export function coverageOfDifference(
  random: Random,
  { n, p, m, q }: { n: number; p: number; m: number; q: number },
  runs: number,
): number {
  return coverage(runs, p - q, () =>
    difference({ k: binomial(random, n, p), n }, { k: binomial(random, m, q), n: m }),
  )
}

/** Pairs share an accident with probability `shared`: then neither arrives. */
interface PairModel {
  readonly n: number
  readonly p: number
  readonly q: number
  readonly shared: number
}

function drawPairs(random: Random, { n, p, q, shared }: PairModel) {
  const pairs = { both: 0, onlyA: 0, onlyB: 0, neither: 0 }
  for (let i = 0; i < n; i++) {
    const accident = random() < shared
    const a = !accident && random() < p
    const b = !accident && random() < q
    if (a && b) pairs.both++
    else if (a) pairs.onlyA++
    else if (b) pairs.onlyB++
    else pairs.neither++
  }
  return pairs
}

export function coverageOfPairs(random: Random, model: PairModel, runs: number): number {
  const truth = (1 - model.shared) * (model.p - model.q)
  return coverage(runs, truth, () => pairedDifference(drawPairs(random, model)))
}

/** @returns the share of runs in which Fisher's test says at 5 % that two equal rates differ */
export function sizeOfFisher(random: Random, n: number, p: number, runs: number): number {
  let found = 0
  for (let i = 0; i < runs; i++) {
    const a = { k: binomial(random, n, p), n }
    const b = { k: binomial(random, n, p), n }
    if (fisher(a, b) < 0.05) found++
  }
  return found / runs
}

export function sizeOfMcNemar(random: Random, model: Omit<PairModel, 'q'>, runs: number): number {
  let found = 0
  for (let i = 0; i < runs; i++) {
    if (mcNemar(drawPairs(random, { ...model, q: model.p })) < 0.05) found++
  }
  return found / runs
}

/** Each day one in `badDays` is bad, and canaries of both origins then arrive by `bad` less. */
export interface DayModel {
  readonly days: number
  readonly perDay: number
  readonly p: number
  readonly bad: number
  readonly badDays: number
  /** By how much the bad day is worse for the one origin than for the other. */
  readonly moreForA: number
}

interface Day {
  readonly a: { readonly k: number; readonly n: number }
  readonly b: { readonly k: number; readonly n: number }
}

function drawDays(random: Random, model: DayModel): readonly Day[] {
  const { days, perDay: n, p, bad, badDays, moreForA } = model
  return Array.from({ length: days }, () => {
    const worse = random() < badDays ? bad : 0
    // Whom it hits harder is chance too: the two are alike in the long run.
    const [more, less] = random() < 0.5 ? [moreForA, 0] : [0, moreForA]
    const forA = worse === 0 ? 0 : worse + more
    const forB = worse === 0 ? 0 : worse + less
    return {
      a: { k: binomial(random, n, p - forA), n },
      b: { k: binomial(random, n, p - forB), n },
    }
  })
}

function total(days: readonly Day[], origin: 'a' | 'b'): { k: number; n: number } {
  return days.reduce((sum, day) => ({ k: sum.k + day[origin].k, n: sum.n + day[origin].n }), {
    k: 0,
    n: 0,
  })
}

/** Two origins that are alike, on days that are not: how often each interval holds 0. */
export function coverageOfDays(
  random: Random,
  model: DayModel,
  runs: number,
): { readonly blocks: number; readonly independent: number } {
  const blocks = coverage(runs, 0, () =>
    dayBlockInterval(drawDays(random, model), drawn => {
      const a = total(drawn, 'a')
      const b = total(drawn, 'b')
      return a.k / a.n - b.k / b.n
    }),
  )
  const independent = coverage(runs, 0, () => {
    const days = drawDays(random, model)
    return difference(total(days, 'a'), total(days, 'b'))
  })
  return { blocks, independent }
}
