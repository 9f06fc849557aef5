import { expect, test } from 'vitest'

import { Refusals } from '../../src/account/refusals.ts'
import { DAY } from '../../src/base/clock.ts'
import type { RelayEvent } from '../../src/relay/events.ts'

function refused(login: string, reason: string): RelayEvent {
  return { kind: 'message-refused', login, code: 550, enhanced: '5.7.1', reason }
}

test('keeps the last five of a login for a day, the latest first, and nobody else’s', () => {
  let now = 0
  const refusals = new Refusals(() => now)
  for (let i = 0; i < 7; i++) refusals.record(refused('alice', `${i}`))
  refusals.record(refused('bob', 'his'))
  refusals.record(refused('', 'of nobody'))
  refusals.record({ kind: 'login', result: 'refused', login: 'alice' })
  expect(refusals.of('alice').map(({ reason }) => reason)).toEqual(['6', '5', '4', '3', '2'])
  expect(refusals.of('bob')).toHaveLength(1)
  expect(refusals.of('')).toHaveLength(0)
  now = DAY + 1
  expect(refusals.of('alice')).toEqual([])
})

test('does not grow with the number of logins', () => {
  const refusals = new Refusals(() => 0)
  for (let i = 0; i < 1_500; i++) refusals.record(refused(`login${i}`, 'x'))
  expect(refusals.of('login0')).toEqual([])
  expect(refusals.of('login1499')).toHaveLength(1)
})
