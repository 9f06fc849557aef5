import { expect, test } from 'vitest'

import { newId } from '../../src/base/id.ts'
import type { Canary } from '../../src/probe/model.ts'
import { mintToken } from '../../src/probe/token.ts'
import type { MessageFate } from '../../src/probe/trace.ts'
import { eventually } from '../support/server-process.ts'
import { found, QUEUED, running, ScriptedMailbox, SEED } from './scripted-mailbox.ts'
import { KEY, PROBE, proberOf, SEED_ADDRESS } from './world.ts'

/** A canary that is on record, as after a crash. */
function canaryOf(changes: Partial<Canary> = {}): Canary {
  const id = newId(() => Date.now() - 1_000)
  return {
    id,
    probe: PROBE.name,
    origin: 'relay',
    seed: 'example-1',
    provider: 'example',
    content: 'plain',
    token: mintToken(id, KEY),
    scheduledAt: Date.now(),
    submittedAt: 0,
    deadlineAt: Date.now() + 60_000,
    queueId: '',
    ...changes,
  }
}

test('a refusal of the provider that the relay knows of is a bounce, long before the deadline', async () => {
  const fate: MessageFate = {
    kind: 'bounced',
    at: Date.now(),
    reply: { code: 550, enhanced: '5.7.1', text: `<${SEED_ADDRESS}> looks like spam` },
    host: 'mx.example.net',
  }
  const asked: string[] = []
  const { prober, events } = proberOf({
    seeds: [SEED],
    submit: QUEUED,
    mailboxFor: () => new ScriptedMailbox(),
    traceOf: () => ({
      fate: async id => {
        asked.push(id)
        return fate
      },
    }),
  })
  await running(prober)
  const record = await prober.runOnce(PROBE.name)
  expect(record.verdict).toEqual({ kind: 'bounced', reply: fate.reply, stage: 'provider-refused' })
  expect(asked[0]).toBe('QUEUE-1')
  const verdict = events.find(event => event.kind === 'verdict')
  expect(verdict).toMatchObject({ detail: '550 5.7.1 <address> looks like spam' })
})

test('a rejection is a verdict at once, and its stage is the submission', async () => {
  const { prober, events } = proberOf({
    seeds: [SEED],
    mailboxFor: () => new ScriptedMailbox(),
    submit: async () => ({
      kind: 'rejected',
      cause: 'login',
      reply: { code: 535, enhanced: '5.7.8', text: 'no' },
    }),
  })
  await running(prober)
  const record = await prober.runOnce(PROBE.name)
  expect(record.verdict).toMatchObject({ kind: 'rejected', cause: 'login' })
  expect(events.filter(event => event.kind === 'verdict')).toMatchObject([
    { verdict: 'rejected', stage: 'submission' },
  ])
})

test('a submission that outlasts the deadline is not called our blindness meanwhile', async () => {
  const { prober } = proberOf({
    seeds: [SEED],
    mailboxFor: () => new ScriptedMailbox(),
    probes: [{ ...PROBE, deadline: 20 }],
    submit: async () => {
      await new Promise(resolve => setTimeout(resolve, 200))
      const reply = { code: 0, enhanced: '', text: 'no answer' }
      return { kind: 'rejected', cause: 'timeout', reply }
    },
  })
  await running(prober)
  const record = await prober.runOnce(PROBE.name)
  expect(record.verdict).toMatchObject({ kind: 'rejected', cause: 'timeout' })
})

test('a forged canary is reported, and counts for nothing', async () => {
  const mailbox = new ScriptedMailbox()
  const { prober, events, history } = proberOf({
    seeds: [SEED],
    submit: QUEUED,
    mailboxFor: () => mailbox,
    probes: [{ ...PROBE, deadline: 300 }],
  })
  await running(prober)
  const record = await prober.runOnce(PROBE.name, {
    onStage: stage => {
      if (stage.kind !== 'submitted') return
      mailbox.put.push(found(`Message-ID: <${mintToken(newId(Date.now), Buffer.from('x'))}@a>\r\n`))
    },
  })
  expect(record.verdict?.kind).toBe('missing')
  expect(events.filter(event => event.kind === 'forged-canary')).toHaveLength(1)
  expect((await history.find(record.canary.id))?.sightings).toEqual([])
})

