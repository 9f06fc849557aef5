import { expect, test } from 'vitest'

import type { AccountView } from '../../src/account/self-service.ts'
import { HOUR, MINUTE } from '../../src/base/clock.ts'
import {
  barredSentence,
  clockTime,
  directorySentence,
  passwordSaying,
  troubles,
} from '../../src/web/account/words.ts'
import { html } from '../../src/web/html.ts'

// A local time, whatever the zone of this machine.
const NOW = new Date(2026, 10, 28, 14, 33).getTime()
const AT = NOW - 30 * MINUTE

function view(more: {
  password?: Partial<AccountView['password']>
  directory?: Partial<AccountView['directory']>
  mail?: AccountView['mail']
  refusals?: AccountView['refusals']
}): AccountView {
  return {
    session: { login: 'alice', account: '', way: 'directory', formToken: '', startedAt: 0 },
    addresses: [],
    password: {
      rejection: undefined,
      changedAt: undefined,
      change: undefined,
      mayChange: true,
      ...more.password,
    },
    directory: { comparedAt: NOW, troubleSince: undefined, ...more.directory },
    mail: more.mail,
    refusals: more.refusals ?? [],
    applicationPasswords: undefined,
  }
}

test('a password has arrived when it has, and not before', () => {
  const text = (state: 'arrived' | 'under-way' | 'unconfirmed'): string =>
    passwordSaying(view({ password: { change: { at: AT, state, arrivedAt: NOW } } }), NOW).text
  expect(text('arrived')).toBe(
    'Your password of 14:03 has arrived: this server has used it since 14:33. The old one does not work any more.',
  )
  expect(text('under-way')).toMatch(/took your password at 14:03, but it has not arrived here yet/)
  expect(text('unconfirmed')).toMatch(/did not answer: it may have done so or not/)
})

test('without a change here, what was seen is said, and nothing that was not', () => {
  expect(passwordSaying(view({}), NOW).text).toMatch(/has not changed for as long as/)
  const seen = passwordSaying(view({ password: { changedAt: AT } }), NOW)
  expect(seen.text).toMatch(/last seen to change at 14:03/)
  const none = passwordSaying(view({ password: { rejection: 'no-password' } }), NOW)
  expect(none).toMatchObject({
    tone: 'bad',
    text: expect.stringMatching(/no mail password/) as string,
  })
})

test('a directory that cannot be read is told, with since when', () => {
  expect(directorySentence(view({}), NOW)).toBe('Last compared with the directory at 14:33.')
  expect(
    directorySentence(view({ directory: { comparedAt: AT - 24 * HOUR, troubleSince: AT } }), NOW),
  ).toBe(
    'Last compared with the directory on 27 Nov, 14:03. Since 14:03 it cannot be read: what was changed there later is not in force here.',
  )
})

test('what was refused by others and by us stands in the order of time, each with what to do', () => {
  const reply = { code: 550, enhanced: '5.1.1', text: 'no such user' }
  const refused = {
    id: 'A',
    acceptedAt: AT,
    to: 'bob@example.net',
    reply,
    host: 'mx.example.net',
    class: 'mailbox',
  } as const
  const mail = {
    over: 'hold',
    uses: [],
    waiting: { queued: 0, held: 0, reasons: [], more: false },
    refused: [refused],
  } as const
  const refusals = [
    { at: NOW, code: 550, enhanced: '5.7.1', reason: 'sender not of login' },
    { at: AT - 1, code: 450, enhanced: '4.7.1', reason: 'over limit' },
  ]
  const told = troubles(view({ mail, refusals }))
  expect(told.map(({ at }) => at)).toEqual([NOW, AT, AT - 1])
  expect(told[0]?.meaning).toMatch(/not one of your addresses/)
  expect(told[1]).toMatchObject({
    meaning: expect.stringMatching(/mailbox does not exist/) as string,
    said: 'mx.example.net: 550 5.1.1 no such user',
  })
  expect(told[2]?.meaning).toMatch(/at that moment/)
})

test('times of other days have their day, those of other years their year', () => {
  expect(clockTime(NOW, NOW)).toBe('14:33')
  expect(clockTime(NOW - 24 * HOUR, NOW)).toBe('27 Nov, 14:33')
  expect(clockTime(NOW - 365 * 24 * HOUR, NOW)).toBe('28 Nov 2025, 14:33')
})

test('who is barred learns that the password was right, and whom to ask', () => {
  for (const rejection of ['locked', 'expired', 'retired', 'duplicate', 'unknown-here']) {
    expect(barredSentence(rejection)).toMatch(
      /^Your password is right, but .*ask the people who run your mail\.$/,
    )
  }
})

test('text in markup is text, also within attributes and lists', () => {
  const evil = `"><script>alert('1')</script>&`
  const list = [html`<li>${evil}</li>`, evil]
  const made = html`<ul title="${evil}">
    ${list}
  </ul>`.toString()
  expect(made).not.toContain('<script')
  expect(made.match(/&#60;script&#62;/g)).toHaveLength(3)
  expect(made).toMatch(/^<ul title="&#34;&#62;/)
})
