import { rm } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import type { Prober } from '../../src/probe/prober.ts'
import { SqliteHistory } from '../../src/probe/sqlite-history.ts'
import type { Dovecot } from '../support/dovecot.ts'
import { makeScratch } from '../support/scratch.ts'
import { eventually, missing } from '../support/server-process.ts'
import { deliverTo, PROBE, proberOf, seedOf, startProvider } from './world.ts'

describe.skipIf(missing('dovecot'))('a prober and a real IMAP server', () => {
  let scratch: string
  let dovecot: Dovecot

  beforeAll(async () => {
    scratch = await makeScratch()
    dovecot = await startProvider(scratch, 'provider')
  })
  afterAll(async () => {
    await dovecot.stop()
    await rm(scratch, { recursive: true, force: true })
  })

  async function running(prober: Prober): Promise<Prober> {
    onTestFinished(() => prober.stop())
    await prober.start()
    return prober
  }

  test('a canary that is delivered to INBOX has arrived there', async () => {
    const { prober, events } = proberOf({ seeds: [seedOf(dovecot)], submit: deliverTo(dovecot) })
    await running(prober)
    const stages: string[] = []
    const record = await prober.runOnce(PROBE.name, { onStage: stage => stages.push(stage.kind) })
    expect(record.verdict).toMatchObject({
      kind: 'arrived',
      placement: 'inbox',
      arrivalSource: 'internaldate',
    })
    expect(record.sightings).toHaveLength(1)
    expect(stages.filter(stage => stage !== 'look')).toEqual(['begun', 'submitted', 'verdict'])
    expect(events.map(event => event.kind)).toContain('seed-up')
    expect(events.find(event => event.kind === 'verdict')).toMatchObject({ verdict: 'inbox' })
  })

  test('a canary that the provider files as junk is spam', async () => {
    const submit = deliverTo(dovecot, 'X-Spam: yes\r\n')
    const { prober } = proberOf({ seeds: [seedOf(dovecot)], submit })
    await running(prober)
    const record = await prober.runOnce(PROBE.name)
    expect(record.verdict).toMatchObject({ kind: 'arrived', placement: 'spam' })
    expect(record.sightings[0]?.folder).toBe('Junk')
  })

  test('a canary in any other folder is found before it counts as lost', async () => {
    const submit = deliverTo(dovecot, 'X-Folder: other\r\n')
    const probes = [{ ...PROBE, deadline: 1_500 }]
    const { prober } = proberOf({ seeds: [seedOf(dovecot)], submit, probes })
    await running(prober)
    const record = await prober.runOnce(PROBE.name)
    expect(record.verdict).toMatchObject({ kind: 'arrived', placement: 'other' })
  })

  test('a canary that is never seen is missing, and only after its deadline', async () => {
    const submit = deliverTo(dovecot, 'X-Lost: yes\r\n')
    const probes = [{ ...PROBE, deadline: 1_000 }]
    const { prober, history } = proberOf({ seeds: [seedOf(dovecot)], submit, probes })
    await running(prober)
    const record = await prober.runOnce(PROBE.name)
    expect(record.verdict).toEqual({ kind: 'missing', stage: 'submitted' })
    expect(record.decidedAt).toBeGreaterThan(record.canary.deadlineAt)
    const look = await history.lastLook('example-1')
    expect(look?.complete).toBe(true)
  })

  test('what arrives after it was decided missing is late, and still missing', async () => {
    let held: Buffer = Buffer.alloc(0)
    const { prober, events, history } = proberOf({
      seeds: [seedOf(dovecot)],
      probes: [{ ...PROBE, deadline: 1_000 }],
      submit: async options => {
        held = options.message
        return { kind: 'submitted', at: options.clock(), queueId: '' }
      },
    })
    await running(prober)
    const decided = await prober.runOnce(PROBE.name)
    expect(decided.verdict?.kind).toBe('missing')
    await dovecot.deliver(seedOf(dovecot).address, held)
    await eventually(() => events.find(event => event.kind === 'canary-late'), 'a late canary')
    const record = await history.find(decided.canary.id)
    expect(record?.verdict?.kind).toBe('missing')
    expect(record?.lateAt).toBeGreaterThan(0)
    expect(record?.sightings).toHaveLength(1)
  })

  test('a canary to a mailbox that cannot be read is unknown, never missing', async () => {
    const own = await startProvider(scratch, 'blind')
    const { prober, events } = proberOf({
      seeds: [seedOf(own)],
      submit: async options => ({ kind: 'submitted', at: options.clock(), queueId: '' }),
      probes: [{ ...PROBE, deadline: 1_000 }],
    })
    await running(prober)
    await eventually(() => events.find(event => event.kind === 'seed-up'), 'the first look')
    await own.stop()
    const record = await prober.runOnce(PROBE.name)
    expect(record.verdict).toEqual({ kind: 'unknown', reason: 'unreadable' })
    expect(events.map(event => event.kind)).toContain('seed-down')
  })

  test('a prober that has stopped is signed in no more', async () => {
    const before = await dovecot.imapPids()
    const { prober, history } = proberOf({ seeds: [seedOf(dovecot)] })
    await prober.start()
    await eventually(async () => (await history.cursors('example-1')).length > 0, 'the first look')
    const signedIn = async (): Promise<boolean> =>
      (await dovecot.imapPids()).some(pid => !before.includes(pid))
    expect(await signedIn()).toBe(true)
    await prober.stop()
    await eventually(async () => !(await signedIn()), 'the end of the session', 5_000)
  })

  test('a canary on its way when the prober ended is taken up again', async () => {
    const file = join(scratch, 'history.db')
    const seeds = [seedOf(dovecot)]
    let held: Buffer = Buffer.alloc(0)
    const first = proberOf({
      seeds,
      history: new SqliteHistory(file),
      submit: async options => {
        held = options.message
        return { kind: 'submitted', at: options.clock(), queueId: '' }
      },
    })
    await first.prober.start()
    const ended = first.prober.runOnce(PROBE.name)
    ended.catch(() => undefined)
    await eventually(
      () => first.events.find(event => event.kind === 'canary-submitted'),
      'the submission',
    )
    await first.prober.stop()
    await expect(ended).rejects.toThrow('the prober was stopped')
    await first.history.close()
    await dovecot.deliver(seeds[0]?.address ?? '', held)

    const second = proberOf({ seeds, history: new SqliteHistory(file) })
    await running(second.prober)
    const verdict = await eventually(
      () => second.events.find(event => event.kind === 'verdict'),
      'the verdict',
    )
    expect(verdict).toMatchObject({ verdict: 'inbox' })
  })
})
