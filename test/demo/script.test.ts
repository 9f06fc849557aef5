import fc from 'fast-check'
import { expect, test } from 'vitest'

import { CYCLE, HEALTHY_START, INCIDENTS } from '../../src/demo/incidents.ts'
import { Script } from '../../src/demo/script.ts'

const START = Date.UTC(2026, 10, 23)

test('one cycle holds everything that can go wrong, and ends well', () => {
  const behaviours = new Set(INCIDENTS.map(incident => incident.behaviour))
  expect([...behaviours].sort()).toStrictEqual(
    ['defer', 'late', 'lose', 'other', 'refuse', 'spam', 'unreachable', 'unreadable'].sort(),
  )
  const providers = new Set(INCIDENTS.map(incident => incident.provider))
  expect([...providers].sort()).toStrictEqual(['gmail', 'hotmail', 'old-server', 'yahoo'])
  expect(Math.max(...INCIDENTS.map(incident => incident.ends))).toBeLessThan(CYCLE)
})

test('nothing goes wrong for the first two minutes, and then at most two things at a time', () => {
  const script = new Script(START)
  for (let at = START; at < START + HEALTHY_START + 3 * CYCLE; at += 500) {
    const wrong = script.incidents(at)
    if (at < START + HEALTHY_START) expect(wrong).toStrictEqual([])
    expect(wrong.length).toBeLessThanOrEqual(2)
    // Nobody is told to do two things at once.
    expect(new Set(wrong.map(one => one.provider)).size).toBe(wrong.length)
  }
})

test('it repeats, at any speed', () => {
  fc.assert(
    fc.property(fc.nat(3 * CYCLE), fc.constantFrom(1, 2, 60), (offset, speed) => {
      const slow = new Script(START)
      const fast = new Script(START, { speed })
      const origin = HEALTHY_START + offset
      const expected = slow.incidents(START + origin).map(one => one.what)
      expect(slow.incidents(START + origin + CYCLE).map(one => one.what)).toStrictEqual(expected)
      const boundary = slow.nextChange(START + origin - 1) === START + origin
      if (!boundary) {
        expect(fast.incidents(START + origin / speed).map(one => one.what)).toStrictEqual(expected)
      }
    }),
  )
})

test('the next change is the next one: nothing begins or ends before it', () => {
  fc.assert(
    fc.property(fc.nat(3 * CYCLE), offset => {
      const script = new Script(START)
      const now = START + offset
      const next = script.nextChange(now) ?? 0
      expect(next).toBeGreaterThan(now)
      const keys = (at: number): string[] => script.incidents(at).map(one => one.what)
      expect(keys(next - 0.5)).toStrictEqual(keys(now))
      expect(keys(next)).not.toStrictEqual(keys(now))
    }),
  )
})

test('a script that never begins has no changes', () => {
  const script = new Script(START, { healthyStart: Infinity })
  expect(script.nextChange(START)).toBeUndefined()
  expect(script.incidents(START + 100 * CYCLE)).toStrictEqual([])
})
