import { describe, expect, it } from 'vitest'

import type { Cell, SeedState } from '../../src/web/browser/status-data.ts'
import {
  ageOf,
  blindProviders,
  healthOf,
  intervalOf,
  percent,
  took,
} from '../../src/web/browser/words.ts'

function cellWith(counts: Partial<Cell['counts']>): Cell {
  const all = {
    inbox: 0,
    spam: 0,
    other: 0,
    missing: 0,
    bounced: 0,
    rejected: 0,
    unknown: 0,
    ...counts,
  }
  const arrived = all.inbox + all.spam + all.other
  const n = arrived + all.missing + all.bounced + all.rejected
  return {
    origin: 'relay',
    provider: 'gmail',
    counts: all,
    arrived: { hits: arrived, n, low: 0, high: 1 },
    inbox: { hits: all.inbox, n, low: 0, high: 1 },
    late: 0,
  }
}

describe('the words of the page', () => {
  it('say all and none only where it is so', () => {
    expect(percent(1)).toBe('100 %')
    expect(percent(999 / 1_000)).toBe('> 99 %')
    expect(percent(1 / 1_000)).toBe('< 1 %')
    expect(percent(0)).toBe('0 %')
    expect(intervalOf({ hits: 9, n: 10, low: 0.596, high: 0.982 })).toBe('60–98 %')
  })

  it('give durations as a glance wants them', () => {
    const given = [0.42, 5, 12.3, 75, 119, 120, 3_600, 7_500, 86_400]
    expect(given.map(took)).toEqual([
      '0.4 s',
      '5 s',
      '12 s',
      '75 s',
      '119 s',
      '2 min',
      '60 min',
      '2 h 5 min',
      '24 h',
    ])
  })

  it.each([
    [{ inbox: 20 }, 'arrives'],
    [{ inbox: 19, missing: 1 }, 'arrives'],
    [{ inbox: 8, missing: 2 }, 'mail is lost'],
    [{ inbox: 8, rejected: 2 }, 'mail is lost'],
    [{ inbox: 8, spam: 2 }, 'goes to spam'],
    [{ inbox: 5, spam: 3, bounced: 2 }, 'mail is lost'],
    [{ unknown: 9 }, 'cannot be seen'],
    [{ inbox: 9, unknown: 90 }, 'arrives'],
    [{ missing: 2 }, 'too few to say'],
    [{}, 'no canaries'],
  ])('say of %j: %s', (counts, word) => {
    expect(healthOf(cellWith(counts)).word).toBe(word)
  })

  it.each([
    [0, '0 days'],
    [1, '1 day'],
    [59, '59 days'],
    [60, '1 month'],
    [100, '3 months'],
    [729, '23 months'],
    [731, '2 years'],
  ])('call an account that was made %i days ago %s old', (days, words) => {
    expect(ageOf(Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 1 + days))).toBe(words)
  })

  it('call a provider blind only when none of its seeds can be read', () => {
    const seed = (provider: string, state: SeedState['state']): SeedState => ({
      seed: `${provider} ${state}`,
      provider,
      state,
      lookedAt: 0,
      blindness: '',
      detail: '',
    })
    const seeds = [seed('gmail', 'blind'), seed('gmail', 'reading'), seed('yahoo', 'blind')]
    expect([...blindProviders(seeds)]).toEqual(['yahoo'])
  })
})