test('a canary that turns up in the account of another seed has not arrived', async () => {
  const mailbox = new ScriptedMailbox()
  const other = new ScriptedMailbox()
  const { prober } = proberOf({
    seeds: [SEED, { ...SEED, name: 'example-2' }],
    submit: QUEUED,
    mailboxFor: seed => (seed.name === SEED.name ? mailbox : other),
    probes: [{ ...PROBE, deadline: 300 }],
  })
  await running(prober)
  const record = await prober.runOnce(PROBE.name, {
    onStage: stage => {
      if (stage.kind === 'begun') other.put.push(found(`X-Reference: ${stage.canary.token}\r\n`))
    },
  })
  expect(record.verdict?.kind).toBe('missing')
})

test('a look that was not complete decides no loss', async () => {
  const mailbox = new ScriptedMailbox()
  mailbox.reading = { complete: false, detail: 'UIDVALIDITY changed' }
  const { prober } = proberOf({
    seeds: [SEED],
    submit: QUEUED,
    mailboxFor: () => mailbox,
    probes: [{ ...PROBE, deadline: 200 }],
  })
  await running(prober)
  const record = await prober.runOnce(PROBE.name)
  expect(record.verdict).toEqual({ kind: 'unknown', reason: 'unreadable' })
  expect(record.decidedAt).toBeGreaterThan(record.canary.deadlineAt + 190)
})

test('a canary whose submission was cut off is unknown, or what it was seen to be', async () => {
  const mailbox = new ScriptedMailbox()
  const { prober, events, history } = proberOf({ seeds: [SEED], mailboxFor: () => mailbox })
  const lost = canaryOf({ deadlineAt: Date.now() + 100 })
  const seen = canaryOf({ scheduledAt: 1 })
  await history.begin(lost)
  await history.begin(seen)
  mailbox.put.push(found(`Message-ID: <${seen.token}@example.org>\r\n`))
  await running(prober)
  await eventually(() => events.filter(event => event.kind === 'verdict').length === 2, 'verdicts')
  expect((await history.find(lost.id))?.verdict).toEqual({
    kind: 'unknown',
    reason: 'prober-stopped',
  })
  const verdict = (await history.find(seen.id))?.verdict
  expect(verdict?.kind === 'arrived' ? verdict.seconds : -1).toBeCloseTo(1, 1)
})

test('a canary to a seed that is configured no more ends as unknown', async () => {
  const { prober, events, history } = proberOf({
    seeds: [SEED],
    mailboxFor: () => new ScriptedMailbox(),
  })
  const orphan = canaryOf({ seed: 'gone', submittedAt: 5, deadlineAt: Date.now() - 5_000 })
  await history.begin(orphan)
  await running(prober)
  await eventually(() => events.find(event => event.kind === 'verdict'), 'a verdict')
  expect((await history.find(orphan.id))?.verdict).toMatchObject({ kind: 'unknown' })
})

test('whoever follows a canary cannot keep it from its verdict', async () => {
  const { prober, events, history } = proberOf({
    seeds: [SEED],
    submit: QUEUED,
    mailboxFor: () => new ScriptedMailbox(),
    probes: [{ ...PROBE, deadline: 100 }],
  })
  await running(prober)
  const run = prober.runOnce(PROBE.name, {
    onStage: () => {
      throw new Error('a fault of the command')
    },
  })
  run.catch(() => undefined)
  await eventually(() => events.find(event => event.kind === 'verdict'), 'a verdict')
  expect((await history.list({ limit: 1 }))[0]?.verdict?.kind).toBe('missing')
})

test('a history that fails stops nothing: the watcher says so and looks again', async () => {
  const mailbox = new ScriptedMailbox()
  const { prober, events, history } = proberOf({
    seeds: [SEED],
    submit: QUEUED,
    mailboxFor: () => mailbox,
    probes: [{ ...PROBE, deadline: 60_000 }],
  })
  await running(prober)
  const looked = history.saveCursors.bind(history)
  let failures = 0
  history.saveCursors = async (...args) => {
    if (failures++ === 0) throw new Error('disk full')
    await looked(...args)
  }
  const record = await prober.runOnce(PROBE.name, {
    onStage: stage => {
      if (stage.kind === 'begun') mailbox.put.push(found(`X-Reference: ${stage.canary.token}\r\n`))
    },
  })
  expect(record.verdict?.kind).toBe('arrived')
  await eventually(() => failures > 1, 'another look')
  expect(events).toContainEqual({
    kind: 'probe-fault',
    part: 'seed example-1',
    cause: 'disk full',
  })
})
