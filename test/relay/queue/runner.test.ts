import { describe, expect, test } from 'vitest'

import { DAY, HOUR, MINUTE } from '../../../src/base/clock.ts'
import {
  BOUNCED,
  DEFERRED,
  DELIVERED,
  put,
  message,
  T0,
} from '../../contract/queue-store-samples.ts'
import { eventually } from '../../support/server-process.ts'
import { allAre, makeRig } from './runner-rig.ts'
import { untilAborted } from './scripted-transport.ts'

describe('the way of a message', () => {
  test('what is put is delivered, and told of', async () => {
    const rig = await makeRig()
    await rig.runner.start()
    const { id } = await rig.put(['bob@example.net', 'carol@example.com'])
    await rig.until(id, allAre('delivered'))
    expect(rig.transport.deliveries.map(d => d.content)).toEqual(
      Array(2).fill('Subject: hello\r\n\r\nhello\r\n'),
    )
    expect(rig.transport.deliveries[0]?.consignment).toMatchObject({
      id,
      domain: expect.stringMatching(/^example/) as string,
      reversePath: 'alice@example.org',
      recipients: [{ index: expect.any(Number) as number }],
    })
    await eventually(() => rig.eventsOf('settled').length === 2, 'two settled events')
    expect(rig.eventsOf('attempt')[0]).toMatchObject({
      id,
      outcome: 'delivered',
      provider: 'example',
      recipients: 1,
      possibleDuplicate: false,
    })
  })

  test('a deferred one is tried again when it is due, not before', async () => {
    const rig = await makeRig()
    rig.transport.behaviour = () => [DEFERRED]
    await rig.runner.start()
    const { id } = await rig.put(['bob@example.net'])
    const first = await rig.until(id, record => record.recipients[0]?.attempts === 1)
    expect(first.recipients).toMatchObject([{ state: 'queued', dueAt: T0 + MINUTE }])
    rig.transport.behaviour = () => [DELIVERED]
    rig.at(MINUTE - 1)
    await rig.put(['carol@example.com'])
    await eventually(() => rig.transport.deliveries.length === 2, 'the other delivery')
    expect((await rig.store.find(id))?.recipients).toMatchObject([{ state: 'queued' }])
    rig.at(MINUTE)
    await rig.until(id, allAre('delivered'))
  })

  test('a refusal is reported to the sender by a message of its own, which is delivered like any other', async () => {
    const rig = await makeRig()
    rig.transport.behaviour = ({ domain }) => [domain === 'example.net' ? BOUNCED : DELIVERED]
    await rig.runner.start()
    const { id } = await rig.put(['bob@example.net'])
    await eventually(() => rig.transport.deliveries.length === 2, 'the report')
    const [, report] = rig.transport.deliveries
    expect(report?.consignment).toMatchObject({
      reversePath: '',
      recipients: [{ address: 'alice@example.org', notify: [] }],
    })
    expect(report?.content).toMatch(/^Final-Recipient: rfc822; ?bob@example\.net\r$/m)
    expect(report?.content).toMatch(/^Status: 5\.1\.1\r$/m)
    expect(report?.content).toContain('Subject: hello')
    const [queued] = rig.eventsOf('report-queued')
    expect(queued).toMatchObject({ about: id, id: report?.consignment.id })
  })

  test('after five days it is given up, with the last reply', async () => {
    const rig = await makeRig({ retry: { schedule: [MINUTE, 12 * HOUR] } })
    rig.transport.behaviour = ({ domain }) => [domain === 'example.net' ? DEFERRED : DELIVERED]
    await rig.runner.start()
    const { id } = await rig.put(['bob@example.net'], {
      envelope: {
        ...message([]).envelope,
        recipients: [{ address: 'bob@example.net', notify: ['failure'] }],
      },
    })
    for (let tries = 1; ; tries++) {
      const record = await rig.until(id, ({ recipients: [only] }) => only?.attempts === tries)
      const [only] = record.recipients
      if (only?.state === 'bounced') break
      rig.at((only?.dueAt ?? 0) - T0)
    }
    await eventually(
      () => rig.transport.deliveries.at(-1)?.consignment.reversePath === '',
      'a report',
    )
    const report = rig.transport.deliveries.at(-1)?.content
    expect(report).toMatch(/^Status: [45]\.4\.7\r$/m)
    expect(report).toMatch(/^Diagnostic-Code: smtp; 451 4\.7\.1 Greylisted\r$/m)
    const timeline = (await rig.store.find(id))?.timeline
    expect(timeline?.at(-2)).toMatchObject({ kind: 'bounced', note: 'given up', at: T0 + 5 * DAY })
  })

  test('a delay is reported once', async () => {
    const rig = await makeRig()
    rig.transport.behaviour = ({ domain }) => [domain === 'example.net' ? DEFERRED : DELIVERED]
    await rig.runner.start()
    const { id } = await rig.put(['bob@example.net'])
    for (let tries = 1; tries <= 10; tries++) {
      const record = await rig.until(id, ({ recipients: [only] }) => only?.attempts === tries)
      // The clock must not run past the lease of a report that is under way, or about to be.
      await eventually(async () => {
        const { queued, active } = await rig.store.counts()
        return active === 0 && queued === 1
      }, 'no attempt under way')
      rig.at((record.recipients[0]?.dueAt ?? 0) - T0)
    }
    const reports = rig.transport.deliveries.filter(d => d.consignment.reversePath === '')
    expect(reports).toHaveLength(1)
    expect(reports[0]?.content).toMatch(/^Action: delayed\r$/m)
    expect(rig.eventsOf('report-queued')).toHaveLength(1)
  })

  test('a report that cannot be delivered is told to the postmaster, and not reported again', async () => {
    const rig = await makeRig()
    rig.transport.behaviour = () => [BOUNCED]
    await rig.runner.start()
    await rig.put(['bob@example.net'])
    await eventually(() => rig.eventsOf('report-undeliverable').length === 1, 'the event')
    const [event] = rig.eventsOf('report-undeliverable')
    expect(event).toMatchObject({ reply: '550 5.1.1 No such user' })
    expect(rig.transport.deliveries).toHaveLength(2)
    expect(await rig.store.counts()).toMatchObject({ queued: 0, active: 0 })
  })

  test('an attempt after one that ended without a reply says that it may be a second copy', async () => {
    const rig = await makeRig()
    rig.transport.behaviour = () => [{ ...DEFERRED, indeterminate: true }]
    await rig.runner.start()
    const { id } = await rig.put(['bob@example.net'])
    await rig.until(id, ({ recipients: [only] }) => only?.attempts === 1)
    rig.transport.behaviour = () => [DELIVERED]
    rig.at(HOUR)
    await rig.until(id, allAre('delivered'))
    await eventually(() => rig.eventsOf('attempt').length === 2, 'two attempts')
    expect(rig.eventsOf('attempt').map(e => e.possibleDuplicate)).toEqual([false, true])
  })
})

