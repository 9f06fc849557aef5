import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { DAY, HOUR, MINUTE } from '../../src/base/clock.ts'
import { learntBaseline } from '../../src/probe/detector-baseline.ts'
import { evidenceOf, INITIAL, observe, THRESHOLD } from '../../src/probe/detector-policy.ts'
import { Detector, type DetectorReading } from '../../src/probe/detector.ts'
import type { ProbeEvent } from '../../src/probe/events.ts'
import type { HistoryStore } from '../../src/probe/history.ts'
import type { Verdict } from '../../src/probe/model.ts'
import { SqliteHistory } from '../../src/probe/sqlite-history.ts'
import { arrived, canary } from '../contract/history-samples.ts'

const NOW = Date.UTC(2026, 10, 23, 12)
const MISSING: Verdict = { kind: 'missing', stage: 'submitted' }
const UNKNOWN: Verdict = { kind: 'unknown', reason: 'unreadable' }

describe('the policy', () => {
  test('three lost in a row are an alarm where one in a hundred is usual; two are none', () => {
    const one = observe(INITIAL, true, 0.01)
    const two = observe(one, true, 0.01)
    const three = observe(two, true, 0.01)
    expect([one, two, three].map(({ alarm }) => alarm)).toEqual([false, false, true])
    expect(three).toMatchObject({ canaries: 3, failures: 3 })
  })

  test('an alarm ends when canaries arrive again, and does not come and go while some do', () => {
    let state = INITIAL
    for (let i = 0; i < 200; i++) state = observe(state, true, 0.01)
    const ended = (): number => {
      let after = 0
      for (let next = state; next.alarm; after++) next = observe(next, false, 0.01)
      return after
    }
    // After an outage of a day and a half: an hour or two.
    expect(ended()).toBeGreaterThanOrEqual(5)
    expect(ended()).toBeLessThan(15)
    for (let i = 0; i < 100; i++) {
      state = observe(state, i % 5 === 0, 0.01)
      expect(state.alarm).toBe(true)
    }
  })

  test('evidence is 0 to 1, an alarm begins at 1, and every failure adds to it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { maxLength: 200 }),
        fc.double({ min: 0.01, max: 0.9, noNaN: true }),
        (row, baseline) => {
          let state = INITIAL
          for (const failed of row) {
            const next = observe(state, failed, baseline)
            const sum = next.odds.reduce((total, value) => total + value, 0)
            expect(sum).toBeLessThanOrEqual(THRESHOLD * (1 + 1e-9))
            const evidence = evidenceOf(next.odds)
            expect(evidence).toBeGreaterThanOrEqual(0)
            if (failed) expect(evidence).toBeGreaterThanOrEqual(evidenceOf(state.odds) - 1e-9)
            if (next.alarm && !state.alarm) expect(evidence).toBeCloseTo(1, 9)
            expect(next.failures).toBeLessThanOrEqual(next.canaries)
            state = next
          }
        },
      ),
    )
  })
})

describe('a baseline', () => {
  const day = (failures: number, n = 144) => ({ n, failures })

  test('is cautious while there is little, and near the rate of many days', () => {
    expect(learntBaseline([])).toBe(0.05)
    expect(learntBaseline([day(0, 99)])).toBe(0.05)
    const month = Array.from({ length: 28 }, () => day(7))
    expect(learntBaseline(month)).toBeGreaterThan(7 / 144)
    expect(learntBaseline(month)).toBeLessThan(1.15 * (7 / 144))
  })

  test('is not below one in a hundred, and does not learn from an outage', () => {
    const quiet = Array.from({ length: 26 }, () => day(0))
    expect(learntBaseline(quiet)).toBe(0.01)
    expect(learntBaseline([...quiet, day(144), day(100)])).toBe(0.01)
  })
})

