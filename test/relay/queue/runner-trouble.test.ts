import { describe, expect, test } from 'vitest'

import { DAY, HOUR, MINUTE } from '../../../src/base/clock.ts'
import { StoreUnavailable } from '../../../src/relay/queue/store.ts'
import { bodyOf, DEFERRED, DELIVERED, lease, T0 } from '../../contract/queue-store-samples.ts'
import { eventually } from '../../support/server-process.ts'
import { allAre, makeRig } from './runner-rig.ts'
import { untilAborted } from './scripted-transport.ts'

describe('trouble', () => {
  test('a fault of a transport is a try, so that its message grows old like any other', async () => {
    const rig = await makeRig()
    rig.transport.behaviour = () => {
      throw new Error('cannot read property of undefined')
    }
    await rig.runner.start()
    const { id } = await rig.put(['bob@example.net'])
    await rig.until(id, ({ recipients: [only] }) => only?.attempts === 1)
    expect(await rig.store.counts()).toMatchObject({ queued: 1, active: 0 })
    expect(rig.eventsOf('relay-fault')).toMatchObject([
      { cause: expect.stringContaining('cannot read property') as string },
    ])
  })

  test('a transport that gives too few outcomes loses nobody', async () => {
    const rig = await makeRig()
    rig.transport.behaviour = () => [DELIVERED]
    await rig.runner.start()
    const { id } = await rig.put(['bob@example.net', 'carol@example.net'])
    const record = await rig.until(id, ({ recipients: [only] }) => only?.attempts === 1)
    expect(record.recipients.map(({ state }) => state)).toEqual(['queued', 'queued'])
  })

  test('while the store is away nothing is begun; it goes on by itself, and says so once', async () => {
    let away = true
    const rig = await makeRig({}, store => {
      const lease = store.lease.bind(store)
      store.lease = request =>
        away ? Promise.reject(new StoreUnavailable('away', { full: false })) : lease(request)
      return store
    })
    // Put before, so that it has to be leased.
    const { id } = await rig.put(['bob@example.net'])
    await rig.runner.start()
    await eventually(() => rig.eventsOf('relay-fault').length > 0, 'the fault')
    for (let i = 0; i < 5; i++) rig.at(i)
    expect(rig.transport.deliveries).toHaveLength(0)
    away = false
    await rig.until(id, allAre('delivered'))
    expect(rig.eventsOf('relay-fault')).toHaveLength(1)
  })

  test('a result that the store did not take is kept until it does: no second copy', async () => {
    let failures = 3
    const rig = await makeRig({}, store => {
      const settle = store.settle.bind(store)
      store.settle = (lease, settlement) =>
        failures-- > 0
          ? Promise.reject(new StoreUnavailable('full', { full: true }))
          : settle(lease, settlement)
      return store
    })
    await rig.runner.start()
    const { id } = await rig.put(['bob@example.net'])
    await rig.until(id, allAre('delivered'))
    expect(failures).toBeLessThan(0)
    expect(rig.transport.deliveries).toHaveLength(1)
  })

  test('a body that is lost is reported like any failure, not tried for ever', async () => {
    const rig = await makeRig({ retry: { schedule: [MINUTE], giveUpAfter: MINUTE } }, store => {
      const body = store.body.bind(store)
      store.body = id => (id === lost ? body('NOSUCHMESSAGE000') : body(id))
      return store
    })
    let lost = ''
    rig.at(0)
    lost = (await rig.put(['bob@example.net'])).id
    await rig.runner.start()
    await rig.until(lost, ({ recipients: [only] }) => only?.attempts === 1)
    rig.at(HOUR)
    await rig.until(lost, allAre('bounced'))
    await eventually(() => rig.transport.deliveries.length === 1, 'the report')
    expect(rig.transport.deliveries[0]?.consignment.reversePath).toBe('')
  })

  test('a fault of ours while the result is worked out still gives the lease back', async () => {
    const rig = await makeRig({}, store => {
      store.settle = () => Promise.reject(new TypeError('no such thing'))
      return store
    })
    await rig.runner.start()
    await rig.put(['bob@example.net'])
    await eventually(() => rig.eventsOf('relay-fault').length === 1, 'the fault')
    await eventually(async () => (await rig.store.counts()).active === 0, 'the lease to be back')
    expect(await rig.store.nextDue()).toBe(T0 + HOUR)
  })

  test('a body that the store cannot give now is not a try', async () => {
    let away = true
    const rig = await makeRig({}, store => {
      const body = store.body.bind(store)
      store.body = id => {
        if (away) throw new StoreUnavailable('away', { full: false })
        return body(id)
      }
      return store
    })
    const { id } = await rig.put(['bob@example.net'])
    await rig.runner.start()
    await eventually(() => rig.eventsOf('relay-fault').length > 0, 'the fault')
    away = false
    rig.at(MINUTE)
    const record = await rig.until(id, allAre('delivered'))
    expect(record.recipients).toMatchObject([{ attempts: 1 }])
  })
})

