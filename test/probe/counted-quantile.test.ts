import fc from 'fast-check'
import { expect, test } from 'vitest'

import { countedQuantile } from '../../src/probe/statistics/counted-quantile.ts'
import { quantile } from '../../src/probe/statistics/quantile.ts'

test('a quantile of counts is that of the values one by one', () => {
  const counts = fc.array(
    fc.record({ seconds: fc.integer({ min: 0, max: 50 }), n: fc.integer({ min: 1, max: 5 }) }),
  )
  fc.assert(
    fc.property(counts, fc.double({ min: 0, max: 1, noNaN: true }), (counts, q) => {
      const values = counts.flatMap(({ seconds, n }) => Array.from({ length: n }, () => seconds))
      expect(countedQuantile(counts, q)).toBe(quantile(values, q))
    }),
  )
})
