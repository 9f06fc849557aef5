import fc from 'fast-check'
import { expect, test } from 'vitest'

import { wilson } from '../../../src/probe/statistics/interval.ts'
import { quantile } from '../../../src/probe/statistics/quantile.ts'

// The first four: R. G. Newcombe, Statistics in Medicine 17 (1998) 857–872, table I, method 3, as also the tests of R's
// ratesci (test3.R) and of Python's mqr have them. The last is n / (n + z²) of the formula.
test.each([
  [81, 263, 0.2553, 0.3662],
  [15, 148, 0.0624, 0.1605],
  [0, 20, 0, 0.1611],
  [1, 29, 0.0061, 0.1718],
  [24, 24, 0.862, 1],
])('wilson of %i in %i is %f to %f', (k, n, low, high) => {
  expect(wilson(k, n).low).toBeCloseTo(low, 4)
  expect(wilson(k, n).high).toBeCloseTo(high, 4)
})

test('of nothing, nothing is known', () => {
  expect(wilson(0, 0)).toEqual({ low: 0, high: 1 })
  expect(quantile([], 0.5)).toBeUndefined()
})

test('the interval holds the rate, lies in 0 to 1, and shrinks as n grows', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), fc.nat(10_000), (n, any) => {
      const k = any % (n + 1)
      const { low, high } = wilson(k, n)
      expect(low).toBeGreaterThanOrEqual(0)
      expect(high).toBeLessThanOrEqual(1)
      expect(low).toBeLessThanOrEqual(k / n + 1e-12)
      expect(high).toBeGreaterThanOrEqual(k / n - 1e-12)
      const more = wilson(k * 10, n * 10)
      expect(more.high - more.low).toBeLessThan(high - low)
    }),
  )
})

// Type 7 by hand: the value at 1 + (n − 1) q, between its neighbours.
test.each([
  [[1, 2, 3, 4], 0.5, 2.5],
  [[4, 1, 3, 2], 0.95, 3.85],
  [[7], 0.99, 7],
  [[1, 10], 0, 1],
  [[1, 10], 1, 10],
])('the quantile of %j at %f is %f', (values, q, expected) => {
  expect(quantile(values, q)).toBeCloseTo(expected, 10)
})