describe('the end', () => {
  test('stop lets what runs finish', async () => {
    const rig = await makeRig()
    let finish: () => void = () => undefined
    rig.transport.behaviour = async () => {
      await new Promise<void>(resolve => (finish = resolve))
      return [DELIVERED]
    }
    await rig.runner.start()
    const { id } = await rig.put(['bob@example.net'])
    await eventually(() => rig.transport.deliveries.length === 1, 'the delivery')
    const stopped = rig.runner.stop()
    await rig.put(['carol@example.com'])
    finish()
    await stopped
    expect((await rig.store.find(id))?.recipients).toMatchObject([{ state: 'delivered' }])
    expect(rig.transport.deliveries).toHaveLength(1)
  })

  test('what does not finish in time is aborted and given back untouched', async () => {
    const rig = await makeRig({ stopGrace: 20 })
    rig.transport.behaviour = untilAborted({
      ...DEFERRED,
      reply: { code: 0, enhanced: '', text: '' },
    })
    await rig.runner.start()
    const { id } = await rig.put(['bob@example.net'])
    await eventually(() => rig.transport.deliveries.length === 1, 'the delivery')
    await rig.runner.stop()
    expect(await rig.store.counts()).toMatchObject({ queued: 1, active: 0 })
    const [again] = await lease(rig.store)
    expect(again).toMatchObject({ attempts: 0, indeterminate: false, message: { id } })
    expect(await bodyOf(rig.store, id)).not.toHaveLength(0)
  })

  test('what was aborted after the final dot is stored as such', async () => {
    const rig = await makeRig({ stopGrace: 20 })
    const lost = {
      ...DEFERRED,
      reply: { code: 0, enhanced: '', text: 'lost' },
      indeterminate: true,
    }
    rig.transport.behaviour = untilAborted(lost)
    await rig.runner.start()
    await rig.put(['bob@example.net'])
    await eventually(() => rig.transport.deliveries.length === 1, 'the delivery')
    await rig.runner.stop()
    const [again] = await lease(rig.store, T0 + DAY)
    expect(again).toMatchObject({ attempts: 1, indeterminate: true })
  })

  test('an attempt is aborted before its lease ends', async () => {
    const rig = await makeRig({ leaseDuration: 50 })
    rig.transport.behaviour = untilAborted(DEFERRED)
    await rig.runner.start()
    const { id } = await rig.put(['bob@example.net'])
    await rig.until(id, ({ recipients: [only] }) => only?.attempts === 1)
  })

  test('stop before start, and twice, is nothing', async () => {
    const rig = await makeRig()
    await rig.runner.stop()
    await rig.runner.start()
    await rig.put(['bob@example.net'])
    await rig.runner.stop()
    expect(rig.transport.deliveries).toHaveLength(0)
  })
})
