import { beforeAll, describe, expect, test } from 'vitest'

import { DAY, HOUR, SECOND } from '../../src/base/clock.ts'
import { collectPeriod, type Period, readPeriod } from '../../src/probe/period.ts'
import { SqliteHistory } from '../../src/probe/sqlite-history.ts'
import { holm } from '../../src/probe/statistics/holm.ts'
import type { ComparedRate, Comparison } from '../../src/report/compared.ts'
import { compare } from '../../src/report/comparison.ts'
import { sentenceOf } from '../../src/report/sentences.ts'
import { summarise } from '../../src/report/summary.ts'
import { medianOfDays, timeBins } from '../../src/report/time-bins.ts'
import { pWords, percent, points, secondsWords } from '../../src/report/words.ts'
import { fillHistory } from '../support/sample-period.ts'

const END = Date.UTC(2026, 10, 24)

describe('a month of two origins', () => {
  let period: Period
  let comparison: Comparison
  const rate = (provider: string, measure: string): ComparedRate => {
    const found = comparison.rates.find(row => row.provider === provider && row.measure === measure)
    if (!found) throw new Error('no such row')
    return found
  }

  beforeAll(async () => {
    const history = new SqliteHistory(':memory:')
    await fillHistory(history, { end: END, days: 30, perDay: 24 })
    const request = {
      since: END - 30 * DAY,
      until: END,
      compare: ['relay', 'old'],
    } as const
    period = await collectPeriod(request, readPeriod(history, request))
    comparison = compare(period, 'relay', 'old')
    await history.close()
  })

  test('a real difference is found, as pairs', () => {
    const found = rate('gmail', 'arrival')
    expect(found.pairs).toBeGreaterThan(650)
    expect(found.pAdjusted).toBeLessThan(0.001)
    expect(found.byDays?.low).toBeGreaterThan(0)
    expect(found.sentence).toMatch(/^gmail: mail from relay arrives more often than mail from old/)
  })

  test('what both suffer from is no difference', () => {
    const found = rate('yahoo', 'inbox')
    expect(found.a.k / found.a.n).toBeLessThan(0.9)
    expect(found.pAdjusted).toBeGreaterThan(0.05)
    expect(found.sentence).not.toMatch(/more often/)
  })

  test('pairs of which one is unknown are left out, and unknown is in no rate', () => {
    const { counts } = summarise(period).routes[0] ?? { counts: undefined }
    expect(counts?.unknown).toBeGreaterThan(0)
    for (const { a, b, pairs } of comparison.rates) {
      expect(pairs).toBeLessThan(Math.min(a.n, b.n))
    }
  })

  test('time is told by days', () => {
    const yahoo = comparison.times.find(({ provider }) => provider === 'yahoo')
    expect(yahoo?.byDays?.high).toBeLessThan(-25)
    expect(yahoo?.sentence).toMatch(/mail from old takes longer than mail from relay/)
    const gmail = comparison.times.find(({ provider }) => provider === 'gmail')
    expect(gmail?.sentence).toMatch(/no difference in time is shown/)
  })

  test('turned round it says the same of the other', () => {
    // Pairs are read for one order.
    const samples = { ...period, pairs: [] }
    const there = compare(samples, 'relay', 'old').rates
    const back = compare(samples, 'old', 'relay').rates
    expect(there.map(({ p }) => p.toFixed(9))).toEqual(back.map(({ p }) => p.toFixed(9)))
    expect(there.map(({ difference }) => difference?.estimate.toFixed(9))).toEqual(
      back.map(({ difference }) => (-(difference?.estimate ?? 0)).toFixed(9)),
    )
    expect(there.every(({ pairs }) => pairs === 0)).toBe(true)
  })

  test('the summary counts everything once', () => {
    const summary = summarise(period)
    const all = period.tallies.flatMap(({ counts }) => Object.values(counts))
    expect(summary.canaries).toBe(all.reduce((sum, n) => sum + n, 0))
    expect(summary.canaries).toBe(30 * 24 * 6)
    const [route] = summary.routes
    expect(route?.days).toHaveLength(30)
    const ofDays = route?.days.flatMap(({ counts }) => Object.values(counts)) ?? []
    expect(ofDays.reduce((sum, n) => sum + n, 0)).toBe(30 * 24)
    expect(route?.times?.n).toBe(route?.arrived.k)
    const seconds = route?.days.reduce((sum, { times }) => sum + (times?.n ?? 0), 0)
    expect(seconds).toBe(route?.arrived.k)
  })
})

