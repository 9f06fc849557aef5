import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { HistoryStore } from '../../src/probe/history.ts'
import { type Canary, labelOf, type Verdict } from '../../src/probe/model.ts'
import { arrived, canary, HOUR, T0 } from './history-samples.ts'

const DAY = 24 * HOUR
const midnight = T0 - (T0 % DAY)
const MISSING: Verdict = { kind: 'missing', stage: 'submitted' }
const VERDICTS: readonly Verdict[] = [
  arrived('inbox', 0.4),
  arrived('inbox', 1.9),
  arrived('spam', 61),
  arrived('other', 5_000),
  MISSING,
  { kind: 'unknown', reason: 'sign-in' },
]

interface Decided {
  readonly canary: Canary
  readonly verdict: Verdict
  readonly late: boolean
}

/** Two canaries as version 1 of the tables had them; both databases understand it. */
export const ROWS_OF_VERSION_1 = `insert into canary
  (id, probe, origin, seed, provider, content, token, scheduled_at, deadline_at, label, verdict, late_at, seconds) values
  ('A', 'relay/gmail-1', 'relay', 'gmail-1', 'gmail', 'plain', 'A-T', ${T0}, ${T0}, 'inbox', '{}', 0, 2.0),
  ('B', 'relay/gmail-1', 'relay', 'gmail-1', 'gmail', 'plain', 'B-T', ${T0 + 1}, ${T0}, 'missing', '{}', 7, null),
  ('C', 'relay/gmail-1', 'relay', 'gmail-1', 'gmail', 'plain', 'C-T', ${T0 + 2}, ${T0}, '', '', 0, null)`

/** What a history that was at version 1 counts of them. */
export async function expectCountsOfVersion1(history: HistoryStore): Promise<void> {
  for (const step of [DAY, 6 * HOUR, HOUR]) {
    const [tally, ...others] = await history.tally(midnight, midnight + DAY, step)
    expect(others).toEqual([])
    expect(tally).toMatchObject({ seed: 'gmail-1', late: 1, counts: { inbox: 1, missing: 1 } })
    const arrivals = await history.arrivalCounts(midnight, midnight + DAY, step)
    expect(arrivals.map(({ n }) => n)).toEqual([1])
    expect(arrivals[0]?.seconds).toBeCloseTo(2, 0)
  }
}

