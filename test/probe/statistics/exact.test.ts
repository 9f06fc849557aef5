import fc from 'fast-check'
import { expect, test } from 'vitest'

import { fisher, mcNemar } from '../../../src/probe/statistics/exact.ts'

// The tea of R. A. Fisher, The Design of Experiments (1935), chapter II: 3 of 4 cups, 34/70. The convictions of twins of his
// Statistical Methods for Research Workers, 21.02, whose value R's fisher.test prints. The third: Ritland et al. (2007) in
// the tests of contingencytables (test-ch4.R), the package of M. W. Fagerland, S. Lydersen, P. Laake, Statistical Analysis
// of Contingency Tables (2017).
test.each([
  [3, 4, 1, 4, 0.4857143],
  [10, 13, 2, 17, 0.0005367241],
  [0, 16, 15, 72, 0.06287],
])('Fisher: %i of %i against %i of %i has p = %f', (k, n, l, m, p) => {
  expect(fisher({ k, n }, { k: l, n: m })).toBeCloseTo(p, 5)
})

// The first: M. P. Fay, vignette "Exact McNemar's Test and Matching Confidence Intervals" of R's exact2x2. Then by
// hand, twice the tail of a fair coin: 2 (1 + 8) / 2⁸ and 2 / 2⁵; and what can be no more than 1.
test.each([
  [2, 9, 0.06543],
  [1, 7, 0.0703125],
  [0, 5, 0.0625],
  [0, 0, 1],
  [4, 4, 1],
])('McNemar: %i against %i has p = %f', (onlyA, onlyB, p) => {
  expect(mcNemar({ onlyA, onlyB })).toBeCloseTo(p, 5)
})

/** The same, counted in whole numbers. */
function fisherByCounting(k: number, n: number, l: number, m: number): number {
  const choose = (a: number, b: number): bigint => {
    let value = 1n
    for (let i = 0; i < b; i++) value = (value * BigInt(a - i)) / BigInt(i + 1)
    return value
  }
  const hits = k + l
  const weight = (i: number): bigint => choose(n, i) * choose(m, hits - i)
  let likelier = 0n
  let all = 0n
  for (let i = Math.max(0, hits - m); i <= Math.min(n, hits); i++) {
    all += weight(i)
    if (weight(i) <= weight(k)) likelier += weight(i)
  }
  return Number((likelier * 10n ** 12n) / all) / 1e12
}

test('Fisher’s test is what counting whole numbers gives', () => {
  fc.assert(
    fc.property(fc.nat(60), fc.nat(60), fc.nat(60), fc.nat(60), (k, missed, l, others) => {
      const n = k + missed
      const m = l + others
      const expected = n + m === 0 ? 1 : fisherByCounting(k, n, l, m)
      expect(fisher({ k, n }, { k: l, n: m })).toBeCloseTo(expected, 6)
    }),
  )
})

test('it is quick and sensible for a year of canaries', () => {
  expect(fisher({ k: 52_000, n: 52_560 }, { k: 52_000, n: 52_560 })).toBeCloseTo(1, 9)
  expect(fisher({ k: 52_000, n: 52_560 }, { k: 51_000, n: 52_560 })).toBeLessThan(1e-60)
  expect(mcNemar({ onlyA: 20_000, onlyB: 20_200 })).toBeCloseTo(0.3208, 3)
})