test('few days, and an origin without canaries, are told in words', () => {
  const empty = { kind: 'samples', k: 0, n: 0, low: 0, high: 1 }
  const base = {
    provider: 'gmail',
    measure: 'arrival',
    a: { ...empty, k: 9, n: 10 },
    b: empty,
    pairs: 0,
    difference: undefined,
    byDays: undefined,
    p: 1,
    pAdjusted: 1,
  } as const
  expect(sentenceOf(base, 'relay', 'old')).toBe(
    'gmail: nothing can be said of arrival: old has no canary with a verdict.',
  )
})

test('days that contradict a small p are heard', () => {
  const rate = (k: number): ComparedRate['a'] => ({ k, n: 1_000, low: 0, high: 1 })
  const sentence = sentenceOf(
    {
      provider: 'gmail',
      measure: 'inbox',
      a: rate(900),
      b: rate(950),
      pairs: 1_000,
      difference: { estimate: -0.05, low: -0.07, high: -0.03 },
      byDays: { low: -0.12, high: 0.01 },
      p: 1e-5,
      pAdjusted: 1e-4,
    },
    'relay',
    'old',
  )
  expect(sentence).toMatch(/no difference in placement is shown/)
  expect(sentence).toMatch(/it may be a few bad days/)
})

test('few canaries are not called a difference, and not called none', () => {
  const sentence = sentenceOf(
    {
      provider: 'gmail',
      measure: 'arrival',
      a: { k: 16, n: 16, low: 0.8, high: 1 },
      b: { k: 9, n: 16, low: 0.3, high: 0.8 },
      pairs: 16,
      difference: { estimate: 0.44, low: 0.15, high: 0.67 },
      byDays: undefined,
      p: 0.016,
      pAdjusted: 0.094,
    },
    'relay',
    'old',
  )
  expect(sentence).toBe(
    'gmail: a difference in arrival of +15.0 to +67.0 points is likely, but not beyond the chance of so many questions and so few canaries: 100 % of 16 against 56.3 % of 16 (16 pairs, p = 0.094).',
  )
})

// S. Holm's procedure by hand: 0.01 × 4, 0.02 × 3, 0.03 × 2, and no value below the one before.
test('p-values are adjusted for the number of questions', () => {
  const adjusted = holm([0.03, 0.01, 0.04, 0.02]).map(p => Number(p.toFixed(6)))
  expect(adjusted).toEqual([0.06, 0.04, 0.06, 0.06])
  expect(holm([0.6, 0.7])).toEqual([1, 1])
})

test('the median of days in bins is the median, to two in a hundred', () => {
  const days = [[1, 2, 3], [10, 20], [4]]
  const median = medianOfDays(days.map(timeBins)) ?? 0
  expect(Math.abs(median / 3 - 1)).toBeLessThan(0.02)
  expect(medianOfDays([timeBins([])])).toBeUndefined()
  expect(medianOfDays([timeBins([0, 0, 900_000])])).toBeCloseTo(0.1, 2)
})

test.each([
  [percent(0.98765), '98.8 %'],
  [percent(1), '100 %'],
  [percent(0.9999), '100 %'],
  [points(0.051), '+5.1'],
  [points(-0.004), '−0.4'],
  [secondsWords(0.84), '0.8 s'],
  [secondsWords(42.2), '42 s'],
  [secondsWords(200), '3 min 20 s'],
  [secondsWords(-(2 * HOUR + 300 * SECOND) / SECOND), '−2 h 5 min'],
  [pWords(0.0000001), 'p < 0.0001'],
  [pWords(0.0341), 'p = 0.034'],
  [pWords(0.394), 'p = 0.39'],
])('a number is written %s', (written, expected) => {
  expect(written).toBe(expected)
})
