import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { HOUR, MINUTE, SECOND } from '../../src/base/clock.ts'
import { runSchedule, type Schedule, type Skip, slotBefore } from '../../src/probe/schedule.ts'

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
  const skipped: Skip[] = []
  const ended = runSchedule({
    name: 'relay/gmail-1',
    schedule,
    clock: Date.now,
    random,
    signal: stop.signal,
    skipped: skip => skipped.push(skip),
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
  const one = start({ ...every, jitter: 150 * SECOND }, undefined, () => 0.1)
  const other = start({ ...every, jitter: 150 * SECOND }, undefined, () => 0.9)
  await vi.advanceTimersByTimeAsync(HOUR)
  await Promise.all([one.stop(), other.stop()])
  expect(one.slots.slice(0, 10)).toEqual(other.slots.slice(0, 10))
  expect(one.times).not.toEqual(other.times)
})

test('what was slept through is not made up for in a burst', async () => {
  const { slots, skipped, stop } = start(every)
  await vi.advanceTimersByTimeAsync(6 * MINUTE)
  const before = slots.length
  // The machine was suspended for a day.
  vi.setSystemTime(Date.now() + 24 * HOUR)
  await vi.advanceTimersByTimeAsync(MINUTE)
  expect(slots.length - before).toBeLessThanOrEqual(2)
  await vi.advanceTimersByTimeAsync(5 * MINUTE)
  await stop()
  expect(slots.length - before).toBeLessThanOrEqual(3)
  // Each slot was run or counted as missed.
  const missed = skipped.reduce((sum, skip) => sum + skip.ticks, 0)
  expect(skipped.map(({ reason }) => reason)).toEqual(['missed'])
  expect(missed + slots.length - 1).toBe(((slots.at(-1) ?? 0) - (slots[0] ?? 0)) / (5 * MINUTE))
})

test('a clock that is set back by a year does not stop a probe for a year', async () => {
  const { times, stop } = start(every)
  await vi.advanceTimersByTimeAsync(6 * MINUTE)
  const before = times.length
  vi.setSystemTime(Date.now() - 365 * 24 * HOUR)
  await vi.advanceTimersByTimeAsync(11 * MINUTE)
  await stop()
  expect(times.length - before).toBeGreaterThanOrEqual(2)
})

test('of the cron ticks that were slept through the last is sent, and the others are told', async () => {
  const { slots, skipped, stop } = start({
    kind: 'cron',
    expression: '*/10 * * * *',
    zone: 'UTC',
    jitter: 0,
  })
  await vi.advanceTimersByTimeAsync(11 * MINUTE)
  vi.setSystemTime(Date.now() + 24 * HOUR)
  await vi.advanceTimersByTimeAsync(MINUTE)
  await stop()
  expect(slots).toEqual([START + 10 * MINUTE, START + 24 * HOUR + 10 * MINUTE])
  expect(skipped).toMatchObject([{ reason: 'missed', ticks: 24 * 6 - 1 }])
})

test('canaries of a cron expression are put off by its jitter', async () => {
  const schedule: Schedule = {
    kind: 'cron',
    expression: '*/10 * * * *',
    zone: 'UTC',
    jitter: MINUTE,
  }
  const { times, stop } = start(schedule, undefined, () => 0.5)
  await vi.advanceTimersByTimeAsync(21 * MINUTE)
  await stop()
  expect(times).toEqual([START + 10.5 * MINUTE, START + 20.5 * MINUTE])
})

// The clocks of Europe/Berlin skip 2026-03-29 02:00 to 03:00, and show 2026-10-25 02:00 to 03:00 twice.
test.each([
  [
    'a time that does not exist',
    '30 2 * * *',
    '2026-03-27T12:00Z',
    3,
    ['2026-03-28T01:30Z', '2026-03-29T01:30Z', '2026-03-30T00:30Z'],
  ],
  [
    'a time that comes twice',
    '30 2 * * *',
    '2026-10-23T12:00Z',
    3,
    ['2026-10-24T00:30Z', '2026-10-25T00:30Z', '2026-10-26T01:30Z'],
  ],
  [
    'every hour in spring',
    '15 * * * *',
    '2026-03-28T23:30Z',
    4 / 24,
    ['2026-03-29T00:15Z', '2026-03-29T01:15Z', '2026-03-29T02:15Z', '2026-03-29T03:15Z'],
  ],
  [
    'every hour in autumn',
    '15 * * * *',
    '2026-10-24T23:30Z',
    4 / 24,
    ['2026-10-25T00:15Z', '2026-10-25T01:15Z', '2026-10-25T02:15Z', '2026-10-25T03:15Z'],
  ],
])('by the clocks of a zone %s is one canary', async (_, expression, from, days, expected) => {
  vi.setSystemTime(Date.parse(from))
  const { slots, times, skipped, stop } = start({
    kind: 'cron',
    expression,
    zone: 'Europe/Berlin',
    jitter: 0,
  })
  await vi.advanceTimersByTimeAsync(days * 24 * HOUR)
  await stop()
  expect(slots).toEqual(expected.map(at => Date.parse(at)))
  expect(times).toEqual(slots)
  expect(skipped).toEqual([])
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
  expect(skipped).toMatchObject([{ reason: 'overlap', ticks: 1 }])
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
  expect(skipped.map(({ reason, detail }) => [reason, detail])).toEqual([
    ['failed', 'disk full'],
    ['failed', 'disk full'],
  ])
})

test('stopping leaves no timer behind', async () => {
  const { stop } = start(every)
  const cron = start({ kind: 'cron', expression: '0 * * * *', zone: 'UTC', jitter: 0 })
  await vi.advanceTimersByTimeAsync(SECOND)
  await Promise.all([stop(), cron.stop()])
  expect(vi.getTimerCount()).toBe(0)
})

test('a cron expression is read in UTC', async () => {
  const { slots, stop } = start({
    kind: 'cron',
    expression: '30 13,15 * * *',
    zone: 'UTC',
    jitter: 0,
  })
  await vi.advanceTimersByTimeAsync(4 * HOUR)
  await stop()
  expect(slots).toEqual([START + 1.5 * HOUR, START + 3.5 * HOUR])
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
