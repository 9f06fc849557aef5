import { expect, test } from 'vitest'

import { ownsForm, Sessions } from '../../src/account/sessions.ts'
import { MINUTE } from '../../src/base/clock.ts'

const ALICE = { login: 'alice', account: 'uuid-1', way: 'directory' } as const

test('ends ten minutes after the last click, and after half an hour in any case', () => {
  let now = 0
  const sessions = new Sessions(() => now)
  const { cookie, session } = sessions.begin(ALICE)
  for (const minute of [9, 18, 27]) {
    now = minute * MINUTE
    expect(sessions.find(cookie)).toBe(session)
  }
  now = 30 * MINUTE
  expect(sessions.find(cookie)).toBeUndefined()
  const idle = sessions.begin(ALICE)
  now += 10 * MINUTE
  expect(sessions.find(idle.cookie)).toBeUndefined()
})

test('a cookie opens its own session and no other, until it is signed out', () => {
  const sessions = new Sessions(() => 0)
  const one = sessions.begin(ALICE)
  const other = sessions.begin({ ...ALICE, login: 'bob' })
  expect(one.cookie).toMatch(/^[\w-]{43}$/)
  expect(sessions.find(other.cookie)?.login).toBe('bob')
  expect(sessions.find(one.session.formToken)).toBeUndefined()
  expect(ownsForm(one.session, one.session.formToken)).toBe(true)
  for (const token of ['', other.session.formToken, one.session.formToken.slice(1)]) {
    expect(ownsForm(one.session, token)).toBe(false)
  }
  sessions.end(one.session)
  expect(sessions.find(one.cookie)).toBeUndefined()
  expect(sessions.find(other.cookie)).toBe(other.session)
})

test('is bounded, for each person and for all; the oldest goes', () => {
  const sessions = new Sessions(() => 0)
  const own = Array.from({ length: 6 }, () => sessions.begin(ALICE))
  expect(own.map(({ cookie }) => sessions.find(cookie) !== undefined)).toEqual([
    false,
    ...Array<boolean>(5).fill(true),
  ])
  for (let i = 0; i < 2_000; i++) sessions.begin({ ...ALICE, login: `login${i}` })
  expect(sessions.size).toBe(1_000)
})

test('with a new password all others of the login end', () => {
  const sessions = new Sessions(() => 0)
  const thief = sessions.begin({ ...ALICE, way: 'mail' })
  const owner = sessions.begin(ALICE)
  const bob = sessions.begin({ ...ALICE, login: 'bob' })
  sessions.endOthers(owner.session)
  expect(sessions.find(thief.cookie)).toBeUndefined()
  expect(sessions.find(owner.cookie)).toBe(owner.session)
  expect(sessions.find(bob.cookie)).toBe(bob.session)
})
