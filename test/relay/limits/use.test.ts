import { expect, test } from 'vitest'

import { HOUR, MINUTE } from '../../../src/base/clock.ts'
import { UNLIMITED } from '../../../src/relay/limits/login-limits.ts'
import { usesOf } from '../../../src/relay/limits/use.ts'

test('sums up what each window sees, as the judge does', () => {
  const now = 100 * HOUR
  const step = (length: number, ago: number, messages: number) => ({
    step: length,
    at: now - ago,
    messages,
    recipients: 2 * messages,
    fresh: 1,
  })
  const usage = [
    step(5 * MINUTE, 0, 3),
    step(5 * MINUTE, 55 * MINUTE, 4),
    step(5 * MINUTE, 2 * HOUR, 50),
    step(HOUR, 0, 7),
    step(HOUR, 23 * HOUR, 20),
  ]
  const limits = { ...UNLIMITED, messages_per_hour: 10, recipients_per_day: 100 }
  expect(usesOf(usage, limits, now)).toEqual([
    { limit: 'messages_per_hour', used: 7, most: 10, title: 'messages an hour' },
    { limit: 'messages_per_day', used: 27, most: Infinity, title: 'messages a day' },
    { limit: 'recipients_per_hour', used: 14, most: Infinity, title: 'recipients an hour' },
    { limit: 'recipients_per_day', used: 54, most: 100, title: 'recipients a day' },
    { limit: 'new_recipients_per_day', used: 2, most: Infinity, title: 'new recipients a day' },
  ])
})
