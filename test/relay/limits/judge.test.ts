import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { DAY, HOUR, MINUTE } from '../../../src/base/clock.ts'
import { judge, titleOf, WITHIN } from '../../../src/relay/limits/judge.ts'
import {
  HOLD_AT_MOST,
  UNLIMITED,
  type LoginLimits,
} from '../../../src/relay/limits/login-limits.ts'
import { GRIDS, stepOf, type Amounts, type UsageStep } from '../../../src/relay/limits/usage.ts'

const NOW = Date.UTC(2026, 10, 23, 12, 2)
const ONE: Amounts = { messages: 1, recipients: 1, fresh: 0 }

function limits(some: Partial<LoginLimits>): LoginLimits {
  return { ...UNLIMITED, ...some }
}

const STEP = 5 * MINUTE

/** What was sent so long before, as it stands in every grid. */
function sent(before: number, some: Partial<Amounts>): UsageStep[] {
  return GRIDS.map(grid => ({
    step: grid.step,
    at: stepOf(NOW - before, grid),
    messages: 0,
    recipients: 0,
    fresh: 0,
    ...some,
  }))
}

describe('the judgement of more mail', () => {
  test('lets mail pass up to the limit, and not one beyond', () => {
    const ten = limits({ messages_per_hour: 10 })
    expect(judge(sent(0, { messages: 9 }), ONE, ten, NOW)).toEqual(WITHIN)
    expect(judge(sent(0, { messages: 10 }), ONE, ten, NOW)).toMatchObject({
      kind: 'defer',
      limit: 'messages_per_hour',
      most: 10,
    })
  })

  test('says when there is room again, and there is', () => {
    const usage = [...sent(50 * MINUTE, { messages: 4 }), ...sent(20 * MINUTE, { messages: 6 })]
    const ten = limits({ messages_per_hour: 10 })
    const judged = judge(usage, ONE, ten, NOW)
    if (judged.kind === 'within') throw new Error('it should be over')
    expect(judged.until).toBe(Date.UTC(2026, 10, 23, 11, 10) + STEP + HOUR)
    expect(judge(usage, ONE, ten, judged.until - 1).kind).toBe('defer')
    expect(judge(usage, ONE, ten, judged.until)).toEqual(WITHIN)
  })

  test('holds what is over a limit, and defers what is over it many times', () => {
    const ten = limits({ over: 'hold', recipients_per_day: 10 })
    const at = (recipients: number): string => judge(sent(HOUR, { recipients }), ONE, ten, NOW).kind
    expect(at(9)).toBe('within')
    expect(at(10)).toBe('hold')
    expect(at(10 * HOLD_AT_MOST - 1)).toBe('hold')
    expect(at(10 * HOLD_AT_MOST)).toBe('defer')
  })

  test('names the limit that lasts longest of those that are reached', () => {
    const both = limits({ messages_per_hour: 1, messages_per_day: 1 })
    expect(judge(sent(0, { messages: 1 }), ONE, both, NOW)).toMatchObject({
      limit: 'messages_per_day',
    })
  })

  test('asks nothing of a limit of which nothing is wanted', () => {
    const used = sent(0, { fresh: 5 })
    expect(judge(used, ONE, limits({ new_recipients_per_day: 5 }), NOW)).toEqual(WITHIN)
  })

  test('does not count what a wrong clock has put into the future', () => {
    const used = sent(-DAY, { messages: 50 })
    expect(judge(used, ONE, limits({ messages_per_day: 5 }), NOW)).toEqual(WITHIN)
  })

  test('has an end for a message that is more than the limit by itself', () => {
    const wanted = { messages: 1, recipients: 20, fresh: 0 }
    const judged = judge([], wanted, limits({ recipients_per_hour: 10 }), NOW)
    expect(judged).toMatchObject({ kind: 'defer', until: NOW + STEP + HOUR })
  })

  test('is said in words', () => {
    const judged = judge([], ONE, limits({ messages_per_day: 0 }), NOW)
    if (judged.kind === 'within') throw new Error('it should be over')
    expect(titleOf(judged)).toBe('limit of 0 messages a day')
  })

  test('never lets more through in any hour than the limit, however the mail is spread', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 20 * MINUTE }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 8 }),
        (pauses, most) => {
          const usage: UsageStep[] = []
          const passed: number[] = []
          let now = NOW
          for (const pause of pauses) {
            now += pause
            const judged = judge(usage, ONE, limits({ messages_per_hour: most }), now)
            if (judged.kind !== 'within') continue
            passed.push(now)
            usage.push(...sent(NOW - now, { messages: 1 }))
          }
          return passed.every(
            start => passed.filter(at => at >= start && at < start + HOUR).length <= most,
          )
        },
      ),
    )
  })
})
