import { describe, expect, it } from 'vitest'

import { HOUR, MINUTE } from '../../src/base/clock.ts'
import { SqliteHistory } from '../../src/probe/sqlite-history.ts'
import { RealMailTally } from '../../src/web/real-mail.ts'
import { publicView, wholeView } from '../../src/web/status-view.ts'
import {
  addCanary,
  realMailEvents,
  sampleDay,
  sampleStatus,
  verdictOf,
} from '../support/sample-history.ts'

const NOW = Date.UTC(2026, 0, 15, 12, 34, 56)
const clock = (): number => NOW

describe('the data of the status page', () => {
  it('keeps what could not be seen out of every rate', async () => {
    const history = new SqliteHistory(':memory:')
    const at = NOW - 10 * MINUTE
    for (const [index, label] of (
      ['inbox', 'spam', 'missing', 'unknown', 'unknown'] as const
    ).entries()) {
      await addCanary(history, { at: at + index, verdict: verdictOf(label) })
    }
    const status = await sampleStatus(history, clock).status('1h')
    const cell = status.cells.find(one => one.origin === 'relay' && one.provider === 'gmail')
    expect(cell?.arrived).toMatchObject({ hits: 2, n: 3 })
    expect(cell?.inbox).toMatchObject({ hits: 1, n: 3 })
    expect(cell?.counts.unknown).toBe(2)
  })

  it('keeps a canary that came late among the missing', async () => {
    const history = new SqliteHistory(':memory:')
    await addCanary(history, { at: NOW - 3 * HOUR, verdict: verdictOf('missing'), late: true })
    const source = sampleStatus(history, clock)
    const { cells } = await source.status('24h')
    const { canaries } = await wholeView(source).canaries({ limit: 1 })
    const cell = cells.find(one => one.origin === 'relay' && one.provider === 'gmail')
    expect(cell).toMatchObject({ arrived: { hits: 0, n: 1 }, late: 1, counts: { missing: 1 } })
    expect(canaries[0]).toMatchObject({ verdict: 'missing', late: true })
  })

  it('has a cell for every origin and provider, though nothing was sent yet', async () => {
    const status = await sampleStatus(new SqliteHistory(':memory:'), clock).status('24h')
    expect(status.cells).toHaveLength(6)
    expect(status.cells.every(cell => cell.arrived.n === 0)).toBe(true)
    expect(status.any).toBe(false)
    expect(status.seeds.map(seed => seed.state)).toEqual(['unread', 'unread', 'unread'])
  })

  it.each(['15m', '1h', '6h', '24h', '7d', '30d'] as const)(
    'has steps that end with now and counts every canary of %s in exactly one',
    async range => {
      const history = new SqliteHistory(':memory:')
      await sampleDay(history, NOW)
      const status = await sampleStatus(history, clock).status(range)
      const [first = 0, second = 0] = status.steps
      const last = status.steps.at(-1) ?? 0
      expect(NOW - last).toBeLessThan(second - first)
      for (const { origin, provider, steps } of status.placement) {
        const cell = status.cells.find(one => one.origin === origin && one.provider === provider)
        const shown = steps.reduce((sum, step) => sum + step.inbox, 0)
        expect(shown).toBe(cell?.counts.inbox)
      }
    },
  )

  it('gives the median and the 90th percentile of arrival times, with how many they are of', async () => {
    const history = new SqliteHistory(':memory:')
    for (let seconds = 1; seconds <= 10; seconds++) {
      await addCanary(history, { at: NOW - MINUTE - seconds, verdict: verdictOf('inbox', seconds) })
    }
    const { arrival } = await sampleStatus(history, clock).status('1h')
    const gmail = arrival.find(one => one.provider === 'gmail')
    expect(gmail?.all).toEqual({ n: 10, p50: 5.5, p90: 9.1 })
    expect(gmail?.steps.filter(step => step.n > 0)).toEqual([{ n: 10, p50: 5.5, p90: 9.1 }])
    expect(arrival.find(one => one.provider === 'yahoo')?.all).toEqual({ n: 0 })
  })

  it('tells a seed that cannot be read from one that was not read lately', async () => {
    const history = new SqliteHistory(':memory:')
    const look = { beganAt: NOW - MINUTE, endedAt: NOW - MINUTE, complete: true, detail: '' }
    await history.looked({ ...look, seed: 'gmail-1' })
    await history.looked({ ...look, seed: 'hotmail-1', complete: false, blindness: 'sign-in' })
    await history.looked({ ...look, seed: 'yahoo-1', endedAt: NOW - 2 * HOUR })
    const { seeds } = await sampleStatus(history, clock).status('1h')
    expect(seeds.map(seed => [seed.seed, seed.state, seed.blindness])).toEqual([
      ['gmail-1', 'reading', ''],
      ['hotmail-1', 'blind', 'sign-in'],
      ['yahoo-1', 'stale', ''],
    ])
  })

  it('says how far a canary came that did not arrive, and in whose words', async () => {
    const history = new SqliteHistory(':memory:')
    await addCanary(history, { at: NOW - MINUTE, verdict: verdictOf('bounced') })
    const { canaries } = await wholeView(sampleStatus(history, clock)).canaries({ limit: 1 })
    expect(canaries[0]).toMatchObject({ verdict: 'bounced', stage: 'provider-refused' })
    expect(canaries[0]?.detail).toMatch(/^550 5\.7\.1 /)
  })
})

