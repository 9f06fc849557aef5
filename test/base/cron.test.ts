import fc from 'fast-check'
import { parse } from 'node-cron'
import { describe, expect, test } from 'vitest'

import { DAY, HOUR, MINUTE } from '../../src/base/clock.ts'
import { isCronExpression, nextCronTime } from '../../src/base/cron.ts'
import { isTimeZone, offsetOf } from '../../src/base/time-zone.ts'

/** All times of an expression in a period, as ISO 8601 in UTC, without the seconds. */
function timesOf(expression: string, zone: string, from: string, until: string): string[] {
  const times: string[] = []
  for (let at = Date.parse(from); ;) {
    at = nextCronTime(expression, zone, at)
    if (at > Date.parse(until)) return times
    times.push(new Date(at).toISOString().slice(0, 16))
  }
}

describe('when the clocks are put forward', () => {
  test.each([
    // 02:30 by the clocks from before is 03:30, RFC 5545 section 3.3.5.
    ['30 2 * * *', 'Europe/Berlin', '2026-03-29T00:00Z', ['2026-03-29T01:30']],
    // 02:00 and 03:00 fall together: one canary.
    ['0 2,3 * * *', 'Europe/Berlin', '2026-03-29T00:00Z', ['2026-03-29T01:00']],
    ['30 2 * * *', 'America/New_York', '2026-03-08T00:00Z', ['2026-03-08T07:30']],
    // By half an hour, and at midnight.
    ['15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T13:00Z', ['2026-10-03T15:45']],
    ['30 0 * * *', 'Africa/Cairo', '2026-04-23T12:00Z', ['2026-04-23T22:30']],
  ])('%s in %s after %s is %s', (expression, zone, from, expected) => {
    const until = new Date(Date.parse(from) + DAY - HOUR).toISOString()
    expect(timesOf(expression, zone, from, until)).toEqual(expected)
  })
})

describe('when the clocks are put back', () => {
  test.each([
    ['30 2 * * *', 'Europe/Berlin', '2026-10-24T23:00Z', ['2026-10-25T00:30']],
    ['30 1 * * *', 'America/New_York', '2026-11-01T04:00Z', ['2026-11-01T05:30']],
    ['45 1 * * *', 'Australia/Lord_Howe', '2026-04-04T13:00Z', ['2026-04-04T14:45']],
    [
      '30 */2 * * *',
      'Europe/Berlin',
      '2026-10-24T22:00Z',
      ['2026-10-24T22:30', '2026-10-25T00:30', '2026-10-25T03:30'],
    ],
  ])('%s in %s after %s is %s', (expression, zone, from, expected) => {
    const until = new Date(Date.parse(from) + 6 * HOUR).toISOString()
    expect(timesOf(expression, zone, from, until)).toEqual(expected)
  })

  test('started in the second of two hours, the first is over', () => {
    const next = nextCronTime('30 2 * * *', 'Europe/Berlin', Date.parse('2026-10-25T01:10Z'))
    expect(new Date(next).toISOString()).toBe('2026-10-26T01:30:00.000Z')
  })
})

test('every minute is every minute, in every zone, through every change of its clocks', () => {
  const changes = ['03-08', '03-29', '04-05', '10-04', '10-25', '11-01']
  for (const zone of ['UTC', 'Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe']) {
    for (const midnight of changes.map(day => Date.parse(`2026-${day}`))) {
      for (let at = midnight - DAY; at < midnight + DAY; at += 13 * MINUTE + 1) {
        expect(nextCronTime('* * * * *', zone, at)).toBe(Math.floor(at / MINUTE + 1) * MINUTE)
      }
    }
  }
})

test('where the clocks are not changed it is the time that they show', () => {
  const zones = ['UTC', 'Asia/Kolkata', 'Asia/Tokyo', 'America/Phoenix']
  const expressions = ['5 4 * * *', '*/7 8-17 * * 1-5', '0 0 1 * *', '0 6 29 2 *', '30 5 3 * * 0']
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.constantFrom(...expressions),
      fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2030, 0, 1) }),
      (zone, expression, after) => {
        const next = nextCronTime(expression, zone, after)
        const shown = new Date(next + offsetOf(zone, next))
        const { minute, hour, month } = parse(expression)
        expect(next).toBeGreaterThan(after)
        expect(minute).toContain(shown.getUTCMinutes())
        expect(hour).toContain(shown.getUTCHours())
        expect(month).toContain(shown.getUTCMonth() + 1)
        // Nothing was left out in between.
        expect(nextCronTime(expression, zone, next - 1)).toBe(next)
        expect(nextCronTime(expression, zone, (after + next) / 2)).toBe(next)
      },
    ),
  )
})

test('what seldom comes is found', () => {
  expect(new Date(nextCronTime('0 6 29 2 1', 'UTC', Date.UTC(2026, 0, 1))).toISOString()).toBe(
    '2044-02-29T06:00:00.000Z',
  )
})

test.each([
  ['*/5 * * * *', true],
  ['0 */5 * * * *', true],
  ['every five minutes', false],
  ['61 * * * *', false],
])('"%s" is a cron expression: %s', (expression, valid) => {
  expect(isCronExpression(expression)).toBe(valid)
})

test.each([
  ['UTC', true],
  ['Europe/Berlin', true],
  ['Europe/Atlantis', false],
  ['', false],
])('"%s" is a time zone: %s', (name, valid) => {
  expect(isTimeZone(name)).toBe(valid)
})
