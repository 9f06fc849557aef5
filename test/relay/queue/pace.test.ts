import {
  array,
  assert as check,
  boolean,
  constantFrom,
  integer,
  property,
  record,
} from 'fast-check'
import { describe, expect, test } from 'vitest'

import { HOUR, MINUTE, SECOND } from '../../../src/base/clock.ts'
import type { FailureClass, Outcome } from '../../../src/mail/outcome.ts'
import type { Shaping } from '../../../src/mail/provider.ts'
import {
  afterOutcome,
  allowance,
  BACK_OFF_DEFAULTS,
  FULL_PACE,
  recovered,
  SLOWEST,
  type Pace,
} from '../../../src/relay/queue/pace.ts'
import { DEFERRED, DELIVERED, T0 } from '../../contract/queue-store-samples.ts'

const LIMITS: Shaping = { connections: 5, messagesPerConnection: 50, messagesPerMinute: Infinity }

function objection(failure: FailureClass, text = 'no'): Outcome {
  return { ...DEFERRED, reply: { code: 421, enhanced: '4.7.28', text }, class: failure }
}

function heard(
  pace: Pace,
  outcome: Outcome,
  at: {
    readonly now?: number
    readonly begunAt?: number
    readonly pause?: number | undefined
  } = {},
): Pace {
  const { now = T0, pause } = at
  return afterOutcome(pace, outcome, { now, begunAt: at.begunAt ?? now, pause }, BACK_OFF_DEFAULTS)
}

describe('the pace towards a provider', () => {
  test('goes down with what it says of our rate and reputation, and with nothing else', () => {
    expect(heard(FULL_PACE, objection('rate')).level).toBe(1)
    expect(heard(FULL_PACE, objection('reputation')).level).toBe(2)
    for (const other of ['transient', 'mailbox', 'content', 'network', 'tls'] as const) {
      expect(heard(FULL_PACE, objection(other))).toEqual(FULL_PACE)
    }
    expect(heard(FULL_PACE, DELIVERED)).toEqual(FULL_PACE)
  })

  test('halves the connections and ends at one message a minute', () => {
    const levels = Array.from({ length: SLOWEST + 1 }, (_, level) =>
      allowance({ ...FULL_PACE, level }, LIMITS),
    )
    expect(levels.map(({ connections }) => connections)).toEqual([5, 2, 1, 1, 1])
    expect(levels.map(({ messagesPerMinute }) => messagesPerMinute)).toEqual([
      Infinity,
      60,
      20,
      6,
      1,
    ])
    const slow = { ...LIMITS, messagesPerMinute: 30 }
    expect(allowance({ ...FULL_PACE, level: 1 }, slow).messagesPerMinute).toBe(30)
  })

  test('does not fall for what was begun before it fell', () => {
    const first = heard(FULL_PACE, objection('rate'), { now: T0 + 1_000, begunAt: T0 })
    const second = heard(first, objection('rate'), { now: T0 + 1_500, begunAt: T0 + 500 })
    expect(second.level).toBe(1)
    expect(heard(second, objection('rate'), { now: T0 + 9_000, begunAt: T0 + 8_000 }).level).toBe(2)
  })

  test('stops for as long as the provider asks, within bounds, and begins again slowly', () => {
    const asked = heard(FULL_PACE, objection('rate', 'try again in 300 seconds'))
    expect(asked).toMatchObject({ pausedUntil: T0 + 300 * SECOND, level: 1 })
    const table = heard(FULL_PACE, objection('policy'), { pause: 2 * HOUR })
    expect(table).toMatchObject({ pausedUntil: T0 + 2 * HOUR, level: SLOWEST })
    const long = heard(FULL_PACE, objection('policy'), { pause: 48 * HOUR })
    expect(long.pausedUntil).toBe(T0 + 4 * HOUR)
    // A shorter wish does not end a longer pause.
    expect(heard(table, objection('rate', 'wait 60 s')).pausedUntil).toBe(T0 + 2 * HOUR)
  })

  test('comes back one step for every quarter of an hour in which mail was taken and nobody objected', () => {
    let pace = heard(FULL_PACE, objection('reputation'))
    const at = (minutes: number): number => T0 + minutes * MINUTE
    pace = recovered(heard(pace, DELIVERED, { now: at(1) }), at(14), BACK_OFF_DEFAULTS)
    expect(pace.level).toBe(2)
    pace = recovered(pace, at(15), BACK_OFF_DEFAULTS)
    expect(pace.level).toBe(1)
    // Nothing was taken since: it takes an hour.
    expect(recovered(pace, at(31), BACK_OFF_DEFAULTS).level).toBe(1)
    expect(recovered(pace, at(75), BACK_OFF_DEFAULTS).level).toBe(0)
    pace = heard(pace, DELIVERED, { now: at(16) })
    expect(recovered(pace, at(30), BACK_OFF_DEFAULTS).level).toBe(0)
  })

  test('an objection on the way back goes down again, and starts the waiting anew', () => {
    const pace = heard(FULL_PACE, objection('rate'))
    const again = heard(pace, objection('rate'), { now: T0 + 14 * MINUTE })
    expect(again.level).toBe(2)
    expect(recovered(again, T0 + 20 * MINUTE, BACK_OFF_DEFAULTS).level).toBe(2)
  })

  test('a clock that is set back by years does not slow mail down for years', () => {
    const future = heard(FULL_PACE, objection('policy'), {
      now: T0 + 10_000 * HOUR,
      pause: 2 * HOUR,
    })
    const back = recovered(future, T0, BACK_OFF_DEFAULTS)
    expect(back.pausedUntil).toBe(0)
    expect(recovered(back, T0 + 4 * HOUR, BACK_OFF_DEFAULTS).level).toBe(0)
  })

  test('whatever it hears, it stays within its bounds, and silence always brings it back', () => {
    const step = record({
      minutes: integer({ min: 0, max: 600 }),
      failure: constantFrom<FailureClass>('rate', 'reputation', 'transient', 'policy'),
      delivered: boolean(),
      pause: constantFrom(undefined, HOUR, 400 * HOUR),
    })
    check(
      property(array(step, { maxLength: 40 }), steps => {
        let now = T0
        let pace = FULL_PACE
        for (const { delivered, failure, minutes, pause } of steps) {
          now += minutes * MINUTE
          const before = recovered(pace, now, BACK_OFF_DEFAULTS)
          expect(before.level).toBeLessThanOrEqual(pace.level)
          pace = heard(before, delivered ? DELIVERED : objection(failure), {
            now,
            ...(delivered ? {} : { pause }),
          })
          expect(pace.level).toBeGreaterThanOrEqual(delivered ? 0 : before.level)
          expect(pace.level).toBeLessThanOrEqual(SLOWEST)
          expect(pace.pausedUntil).toBeLessThanOrEqual(now + 4 * HOUR)
          expect(allowance(pace, LIMITS).connections).toBeGreaterThanOrEqual(1)
        }
        const later = recovered(pace, now + 4 * HOUR + SLOWEST * HOUR, BACK_OFF_DEFAULTS)
        expect(later.level).toBe(0)
      }),
    )
  })
})
