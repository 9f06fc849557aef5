import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { HOUR, MINUTE, SECOND } from '../../src/base/clock.ts'
import {
  isCronExpression,
  runSchedule,
  type Schedule,
  slotBefore,
} from '../../src/probe/schedule.ts'

const START = Date.UTC(2026, 10, 23, 12, 0, 0)

beforeEach(() => {
  vi.useFakeTimers({ now: START })
})
afterEach(() => {
  vi.useRealTimers()
})

const every: Schedule = { kind: 'every', every: 5 * MINUTE, jitter: 0 }

function start(schedule: Schedule, run?: (slot: number) => Promise<void>, random = () => 0) {
  const stop = new AbortController()
  const slots: number[] = []
  const times: number[] = []
  const skipped: string[] = []
  const ended = runSchedule({
    name: 'relay/gmail-1',
    schedule,
    clock: Date.now,
    random,
    signal: stop.signal,
    skipped: reason => skipped.push(reason),
    run:
      run ??
      (async slot => {
        slots.push(slot)
        times.push(Date.now())
      }),
  })
  return { slots, times, skipped, stop: () => (stop.abort(), ended) }
}

test('a probe sends when it starts, and then once an interval', async () => {
  const { slots, stop } = start(every)
  await vi.advanceTimersByTimeAsync(30 * MINUTE)
  await stop()
  expect(slots[0]).toBeLessThanOrEqual(START)
  expect(slots).toHaveLength(7)
  expect(slots.slice(1).every((slot, i) => slot - (slots[i] ?? 0) === 5 * MINUTE)).toBe(true)
})

test('two nodes agree on the slots, whatever their jitter', async () => {
  const one = start({ ...every, jitter: 0.5 }, undefined, () => 0.1)
  const other = start({ ...every, jitter: 0.5 }, undefined, () => 0.9)
  await vi.advanceTimersByTimeAsync(HOUR)
  await Promise.all([one.stop(), other.stop()])
  expect(one.slots.slice(0, 10)).toEqual(other.slots.slice(0, 10))
  expect(one.times).not.toEqual(other.times)
})

test('what was slept through is not made up for in a burst', async () => {
  const { slots, stop } = start(every)
  await vi.advanceTimersByTimeAsync(6 * MINUTE)
  const before = slots.length
  // The machine was suspended for a day.
  vi.setSystemTime(Date.now() + 24 * HOUR)
  await vi.advanceTimersByTimeAsync(MINUTE)
  expect(slots.length - before).toBeLessThanOrEqual(2)
  await vi.advanceTimersByTimeAsync(5 * MINUTE)
  await stop()
  expect(slots.length - before).toBeLessThanOrEqual(3)
})

test('a tick during the run before is skipped, and said to be', async () => {
  let release: () => void = () => undefined
  let runs = 0
  const { skipped, stop } = start(every, () => {
    runs++
    return new Promise<void>(resolve => (release = resolve))
  })
  await vi.advanceTimersByTimeAsync(6 * MINUTE)
  expect(runs).toBe(1)
  expect(skipped).toEqual(['the canary before is still being submitted'])
  release()
  await vi.advanceTimersByTimeAsync(5 * MINUTE)
  expect(runs).toBe(2)
  release()
  await stop()
})

test('a run that fails is told, and the next one happens', async () => {
  let runs = 0
  const { skipped, stop } = start(every, async () => {
    runs++
    throw new Error('disk full')
  })
  await vi.advanceTimersByTimeAsync(6 * MINUTE)
  await stop()
  expect(runs).toBe(2)
  expect(skipped).toEqual(['disk full', 'disk full'])
})

test('stopping leaves no timer behind', async () => {
  const { stop } = start(every)
  const cron = start({ kind: 'cron', expression: '0 * * * *' })
  await vi.advanceTimersByTimeAsync(SECOND)
  await Promise.all([stop(), cron.stop()])
  expect(vi.getTimerCount()).toBe(0)
})

test('a cron expression is read in UTC', async () => {
  const { slots, stop } = start({ kind: 'cron', expression: '30 13,15 * * *' })
  await vi.advanceTimersByTimeAsync(4 * HOUR)
  await stop()
  expect(slots).toEqual([START + 1.5 * HOUR, START + 3.5 * HOUR])
})

test.each([
  ['*/5 * * * *', true],
  ['0 */5 * * * *', true],
  ['every five minutes', false],
  ['61 * * * *', false],
])('"%s" is a cron expression: %s', (expression, valid) => {
  expect(isCronExpression(expression)).toBe(valid)
})

test('a slot is not after its moment, less than an interval before it, and stable', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.integer({ min: 1_000, max: 24 * HOUR }),
      fc.integer({ min: 1, max: 4e12 }),
      (name, interval, at) => {
        const slot = slotBefore(name, interval, at)
        expect(slot).toBeLessThanOrEqual(at)
        expect(at - slot).toBeLessThan(interval)
        expect(slotBefore(name, interval, slot)).toBe(slot)
      },
    ),
  )
})

test('probes of one interval do not share their slots', () => {
  const names = Array.from({ length: 12 }, (_, i) => `relay/seed-${i}`)
  const slots = new Set(names.map(name => slotBefore(name, 5 * MINUTE, START)))
  expect(slots.size).toBe(names.length)
})
