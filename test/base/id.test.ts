import { expect, test } from 'vitest'

import { isId, newId } from '../../src/base/id.ts'

test('ids sort by time, and two of one moment differ', () => {
  const early = newId(() => 1_700_000_000_000)
  const late = newId(() => 1_700_000_000_001)
  expect(early.slice(0, 9) < late.slice(0, 9)).toBe(true)
  expect(newId(() => 5)).not.toBe(newId(() => 5))
})

test('an id is recognised, and other text is not', () => {
  expect(isId(newId(Date.now))).toBe(true)
  expect(isId('../../etc/passwd')).toBe(false)
  expect(isId('ILOU000000000000')).toBe(false)
})
