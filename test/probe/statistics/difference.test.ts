import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { difference, pairedDifference } from '../../../src/probe/statistics/difference.ts'

// R. G. Newcombe, Statistics in Medicine 17 (1998) 873–890, table II, examples (a) to (h), method 10; all of them as the
// tests of Python's mqr have them, (a) and (b) also those of R's propint, (d) those of ratesci.
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
  expect(found?.low).toBeCloseTo(low, 4)
  expect(found?.high).toBeCloseTo(high, 4)
})

test('of nothing there is no difference', () => {
  expect(difference({ k: 0, n: 0 }, { k: 1, n: 2 })).toBeUndefined()
  expect(pairedDifference({ both: 0, onlyA: 0, onlyB: 0, neither: 0 })).toBeUndefined()
})

// R. G. Newcombe, Statistics in Medicine 17 (1998) 2635–2650, examples of method 10: the first four as the tests of R's
// propint have them (test_Two_Dependent_Props_CI.R), the fifth as those of ratesci (test3.R).
// Then M. W. Fagerland, S. Lydersen, P. Laake, Statistics in Medicine 33 (2014) 2850–2875: Bentur et al. (2009) as in
// ratesci, Cavo et al. (2012) as in the tests of their book's contingencytables (test-ch8.R).
// The last: M.-L. Tang et al. (2010), as in ratesci.
test.each([
  [36, 12, 2, 0, 0.0569, 0.3404],
  [18, 12, 2, 18, 0.0562, 0.329],
  [53, 0, 0, 1, -0.0729, 0.0729],
  [0, 30, 0, 0, 0.8395, 1],
  [20, 12, 2, 16, 0.0562, 0.3292],
  [1, 1, 7, 12, -0.5069, -0.0256],
  [59, 6, 16, 80, -0.1186, -0.0046],
  [8, 3, 1, 2, -0.1574, 0.4136],
])('pairs %i, %i, %i, %i: %f to %f', (both, onlyA, onlyB, neither, low, high) => {
  const found = pairedDifference({ both, onlyA, onlyB, neither })
  expect(found?.low).toBeCloseTo(low, 4)
  expect(found?.high).toBeCloseTo(high, 4)
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