describe('the detector over a history', () => {
  let sequence = 0
  async function decided(
    history: HistoryStore,
    verdict: Verdict,
    at: number,
    changes: { origin?: string; provider?: string; seed?: string } = {},
  ): Promise<void> {
    const one = canary({ scheduledAt: at - 10 * MINUTE, probe: `p${sequence++}`, ...changes })
    await history.begin(one)
    await history.decide(one.id, verdict, at)
  }

  function detectorOf(history: HistoryStore, clock = () => NOW) {
    const events: ProbeEvent[] = []
    const detector = new Detector({
      history,
      clock,
      slowAfter: 300,
      watched: ['gmail', 'yahoo'].map(provider => ({ origin: 'relay', provider })),
      baselineOf: (_, provider) => (provider === 'gmail' ? 0.01 : undefined),
      report: event => events.push(event),
    })
    const reading = (provider: string, signal: string): DetectorReading => {
      const found = detector.readings.find(
        one => one.provider === provider && one.signal === signal,
      )
      if (!found) throw new Error('no such signal')
      return found
    }
    return { detector, events, reading }
  }

  test('loses three canaries of two seeds, alarms once, and is calm when they arrive again', async () => {
    const history = new SqliteHistory(':memory:')
    const { detector, events, reading } = detectorOf(history)
    await detector.refresh()
    expect(reading('gmail', 'arrival')).toMatchObject({ alarm: false, evidence: 0 })
    for (let i = 0; i < 3; i++) {
      await decided(history, MISSING, NOW - HOUR + i, { seed: `gmail-${i % 2}` })
    }
    await detector.refresh()
    await detector.refresh()
    expect(reading('gmail', 'arrival')).toMatchObject({ alarm: true, canaries: 3, failures: 3 })
    expect(reading('yahoo', 'arrival').alarm).toBe(false)
    // What did not arrive says nothing of where and when it would have.
    expect(reading('gmail', 'inbox')).toMatchObject({ evidence: 0, canaries: 0 })
    expect(events.map(({ kind }) => kind)).toEqual(['detector-alarm'])
    for (let i = 0; i < 30; i++) await decided(history, arrived('inbox', 5), NOW - HOUR + 10 + i)
    await detector.refresh()
    expect(reading('gmail', 'arrival').alarm).toBe(false)
    expect(events.map(({ kind }) => kind)).toEqual(['detector-alarm', 'detector-calm'])
  })

  test('spam and slow canaries are told by signals of their own', async () => {
    const history = new SqliteHistory(':memory:')
    const { detector, reading } = detectorOf(history)
    for (let i = 0; i < 3; i++) await decided(history, arrived('spam', 301), NOW - HOUR + i)
    await detector.refresh()
    expect(reading('gmail', 'arrival')).toMatchObject({ alarm: false })
    expect(reading('gmail', 'inbox')).toMatchObject({ alarm: true })
    expect(reading('gmail', 'lateness')).toMatchObject({ alarm: true })
  })

  test('unknown never moves it', async () => {
    const history = new SqliteHistory(':memory:')
    const { detector, reading } = detectorOf(history)
    await decided(history, MISSING, NOW - HOUR)
    await detector.refresh()
    const before = detector.readings
    for (let i = 1; i < 500; i++) await decided(history, UNKNOWN, NOW - HOUR + i)
    await detector.refresh()
    expect(detector.readings).toEqual(before)
    expect(reading('gmail', 'arrival').canaries).toBe(1)
  })

  test('after a restart, and on another node, it says the same', async () => {
    const history = new SqliteHistory(':memory:')
    let now = NOW - 20 * DAY
    const running = detectorOf(history, () => now)
    const verdicts = [
      arrived('inbox', 5),
      arrived('inbox', 400),
      arrived('spam', 5),
      MISSING,
      UNKNOWN,
    ]
    for (let i = 0; i < 20 * 24; i++) {
      now += HOUR
      const provider = i % 3 === 0 ? 'gmail' : 'yahoo'
      const verdict = verdicts[i % 7 === 0 ? i % 5 : 0] ?? MISSING
      await decided(history, verdict, now, { provider, seed: provider })
      await running.detector.refresh()
    }
    for (let i = 0; i < 3; i++) await decided(history, MISSING, now - 3 + i)
    await running.detector.refresh()
    const restarted = detectorOf(history, () => now)
    await restarted.detector.refresh()
    const rounded = (readings: readonly DetectorReading[]) =>
      readings.map(one => ({ ...one, evidence: one.evidence.toFixed(9) }))
    expect(rounded(restarted.detector.readings)).toEqual(rounded(running.detector.readings))
    expect(running.reading('gmail', 'arrival').alarm).toBe(true)
    expect(running.reading('yahoo', 'arrival').baseline).not.toBe(0.05)
    expect(restarted.events).toEqual([expect.objectContaining({ kind: 'detector-alarm' })])
  })

  test('a verdict that another node has given a little earlier still counts, in its place', async () => {
    const history = new SqliteHistory(':memory:')
    const { detector } = detectorOf(history)
    await decided(history, MISSING, NOW - 50)
    await decided(history, arrived('inbox', 1), NOW - 30)
    await detector.refresh()
    await decided(history, MISSING, NOW - 60)
    await detector.refresh()
    const other = detectorOf(history)
    await other.detector.refresh()
    expect(detector.readings).toEqual(other.detector.readings)
    expect(detector.readings[0]).toMatchObject({ canaries: 3, failures: 2 })
  })

  test('a clock that was a day ahead does not make it blind for a day', async () => {
    const history = new SqliteHistory(':memory:')
    let now = NOW + DAY
    const { detector, reading } = detectorOf(history, () => now)
    await decided(history, arrived('inbox', 1), now - HOUR)
    await detector.refresh()
    now = NOW
    for (let i = 0; i < 3; i++) await decided(history, MISSING, NOW - HOUR + i)
    await detector.refresh()
    expect(reading('gmail', 'arrival').failures).toBe(3)
  })
})
