import { expect, onTestFinished, test, vi } from 'vitest'

import type { Probe } from '../../src/probe/catalogue.ts'
import type { Submit } from '../../src/probe/sender.ts'
import { eventually } from '../support/server-process.ts'
import { QUEUED, REFUSED, running, ScriptedMailbox, SEED } from './scripted-mailbox.ts'
import { ORIGIN, PROBE, proberOf } from './world.ts'

test('of two provers over one history one sends each canary', async () => {
  const sent: string[] = []
  const probes: Probe[] = [{ ...PROBE, schedule: { kind: 'every', every: 50, jitter: 0 } }]
  const options = {
    seeds: [SEED],
    probes,
    scheduled: true,
    maxUndecided: 1_000,
    mailboxFor: () => new ScriptedMailbox(),
    submit: (async submission => {
      sent.push(/Message-ID: <(.{33})/i.exec(submission.message.toString())?.[1] ?? '')
      return { kind: 'submitted', at: submission.clock(), queueId: '' }
    }) satisfies Submit,
  }
  const one = proberOf(options)
  const other = proberOf({ ...options, history: one.history })
  await running(one.prober)
  await running(other.prober)
  await eventually(() => sent.length >= 10, 'ten canaries')
  const slots = (await one.history.list({ limit: 1_000 })).map(record => record.canary.scheduledAt)
  expect(new Set(slots).size).toBe(slots.length)
  expect(sent.length).toBeLessThanOrEqual(slots.length)
})

test('a probe with three undecided canaries waits, and says so', async () => {
  let sent = 0
  const { prober, events } = proberOf({
    seeds: [SEED],
    probes: [{ ...PROBE, schedule: { kind: 'every', every: 20, jitter: 0 } }],
    scheduled: true,
    mailboxFor: () => new ScriptedMailbox(),
    submit: async options => {
      sent++
      return QUEUED(options)
    },
  })
  await running(prober)
  await eventually(
    () => events.find(event => event.kind === 'tick-skipped' && event.reason === 'undecided'),
    'a skip',
  )
  expect(sent).toBe(3)
})

test('a probe that is paused does not send, also not after a restart, until it is resumed', async () => {
  let sent = 0
  const options = {
    seeds: [SEED],
    probes: [{ ...PROBE, schedule: { kind: 'every', every: 20, jitter: 0 } }] satisfies Probe[],
    scheduled: true,
    maxUndecided: 1_000,
    mailboxFor: () => new ScriptedMailbox(),
    submit: (async submission => {
      sent++
      return QUEUED(submission)
    }) satisfies Submit,
  }
  const { prober: before, history } = proberOf(options)
  expect(await before.timetable.pause(PROBE.name, 'anna')).toBe(true)
  expect(await before.timetable.pause(PROBE.name, 'otto')).toBe(false)
  const { prober, events } = proberOf({ ...options, history })
  await running(prober)
  const skips = (): number =>
    events.filter(event => event.kind === 'tick-skipped' && event.reason === 'paused').length
  await eventually(() => skips() >= 3, 'three ticks')
  expect(sent).toBe(0)
  expect(await prober.timetable.resume(PROBE.name)).toBe(true)
  await eventually(() => sent > 0, 'a canary')
  await expect(prober.timetable.pause('nobody', 'anna')).rejects.toThrow(
    'there is no probe "nobody"',
  )
})

test('a seed gets no more canaries in a day than it may, whoever sends them', async () => {
  const seed = { ...SEED, dailyCap: 5 }
  const schedule: Probe['schedule'] = { kind: 'every', every: 20, jitter: 0 }
  const sent: string[] = []
  const { prober, events } = proberOf({
    seeds: [seed],
    origins: [ORIGIN, { ...ORIGIN, name: 'old' }],
    probes: [
      { ...PROBE, schedule },
      { ...PROBE, name: 'old/example-1', origin: 'old', schedule },
    ],
    scheduled: true,
    maxUndecided: 1_000,
    mailboxFor: () => new ScriptedMailbox(),
    submit: async submission => {
      sent.push(submission.origin.name)
      return QUEUED(submission)
    },
  })
  await running(prober)
  const skipped = (probe: string): boolean =>
    events.some(
      event => event.kind === 'tick-skipped' && event.reason === 'cap' && event.probe === probe,
    )
  await eventually(() => skipped(PROBE.name) && skipped('old/example-1'), 'both at the cap')
  // Two that begin in the same moment may both find the last place free.
  expect(sent.length).toBeGreaterThanOrEqual(5)
  expect(sent.length).toBeLessThanOrEqual(6)
})

