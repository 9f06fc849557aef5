import type { Readable } from 'node:stream'

import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { SECOND } from '../../src/base/clock.ts'
import type { Status } from '../../src/web/browser/status-data.ts'
import { LiveStatus } from '../../src/web/live-status.ts'

let asked = 0
let answer: () => Promise<Status>
let live: LiveStatus

beforeEach(() => {
  vi.useFakeTimers()
  asked = 0
  answer = () => Promise.resolve({ at: asked } as Status)
  live = new LiveStatus(() => {
    asked += 1
    return answer()
  })
})
afterEach(() => {
  vi.useRealTimers()
})

/** What a stream has told until now, an event a row; `at` is how often the history had been asked. */
function told(stream: Readable | undefined): string[] {
  const text = String(stream?.read() ?? '')
  return text.split('\n\n').filter(event => event !== '' && !event.startsWith('retry:'))
}

const status = (at: number): string => `event: status\ndata: {"at":${at}}`

test('a reader is told at once, and after a change within a second', async () => {
  const stream = live.read('1h')
  await vi.advanceTimersByTimeAsync(0)
  expect(told(stream)).toEqual([status(1)])
  await vi.advanceTimersByTimeAsync(2 * SECOND)
  expect(told(stream)).toEqual([])
  live.changed()
  await vi.advanceTimersByTimeAsync(SECOND)
  expect(told(stream)).toEqual([status(2)])
  stream?.destroy()
})

test('many changes are one event a second, and one question for all who look at one range', async () => {
  const streams = [live.read('1h'), live.read('1h'), live.read('1h')]
  await vi.advanceTimersByTimeAsync(0)
  for (const stream of streams) expect(told(stream)).toHaveLength(1)
  expect(asked).toBe(1)
  for (let i = 0; i < 50; i++) {
    live.changed()
    await vi.advanceTimersByTimeAsync(100)
  }
  await vi.advanceTimersByTimeAsync(SECOND)
  for (const stream of streams) {
    const events = told(stream).length
    expect(events).toBeGreaterThanOrEqual(5)
    expect(events).toBeLessThanOrEqual(7)
  }
  expect(asked).toBeLessThanOrEqual(8)
  for (const stream of streams) stream?.destroy()
})

test('without a change a reader is told every 15 seconds: time goes on, and other nodes judge', async () => {
  const stream = live.read('1h')
  await vi.advanceTimersByTimeAsync(SECOND)
  expect(told(stream)).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(45 * SECOND)
  expect(told(stream)).toEqual([status(2), status(3), status(4)])
  stream?.destroy()
})

test('who has gone is asked for no more', async () => {
  const stream = live.read('1h')
  await vi.advanceTimersByTimeAsync(0)
  stream?.destroy()
  await vi.advanceTimersByTimeAsync(SECOND)
  live.changed()
  await vi.advanceTimersByTimeAsync(60 * SECOND)
  expect(asked).toBe(1)
  expect(vi.getTimerCount()).toBe(0)
})

test('there are 200 places, and one that is left is free again', async () => {
  const streams = Array.from({ length: 200 }, () => live.read('1h'))
  expect(streams).not.toContain(undefined)
  expect(live.read('1h')).toBeUndefined()
  streams[7]?.destroy()
  await vi.advanceTimersByTimeAsync(0)
  expect(live.read('1h')).toBeDefined()
})

test('a reader who does not read is not saved up for', async () => {
  answer = () => Promise.resolve({ version: 'x'.repeat(10_000) } as Status)
  const stream = live.read('1h')
  for (let i = 0; i < 100; i++) {
    live.changed()
    await vi.advanceTimersByTimeAsync(SECOND)
  }
  expect(stream?.readableLength).toBeLessThan(100_000)
  told(stream)
  live.changed()
  await vi.advanceTimersByTimeAsync(SECOND)
  expect(told(stream)).toHaveLength(1)
  stream?.destroy()
})

test('a history that cannot be asked is said to be away, and asked again', async () => {
  answer = () => Promise.reject(new Error('the database is away'))
  const stream = live.read('1h')
  await vi.advanceTimersByTimeAsync(0)
  expect(told(stream)).toEqual(['event: away\ndata: away'])
  answer = () => Promise.resolve({ at: asked } as Status)
  await vi.advanceTimersByTimeAsync(15 * SECOND)
  expect(told(stream)).toEqual([status(2)])
  stream?.destroy()
})

test('an answer is kept for a second, unless something has changed or it has failed', async () => {
  answer = () => Promise.reject(new Error('the database is away'))
  await expect(live.status('1h')).rejects.toThrow('away')
  answer = () => Promise.resolve({ at: asked } as Status)
  expect(await live.status('1h')).toEqual({ at: 2 })
  expect(await live.status('1h')).toEqual({ at: 2 })
  live.changed()
  expect(await live.status('1h')).toEqual({ at: 3 })
  await vi.advanceTimersByTimeAsync(SECOND)
  expect(await live.status('1h')).toEqual({ at: 4 })
})