describe('limits', () => {
  test('a slow domain takes its share and no more, and the others go on', async () => {
    const rig = await makeRig()
    rig.transport.behaviour = (consignment, signal) =>
      consignment.domain === 'slow.example.net'
        ? untilAborted(DEFERRED)(consignment, signal)
        : [DELIVERED]
    for (let i = 0; i < 30; i++) await put(rig.store, message(['x@slow.example.net'], T0 - 1))
    const quick = []
    for (let i = 0; i < 30; i++) quick.push(await put(rig.store, message([`x@q${i}.example.com`])))
    await rig.runner.start()
    for (const { id } of quick) await rig.until(id, allAre('delivered'))
    expect(rig.transport.mostPerDomain).toBe(3)
    expect(rig.transport.mostAtOnce).toBeLessThanOrEqual(10)
  })

  test('never more at once than allowed, and all get their turn', async () => {
    const rig = await makeRig({ concurrency: { total: 4, perDomain: 2 } })
    rig.transport.behaviour = async ({ recipients }) => {
      await new Promise(resolve => setImmediate(resolve))
      return recipients.map(() => DELIVERED)
    }
    await rig.runner.start()
    const made = await Promise.all(
      Array.from({ length: 60 }, (_, i) => rig.put([`x@d${i % 5}.example.net`])),
    )
    for (const { id } of made) await rig.until(id, allAre('delivered'))
    expect(rig.transport.mostAtOnce).toBe(4)
    expect(rig.transport.mostPerDomain).toBe(2)
  })
})
