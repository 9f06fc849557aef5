import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { DAY, HOUR, MINUTE, SECOND } from '../../../src/base/clock.ts'
import type { Deferred } from '../../../src/mail/outcome.ts'
import { noReply } from '../../../src/mail/reply.ts'
import {
  decide,
  RETRY_DEFAULTS,
  wishOf,
  type Attempted,
  type Decision,
} from '../../../src/relay/queue/retry.ts'
import { BOUNCED, DEFERRED, DELIVERED, T0 } from '../../contract/queue-store-samples.ts'

const MIDDLE = (): number => 0.5

function after(attempts: number, more: Partial<Attempted> = {}, random = MIDDLE): Decision {
  const attempted = { outcome: DEFERRED, attempts, acceptedAt: T0, now: T0, delayReported: false }
  return decide({ ...attempted, ...more }, RETRY_DEFAULTS, random)
}

function delayOf(decision: Decision, now = T0): number {
  if (decision.next !== 'queued') throw new Error(`not queued but ${decision.next}`)
  return decision.dueAt - now
}

function saying(text: string, code = 450): Deferred {
  return { ...DEFERRED, reply: { code, enhanced: '', text } }
}

describe('what becomes of a recipient', () => {
  test('what the next hop took or refused is final at once', () => {
    expect(after(1, { outcome: DELIVERED })).toEqual({ next: 'delivered' })
    expect(after(1, { outcome: BOUNCED })).toEqual({ next: 'bounced', expired: false })
  })

  test('early retries come quickly, later ones slowly, and the last interval repeats', () => {
    const minutes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 50].map(n => delayOf(after(n)) / MINUTE)
    expect(minutes).toEqual([1, 5, 10, 20, 30, 60, 120, 240, 240, 240])
  })

  test('it is given up when time and tries are over, not before', () => {
    const old = { now: T0 + 5 * DAY }
    expect(after(30, old)).toEqual({ next: 'bounced', expired: true })
    expect(after(30, { now: T0 + 5 * DAY - 1 })).toMatchObject({ next: 'queued' })
    // Switched off for a week: the first try after it is not the last.
    expect(after(1, { now: T0 + 7 * DAY })).toMatchObject({ next: 'queued' })
  })

  test('the last try is made when the time is up', () => {
    const now = T0 + 5 * DAY - HOUR
    expect(delayOf(after(30, { now }), now)).toBe(HOUR)
    const late = T0 + 5 * DAY - SECOND
    expect(delayOf(after(30, { now: late }), late)).toBe(MINUTE)
  })

  test('the sender is told of a delay once, at its age', () => {
    expect(after(6, { now: T0 + 4 * HOUR - 1 })).toMatchObject({ delayNotice: false })
    expect(after(7, { now: T0 + 4 * HOUR })).toMatchObject({ delayNotice: true })
    expect(after(8, { now: T0 + 8 * HOUR, delayReported: true })).toMatchObject({
      delayNotice: false,
    })
  })

  test('where the next hop may have it already, the next try waits longer', () => {
    const outcome = { ...DEFERRED, indeterminate: true }
    expect(delayOf(after(1, { outcome }))).toBe(30 * MINUTE)
    expect(delayOf(after(8, { outcome }))).toBe(4 * HOUR)
  })
})

describe('what the other side asks for', () => {
  test.each([
    ['Greylisted, try again in 300 seconds', 300],
    ['4.7.1 Please retry after 600s', 600],
    ['Greylisted for 5 minutes', 300],
    ['Greylisting in action, please come back in 00:04:59', 299],
    ['wait at least 2 min', 120],
    ['Come back in 1 hour please', 3600],
    ['try again in 2 seconds', 30],
    ['try again in 900000 seconds', 4 * 3600],
  ])('%s', (text, seconds) => {
    expect(wishOf({ code: 450, enhanced: '', text })).toBe(seconds * SECOND)
  })

  test.each([
    'Greylisted',
    'Try again later',
    'see http://example.org/in/300',
    'in 300 messages',
    'in 12345678 seconds',
  ])('%s asks for nothing', text => {
    expect(wishOf({ code: 450, enhanced: '', text })).toBeUndefined()
  })

  test('only a temporary refusal may ask', () => {
    const text = 'try again in 300 seconds'
    expect(wishOf({ code: 550, enhanced: '', text })).toBeUndefined()
    expect(wishOf(noReply(text))).toBeUndefined()
  })

  test('a wish is honoured, never undercut, and cannot make us ask every minute for days', () => {
    const outcome = saying('Greylisted, try again in 300 seconds')
    expect(delayOf(after(1, { outcome }, () => 0))).toBe(300 * SECOND)
    expect(delayOf(after(5, { outcome }, () => 0))).toBe(300 * SECOND)
    expect(delayOf(after(20, { outcome }))).toBe(4 * HOUR)
    const long = saying('try again in 3 hours')
    expect(delayOf(after(1, { outcome: long }, () => 0))).toBe(3 * HOUR)
  })
})

describe('for all times, tries and words', () => {
  const attempts = fc.integer({ min: 1, max: 500 })
  const chance = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })
  // Ages from a clock that was set back by a year to one that was set forward by one.
  const age = fc.integer({ min: -365 * DAY, max: 365 * DAY })
  const outcome = fc.oneof(
    fc.constant<Deferred>(DEFERRED),
    fc.constant<Deferred>({ ...DEFERRED, indeterminate: true }),
    fc.tuple(fc.nat(), fc.constantFrom('seconds', 'minutes', 'hours')).map(([n, unit]) => {
      return saying(`try again in ${n} ${unit}`)
    }),
    fc.string().map(text => saying(text)),
  )

  test('the next try lies in the future, and within the longest interval', () => {
    fc.assert(
      fc.property(attempts, age, chance, outcome, (n, age, drawn, outcome) => {
        const decision = after(n, { now: T0 + age, outcome }, () => drawn)
        if (decision.next !== 'queued') return decision.next === 'bounced'
        const delay = decision.dueAt - (T0 + age)
        return delay >= 30 * SECOND && delay <= 4 * HOUR * (1 + RETRY_DEFAULTS.jitter)
      }),
    )
  })

  test('a clock that jumps makes nothing due at once and gives nothing up untried', () => {
    fc.assert(
      fc.property(age, chance, (age, drawn) => {
        const { length } = RETRY_DEFAULTS.schedule
        for (let n = 1; n < length; n++) {
          const decision = after(n, { now: T0 + age }, () => drawn)
          if (decision.next !== 'queued' || decision.dueAt - (T0 + age) < 50 * SECOND) return false
        }
        return true
      }),
    )
  })

  test('without chance and wishes the interval never shrinks from one try to the next', () => {
    fc.assert(fc.property(attempts, n => delayOf(after(n + 1)) >= delayOf(after(n))))
  })

  test('every message comes to its end, with a last try at the limit', () => {
    // A try in the last minute before it moves the last one by as much: nobody is asked twice within a minute.
    const atTheEnd = (age: number): boolean => age >= 5 * DAY && age <= 5 * DAY + MINUTE
    fc.assert(
      fc.property(chance, outcome, (drawn, outcome) => {
        let now = T0
        for (let n = 1; n < 1_000; n++) {
          const decision = after(n, { now, outcome }, () => drawn)
          if (decision.next !== 'queued') return atTheEnd(now - T0) && n < 100
          now = decision.dueAt
        }
        return false
      }),
    )
  })
})
