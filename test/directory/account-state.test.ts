import { expect, it } from 'vitest'

import { stateOf } from '../../src/directory/account-state.ts'
import { newestOf, notAfter, overlapBefore } from '../../src/directory/csn.ts'

const NOW = Date.UTC(2026, 10, 23, 12)
const TODAY = 20_780

it.each([
  [[], [], undefined],
  [['active'], [], undefined],
  [['inactive 2026-01-01'], [], 'retired'],
  [['Memorial'], [], 'retired'],
  [['retiring 2026-11-01'], [], undefined],
  [['retiring 2026-05-22'], [], undefined],
  [['retiring 2026-05-20'], [], 'retired'],
  [['retiring'], [], undefined],
  [['retiring soon'], [], undefined],
  [[], ['1'], 'expired'],
  [['retiring 2026-11-01'], ['1'], 'expired'],
  [[], [String(TODAY)], undefined],
  [[], [String(TODAY - 1)], 'expired'],
  [[], [String(TODAY + 1)], undefined],
  [[], ['-1'], undefined],
  [[], [''], undefined],
])('accountStatus %j and shadowExpire %j mean %j', (status, expires, verdict) => {
  expect(stateOf(status, expires, NOW)).toBe(verdict)
})

it('change numbers are ordered as text, and an increment starts five seconds earlier', () => {
  const older = '20261231235959.999999Z#000000#000#000000'
  const newer = '20270101000003.000001Z#000000#000#000000'
  expect(newestOf([older, newer, ''])).toBe(newer)
  expect(newestOf([])).toBe('')
  expect(notAfter(older, newer)).toBe(older)
  expect(notAfter(newer, older)).toBe(older)
  expect(notAfter(newer, '')).toBe('')
  expect(overlapBefore(newer)).toBe('20261231235958.000000Z#000000#000#000000')
})
