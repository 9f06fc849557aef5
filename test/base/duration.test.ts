import fc from 'fast-check'
import { expect, test } from 'vitest'

import { DAY, HOUR, jitter, MINUTE } from '../../src/base/clock.ts'
import { formatDuration, parseDuration } from '../../src/base/duration.ts'

test.each([
  ['250ms', 250],
  ['90s', 90_000],
  ['30m', 30 * MINUTE],
  ['1h30m', 90 * MINUTE],
  ['5d', 5 * DAY],
  ['0s', 0],
])('%s is %d milliseconds', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds)
})

test.each(['', '30', 's', '-5m', '1.5h', '5 m', '5M', '1h 30m', '9'.repeat(40) + 'd'])(
  '%j is no duration',
  text => {
    expect(parseDuration(text)).toBeUndefined()
  },
)

test.each([
  [420, '420ms'],
  [12_500, '12.5s'],
  [90 * MINUTE, '1h 30m'],
  [5 * DAY, '5d'],
  [HOUR + 59_000, '1h'],
  [-2_000, '-2s'],
])('%d is written %s', (milliseconds, text) => {
  expect(formatDuration(milliseconds)).toBe(text)
})

test('jitter stays within its share', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: DAY }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (delay, share, chance) => {
        const spread = jitter(delay, share, () => chance)
        expect(spread).toBeGreaterThanOrEqual(Math.floor(delay * (1 - share)))
        expect(spread).toBeLessThanOrEqual(Math.ceil(delay * (1 + share)))
      },
    ),
  )
})