describe('one seed', () => {
  it('is reported by itself: its own canaries, arrival times and state', async () => {
    const history = new SqliteHistory(':memory:')
    await sampleDay(history, NOW)
    const source = sampleStatus(history, clock)
    const report = await source.seed('yahoo-1', '24h')
    expect(report?.state).toMatchObject({ seed: 'yahoo-1', state: 'blind' })
    const whole = await source.status('24h')
    // Each provider has one seed here: what is of it is what is of the provider.
    expect(report?.cells).toEqual(whole.cells.filter(({ provider }) => provider === 'yahoo'))
    const ofProvider = whole.arrival.find(({ provider }) => provider === 'yahoo')
    expect(report?.arrival.all.n).toBe(ofProvider?.all.n)
    // Those of a seed are exact, those of a provider were counted in classes.
    const share = (report?.arrival.all.p50 ?? 0) / (ofProvider?.all.p50 ?? 1)
    expect(Math.abs(Math.log(share))).toBeLessThan(0.043)
    expect(await source.seed('nobody', '24h')).toBeUndefined()
  })
})

describe('the list in parts', () => {
  it('tells every canary once, also those of one moment', async () => {
    const history = new SqliteHistory(':memory:')
    for (const [index, offset] of [0, 1, 1, 1, 2, 3, 3].entries()) {
      await addCanary(history, {
        at: NOW - offset,
        origin: `origin-${index}`,
        verdict: verdictOf('inbox'),
      })
    }
    const view = wholeView(sampleStatus(history, clock))
    const told: string[] = []
    for (let until: number | undefined = NOW + 1; until !== undefined;) {
      const { canaries, older } = await view.canaries({ until, limit: 4 })
      told.push(...canaries.map(({ origin }) => origin))
      until = older
    }
    expect(told.toSorted()).toEqual(Array.from({ length: 7 }, (_, index) => `origin-${index}`))
  })
})

describe('what everybody may see', () => {
  it('has the same rates, and neither a name of a seed nor a word of a server', async () => {
    const history = new SqliteHistory(':memory:')
    await sampleDay(history, NOW)
    const real = new RealMailTally({ clock, providers: ['gmail'] })
    for (const event of realMailEvents()) real.record(event)
    const source = sampleStatus(history, clock, real)
    const whole = await source.status('24h')
    const view = publicView(source)
    const status = await view.status('24h')
    expect(status.cells).toEqual(whole.cells)
    expect(status.arrival).toEqual(whole.arrival)
    const list = await view.canaries({ limit: 500, seed: 'gmail-1' })
    // A filter by a seed's name would tell whether there is one.
    expect(new Set(list.canaries.map(({ provider }) => provider)).size).toBe(3)
    const told = JSON.stringify([status, list])
    const all = JSON.stringify([whole, await wholeView(source).canaries({ limit: 500 })])
    for (const secret of [
      /(?:gmail|hotmail|yahoo)-1/,
      /S3150|192\.0\.2\.25|AUTHENTICATIONFAILED/,
      /canary-\d/,
      /01HZXAMP0E000001/,
      /"delivered"/,
    ]) {
      expect(secret.test(all), String(secret)).toBe(true)
      expect(secret.exec(told)).toBeNull()
    }
  })
})

describe('real mail beside the canaries', () => {
  it('counts recipients by where they ended, and attempts that were put off, with why', () => {
    const tally = new RealMailTally({ clock, providers: ['gmail', 'hotmail', 'yahoo'] })
    for (const event of realMailEvents()) tally.record(event)
    expect(tally.read(NOW - HOUR)).toContainEqual({
      provider: 'yahoo',
      delivered: 58,
      bounced: 0,
      deferrals: 41,
      reasons: { rate: 41 },
    })
    expect(tally.read(NOW - HOUR)).toContainEqual({
      provider: 'gmail',
      delivered: 412,
      bounced: 3,
      deferrals: 0,
      reasons: { mailbox: 3 },
    })
  })

  it('leaves out what an operator removed: the provider had no part in it', () => {
    const tally = new RealMailTally({ clock, providers: [] })
    tally.record({ kind: 'settled', id: 'x', provider: 'gmail', final: 'removed', seconds: 1 })
    expect(tally.read(0)).toEqual([])
  })

  it('forgets hours that no range of the page reaches, and keeps one row for strangers', () => {
    let now = NOW
    const tally = new RealMailTally({ clock: () => now, providers: ['gmail'] })
    const settle = (provider: string): void =>
      tally.record({ kind: 'settled', id: 'x', provider, final: 'delivered', seconds: 1 })
    settle('gmail')
    now += 32 * 24 * HOUR
    for (let index = 0; index < 50; index++) settle(`host-${index}.example`)
    expect(tally.read(0)).toEqual([
      { provider: 'other', delivered: 50, bounced: 0, deferrals: 0, reasons: {} },
    ])
  })
})
