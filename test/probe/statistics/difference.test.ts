import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { difference, pairedDifference } from '../../../src/probe/statistics/difference.ts'

// R. G. Newcombe, Statistics in Medicine 17 (1998) 873–890, table II, method 10.
test.each([
  [56, 70, 48, 80, 0.0524, 0.3339],
  [9, 10, 3, 10, 0.1705, 0.809],
  [6, 7, 2, 7, 0.0582, 0.8062],
  [5, 56, 0, 29, -0.0381, 0.1926],
  [0, 10, 0, 20, -0.1611, 0.2775],
  [0, 10, 0, 10, -0.2775, 0.2775],
  [10, 10, 0, 20, 0.6791, 1],
  [10, 10, 0, 10, 0.6075, 1],
])('%i of %i less %i of %i is %f to %f', (k, n, l, m, low, high) => {
  const found = difference({ k, n }, { k: l, n: m })
  expect(found?.estimate).toBeCloseTo(k / n - l / m, 12)
  expect(found?.low).toBeCloseTo(low, 3)
  expect(found?.high).toBeCloseTo(high, 3)
})

test('of nothing there is no difference', () => {
  expect(difference({ k: 0, n: 0 }, { k: 1, n: 2 })).toBeUndefined()
  expect(pairedDifference({ both: 0, onlyA: 0, onlyB: 0, neither: 0 })).toBeUndefined()
})

// The first: Bentur et al. (2009) in Fagerland, Lydersen, Laake, Statistics in Medicine 33 (2014) 2850–2875, table VII.
// The second: Altman et al., Statistics with Confidence, 2nd ed. (2000), table 6.2.
test.each([
  [1, 1, 7, 12, -0.507, -0.026],
  [14, 5, 0, 22, 0.011, 0.226],
])('pairs %i, %i, %i, %i: %f to %f', (both, onlyA, onlyB, neither, low, high) => {
  const found = pairedDifference({ both, onlyA, onlyB, neither })
  expect(found?.low).toBeCloseTo(low, 3)
  expect(found?.high).toBeCloseTo(high, 3)
})

describe('of any counts', () => {
  const count = fc.nat(500)

  test('the interval holds the estimate, and the mirror image is the mirror image', () => {
    fc.assert(
      fc.property(count, count, count, count, (both, onlyA, onlyB, neither) => {
        const there = pairedDifference({ both, onlyA, onlyB, neither })
        const back = pairedDifference({ both, onlyA: onlyB, onlyB: onlyA, neither })
        if (!there || !back) return
        expect(there.low).toBeLessThanOrEqual(there.estimate + 1e-12)
        expect(there.high).toBeGreaterThanOrEqual(there.estimate - 1e-12)
        expect(there.low).toBeCloseTo(-back.high, 10)
        expect(Math.max(Math.abs(there.low), there.high)).toBeLessThanOrEqual(1)
      }),
    )
  })
})
