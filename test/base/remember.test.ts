import { expect, test } from 'vitest'

import { remember } from '../../src/base/remember.ts'

test('beyond so many the one that was remembered longest ago is forgotten', () => {
  const table = new Map<string, number>()
  for (const [n, key] of ['a', 'b', 'c', 'a', 'd'].entries()) remember(table, key, n, 3)
  expect([...table]).toEqual([
    ['c', 2],
    ['a', 3],
    ['d', 4],
  ])
})