/** What a history counts is what its canaries say, however the question is cut. */
export function historyCountsContract(name: string, open: () => Promise<HistoryStore>): void {
  describe(name, () => {
    let history: HistoryStore
    let all: Decided[]

    beforeEach(async () => {
      history = await open()
      all = []
      // Seven hours and some apart, over eight days: first and last moments of hours and days are among them.
      for (let index = 0; index < 48; index++) {
        const offset = [0, -1, 977_001, 1][index % 4] ?? 0
        await add(midnight + Math.floor(index / 2) * 7 * HOUR + offset, index)
      }
    })
    afterEach(() => history.close())

    async function add(scheduledAt: number, index: number): Promise<void> {
      const verdict = VERDICTS[index % VERDICTS.length] ?? MISSING
      const seed = index % 5 === 0 ? 'yahoo-1' : 'gmail-1'
      const origin = index % 3 === 0 ? 'old-server' : 'relay'
      const one = canary({
        scheduledAt,
        probe: `${origin}/${seed}`,
        origin,
        seed,
        provider: seed.slice(0, -2),
      })
      expect(await history.begin(one)).toBe(true)
      await history.decide(one.id, verdict, scheduledAt + 1)
      const late = verdict === MISSING && index % 4 === 0
      if (late) expect(await history.late(one.id, scheduledAt + HOUR)).toBe(true)
      all.push({ canary: one, verdict, late })
    }

    function expected(since: number, until: number, step: number): string[] {
      const cells = new Map<string, number>()
      const count = (key: string): unknown => cells.set(key, (cells.get(key) ?? 0) + 1)
      for (const { canary, verdict, late } of all) {
        const { scheduledAt, origin, provider, seed } = canary
        if (scheduledAt < since || scheduledAt >= until) continue
        const from = step === 0 ? 0 : scheduledAt - (scheduledAt % step)
        count(`${from} ${origin} ${provider} ${seed} ${labelOf(verdict)}`)
        if (late) count(`${from} ${origin} ${provider} ${seed} late`)
      }
      return [...cells].map(([key, n]) => `${key} ${n}`).toSorted()
    }

    async function counted(since: number, until: number, step: number): Promise<string[]> {
      const tallies = await history.tally(since, until, step)
      return tallies
        .flatMap(({ from, origin, provider, seed, counts, late }) =>
          Object.entries({ ...counts, late })
            .filter(([, n]) => n > 0)
            .map(([label, n]) => `${from} ${origin} ${provider} ${seed} ${label} ${n}`),
        )
        .toSorted()
    }

    const questions: readonly (readonly [since: number, until: number, step: number])[] = [
      [midnight, midnight + 9 * DAY, DAY],
      [midnight, midnight + 9 * DAY, 0],
      [midnight + 1, midnight + 5 * DAY + HOUR + 1, 0],
      [midnight + 5 * HOUR, midnight + 6 * DAY + 3 * HOUR, 6 * HOUR],
      [midnight + 7 * HOUR, midnight + 14 * HOUR, HOUR],
      [midnight + 7 * HOUR + 1, midnight + 7 * HOUR + 2_000_000, 60_000],
      [midnight - 1, midnight, 0],
    ]

    test.each(questions)('verdicts from %i until %i in steps of %i', async (since, until, step) => {
      expect(await counted(since, until, step)).toEqual(expected(since, until, step))
    })

    test('what a sweep leaves is counted as if the rest had never been', async () => {
      const before = midnight + 2 * DAY + 14 * HOUR + 500_000
      const left = all.filter(({ canary }) => canary.scheduledAt >= before)
      expect(await history.sweep(before)).toBe(all.length - left.length)
      all = left
      for (const question of questions) {
        expect(await counted(...question)).toEqual(expected(...question))
      }
      const arrivals = await history.arrivalCounts(midnight, midnight + 9 * DAY, DAY)
      const seen = left.filter(({ verdict }) => verdict.kind === 'arrived').length
      expect(arrivals.reduce((sum, { n }) => sum + n, 0)).toBe(seen)
    })

    test('arrival times are counted in the same steps, by provider, of one seed or all', async () => {
      for (const [since, until, step] of questions) {
        const counts = await history.arrivalCounts(since, until, step)
        const seen = all.flatMap(({ canary, verdict }) => {
          const { scheduledAt: at, provider } = canary
          if (verdict.kind !== 'arrived' || at < since || at >= until) return []
          const from = step === 0 ? 0 : at - (at % step)
          return [{ key: `${from} ${provider}`, seconds: verdict.seconds }]
        })
        const told = counts.flatMap(({ from, provider, seconds, n }) =>
          Array.from({ length: n }, () => ({ key: `${from} ${provider}`, seconds })),
        )
        const order = (a: { key: string; seconds: number }, b: typeof a): number =>
          a.key < b.key ? -1 : a.key > b.key ? 1 : a.seconds - b.seconds
        expect(told.map(({ key }) => key).toSorted()).toEqual(seen.map(({ key }) => key).toSorted())
        const [near, true_] = [told.toSorted(order), seen.toSorted(order)]
        for (const [index, { seconds }] of near.entries()) {
          expect(Math.abs(Math.log(seconds / (true_[index]?.seconds ?? 0)))).toBeLessThan(0.043)
        }
      }
      const [since, until] = [midnight, midnight + 9 * DAY]
      const ofSeed = await history.arrivalCounts(since, until, 0, 'yahoo-1')
      const yahoo = (await history.arrivalCounts(since, until, 0)).filter(
        ({ provider }) => provider === 'yahoo',
      )
      const size = (counts: typeof ofSeed): number => counts.reduce((sum, { n }) => sum + n, 0)
      expect(size(yahoo)).toBeGreaterThan(3)
      expect(size(ofSeed)).toBe(size(yahoo))
      expect(new Set(ofSeed.map(({ provider }) => provider))).toEqual(new Set(['yahoo']))
    })
  })
}