test('origins that are compared send at the same ticks, in an order that chance decides', async () => {
  const schedule: Probe['schedule'] = { kind: 'every', every: 20, jitter: 0 }
  const order: string[] = []
  const { prober, history } = proberOf({
    seeds: [SEED],
    origins: [ORIGIN, { ...ORIGIN, name: 'old' }],
    probes: [
      { ...PROBE, schedule, set: 'compared:example-1' },
      { ...PROBE, name: 'old/example-1', origin: 'old', schedule, set: 'compared:example-1' },
    ],
    scheduled: true,
    maxUndecided: 1_000,
    mailboxFor: () => new ScriptedMailbox(),
    submit: async submission => {
      order.push(submission.origin.name)
      return REFUSED
    },
  })
  await running(prober)
  await eventually(() => order.length >= 60, 'thirty pairs')
  const firsts = order.filter((_, i) => i % 2 === 0).slice(0, 30)
  expect(new Set(firsts)).toEqual(new Set(['relay', 'old']))
  await prober.stop()
  const records = await history.list({ limit: 1_000 })
  const slots = new Set(records.map(one => one.canary.scheduledAt)).size
  // `stop` may have come between the two of the last pair.
  expect([2 * slots, 2 * slots - 1]).toContain(records.length)
  const pairs = await history.pairs('relay', 'old', 0, Date.now() + 1_000)
  expect(pairs.reduce((sum, pair) => sum + pair.n, 0)).toBe(Math.floor(records.length / 2))
})

test('an origin that does not answer does not keep the other of a pair from sending', async () => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 23) })
  onTestFinished(() => void vi.useRealTimers())
  const times = new Map<string, number>()
  const { prober } = proberOf({
    seeds: [SEED],
    origins: [ORIGIN, { ...ORIGIN, name: 'old' }],
    probes: [
      { ...PROBE, set: 'compared' },
      { ...PROBE, name: 'old/example-1', origin: 'old', set: 'compared' },
    ],
    scheduled: true,
    random: () => 0,
    mailboxFor: () => new ScriptedMailbox(),
    submit: submission => {
      times.set(submission.origin.name, Date.now())
      return new Promise((_, reject) => {
        submission.signal.addEventListener('abort', () => reject(new Error('given up')))
      })
    },
  })
  await prober.start()
  await vi.advanceTimersByTimeAsync(60_000)
  expect((times.get('old') ?? Infinity) - (times.get('relay') ?? 0)).toBeCloseTo(10_000, -2)
  const stopped = prober.stop()
  await vi.advanceTimersByTimeAsync(10_000)
  await stopped
})

test('a submission that does not end is given up by stop, and stays undecided', async () => {
  const { prober, history } = proberOf({
    seeds: [SEED],
    mailboxFor: () => new ScriptedMailbox(),
    stopWithin: 50,
    submit: options =>
      new Promise((_, reject) => {
        options.signal.addEventListener('abort', () => reject(options.signal.reason as Error))
      }),
  })
  await prober.start()
  let id = ''
  const run = prober.runOnce(PROBE.name, {
    onStage: stage => {
      if (stage.kind === 'begun') id = stage.canary.id
    },
  })
  run.catch(() => undefined)
  await eventually(() => id !== '', 'the beginning')
  await prober.stop()
  await expect(run).rejects.toThrow('the prober was stopped')
  expect((await history.undecided()).map(canary => canary.id)).toEqual([id])
})

test('a probe of nothing that exists is refused with a sentence', () => {
  const seeds = [SEED]
  expect(() => proberOf({ seeds, probes: [{ ...PROBE, seed: 'nobody' }] })).toThrow(
    'probe "relay/example-1": there is no seed "nobody"',
  )
  expect(() => proberOf({ seeds: [SEED, SEED] })).toThrow('two rows are called "example-1"')
})
