import { expect, test } from 'vitest'

import { MINUTE } from '../../src/base/clock.ts'
import { isTurn } from '../../src/probe/rotation.ts'
import { type Schedule, slotBefore } from '../../src/probe/schedule.ts'

const EVERY: Schedule = { kind: 'every', every: 10 * MINUTE, jitter: 0 }
const CRON: Schedule = { kind: 'cron', expression: '*/10 * * * *', zone: 'UTC', jitter: 0 }
const SEEDS = [0, 1, 2]

function whoseTurn(schedule: Schedule, slot: number): number[] {
  return SEEDS.filter(index => isTurn({ index, of: SEEDS.length }, schedule, slot))
}

test('seeds that share come one after the other', () => {
  const turns = Array.from({ length: 6 }, (_, i) => whoseTurn(EVERY, i * 10 * MINUTE))
  expect(turns).toEqual([[0], [1], [2], [0], [1], [2]])
})

test('every origin sends to the same seed at the same tick, whatever the phase of its probes', () => {
  const start = Date.UTC(2026, 10, 23)
  for (let at = start; at < start + 120 * MINUTE; at += 10 * MINUTE) {
    const turn = (probe: string): number[] => whoseTurn(EVERY, slotBefore(probe, 10 * MINUTE, at))
    const numbers = ['relay/a', 'old/a'].map(probe =>
      Math.floor(slotBefore(probe, 10 * MINUTE, at) / (10 * MINUTE)),
    )
    if (numbers[0] === numbers[1]) expect(turn('relay/a')).toEqual(turn('old/a'))
  }
})

test('by a cron expression one of them is drawn, each about as often', () => {
  const counts = [0, 0, 0]
  for (let i = 0; i < 3_000; i++) {
    const [index, ...others] = whoseTurn(CRON, i * 10 * MINUTE)
    expect(others).toEqual([])
    counts[index ?? 9] = (counts[index ?? 9] ?? 0) + 1
  }
  for (const count of counts) expect(count).toBeGreaterThan(850)
})

test('one alone has every turn', () => {
  expect(isTurn({ index: 0, of: 1 }, CRON, 12_345)).toBe(true)
})
