import { describe, expect, test } from 'vitest'

import { seededRandom } from '../../src/probe/statistics/seeded-random.ts'
import { atQuantile, delays, falseAlarmsAYear, falseAlarmsAYearLearnt } from './detector.ts'
import {
  coverageOfDays,
  coverageOfDifference,
  coverageOfPairs,
  coverageOfWilson,
  sizeOfFisher,
  sizeOfMcNemar,
} from './intervals.ts'

// Chance is seeded: each of these gives the same number every time. `npm run simulate` measures them at length.

describe('the detector, 99 % healthy, a canary every 10 minutes', () => {
  const of = (dropped: number, runs: number, baseline?: number): readonly number[] =>
    delays(seededRandom(11), {
      healthy: 0.01,
      dropped,
      runs,
      ...(baseline !== undefined && { baseline }),
    })

  test('finds total loss within 3 canaries', () => {
    expect(of(1, 500, 0.01).at(-1)).toBeLessThanOrEqual(3)
    expect(of(1, 100).at(-1)).toBeLessThanOrEqual(4)
  })

  test('finds a drop to 80 % within a median of 20', () => {
    expect(atQuantile(of(0.2, 4_000, 0.01), 0.5)).toBeLessThanOrEqual(20)
  })

  test('gives less than one false alarm a seed and year, at any baseline, set or learnt', () => {
    for (const failing of [0.01, 0.05, 0.3]) {
      const options = { failing, baseline: failing, years: 20 }
      expect(falseAlarmsAYear(seededRandom(12), options)).toBeLessThan(1)
    }
    expect(falseAlarmsAYearLearnt(seededRandom(13), { failing: 0.01, years: 20 })).toBeLessThan(1)
  })

  test('alarms all the time by a baseline that is not its own, as the simulation must show', () => {
    const options = { failing: 0.05, baseline: 0.01, years: 2 }
    expect(falseAlarmsAYear(seededRandom(14), options)).toBeGreaterThan(10)
  })
})

describe('95 % intervals', () => {
  test('of a rate hold it about as often', () => {
    for (const [n, p] of [
      [30, 0.95],
      [100, 0.9],
      [1_000, 0.99],
    ] as const) {
      const share = coverageOfWilson(seededRandom(15), n, p, 4_000)
      expect(share).toBeGreaterThan(0.92)
      expect(share).toBeLessThan(0.98)
    }
  })

  test('of a difference hold it about as often', () => {
    const model = { n: 100, p: 0.97, m: 150, q: 0.9 }
    expect(coverageOfDifference(seededRandom(16), model, 4_000)).toBeGreaterThan(0.93)
    const pairs = { n: 100, p: 0.97, q: 0.9, shared: 0.05 }
    expect(coverageOfPairs(seededRandom(17), pairs, 4_000)).toBeGreaterThan(0.93)
  })

  test('of days that differ need the days', () => {
    const model = { days: 20, perDay: 144, p: 0.98, bad: 0.2, badDays: 0.2, moreForA: 0.1 }
    const { blocks, independent } = coverageOfDays(seededRandom(18), model, 100)
    expect(blocks).toBeGreaterThan(0.85)
    expect(independent).toBeLessThan(blocks - 0.05)
  })
})

test('an exact test is wrong no more often than its level', () => {
  expect(sizeOfFisher(seededRandom(19), 100, 0.9, 2_000)).toBeLessThan(0.055)
  expect(sizeOfMcNemar(seededRandom(20), { n: 100, p: 0.9, shared: 0.05 }, 2_000)).toBeLessThan(
    0.055,
  )
})
