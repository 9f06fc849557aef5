import { expect, test } from 'vitest'

import type { Probe } from '../../src/probe/catalogue.ts'
import type { Submit } from '../../src/probe/sender.ts'
import { eventually } from '../support/server-process.ts'
import { QUEUED, running, ScriptedMailbox, SEED } from './scripted-mailbox.ts'
import { PROBE, proberOf } from './world.ts'

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
  const reason = '3 canaries are undecided'
  await eventually(
    () => events.find(event => event.kind === 'tick-skipped' && event.reason === reason),
    'a skip',
  )
  expect(sent).toBe(3)
})

test('while it is paused no canary is sent', async () => {
  let sent = 0
  const { prober } = proberOf({
    seeds: [SEED],
    probes: [{ ...PROBE, schedule: { kind: 'every', every: 20, jitter: 0 } }],
    scheduled: true,
    maxUndecided: 1_000,
    mailboxFor: () => new ScriptedMailbox(),
    submit: async options => {
      sent++
      return QUEUED(options)
    },
  })
  prober.pause()
  await running(prober)
  await new Promise(resolve => setTimeout(resolve, 100))
  expect(sent).toBe(0)
  prober.resume()
  await eventually(() => sent > 0, 'a canary')
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
