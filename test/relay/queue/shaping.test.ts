import { describe, expect, test } from 'vitest'

import { HOUR, MINUTE, SECOND } from '../../../src/base/clock.ts'
import type { Outcome } from '../../../src/mail/outcome.ts'
import type { Shaping } from '../../../src/mail/provider.ts'
import type { ShapingOptions } from '../../../src/relay/queue/shaper.ts'
import { DEFERRED, DELIVERED, T0 } from '../../contract/queue-store-samples.ts'
import { eventually } from '../../support/server-process.ts'
import { allAre, makeRig, type Rig } from './runner-rig.ts'

const SLOW_DOWN: Outcome = {
  ...DEFERRED,
  reply: { code: 421, enhanced: '4.7.28', text: 'unusual rate' },
  class: 'rate',
}

/** All domains of one provider, but for those that begin with `other`. */
function shaping(limits: Partial<Shaping>, more: Partial<ShapingOptions> = {}): ShapingOptions {
  return {
    siteOf: async domain =>
      domain.startsWith('other')
        ? { name: domain, provider: 'other' }
        : { name: 'big', provider: 'big' },
    limitsOf: () => ({
      connections: Infinity,
      messagesPerConnection: 20,
      messagesPerMinute: Infinity,
      ...limits,
    }),
    pauseOf: () => undefined,
    ...more,
  }
}

/** A next hop that answers nothing before it is let. */
function gate(rig: Rig): { readonly open: () => void } {
  const waiting: (() => void)[] = []
  let isOpen = false
  rig.transport.behaviour = async ({ recipients }) => {
    if (!isOpen) await new Promise<void>(resolve => waiting.push(resolve))
    return recipients.map(() => DELIVERED)
  }
  return {
    open: () => {
      isOpen = true
      for (const go of waiting) go()
    },
  }
}

describe('shaping by provider', () => {
  test('what is put for a provider that takes no more waits: it is not leased only to be given back', async () => {
    let givenBack = 0
    const rig = await makeRig({ shaping: shaping({ connections: 2 }) }, store => {
      const giveBack = store.giveBack.bind(store)
      store.giveBack = (...of) => {
        givenBack++
        return giveBack(...of)
      }
      return store
    })
    await rig.runner.start()
    // From now on it is known whose domain it is.
    const first = await rig.put(['bob@d0.example.net'])
    await rig.until(first.id, allAre('delivered'))
    const { open } = gate(rig)
    const made = []
    for (let i = 0; i < 6; i++) made.push(await rig.put(['bob@d0.example.net']))
    await eventually(() => rig.transport.deliveries.length === 3, 'two more')
    open()
    for (const { id } of made) await rig.until(id, allAre('delivered'))
    expect(givenBack).toBe(0)
  })

  test('connections are counted over all domains of a provider, and others do not wait for it', async () => {
    const rig = await makeRig({ shaping: shaping({ connections: 2 }) })
    const { open } = gate(rig)
    const made = []
    for (let i = 0; i < 6; i++) made.push(await rig.put([`bob@d${i}.example.net`]))
    const other = await rig.put(['bob@other.example.com'])
    await rig.runner.start()
    await eventually(() => rig.transport.deliveries.length === 3, 'two and the other')
    expect(rig.runner.sites()).toMatchObject([
      { name: 'big', running: 2, connections: 2 },
      { name: 'other.example.com', running: 1 },
    ])
    open()
    for (const { id } of [...made, other]) await rig.until(id, allAre('delivered'))
    // What was given back was no attempt.
    for (const { id } of made) {
      expect((await rig.store.find(id))?.recipients).toMatchObject([{ attempts: 1 }])
    }
    // Six domains at once were one too many without the provider's limit: four may be there with the other.
    expect(rig.transport.mostAtOnce).toBe(3)
  })

  test('messages leave at the rate of the provider, and the queue is not leased in vain', async () => {
    const rig = await makeRig({ shaping: shaping({ messagesPerMinute: 6 }) })
    for (let i = 0; i < 4; i++) await rig.put([`bob${i}@example.net`])
    await rig.runner.start()
    await eventually(() => rig.transport.deliveries.length === 1, 'the first')
    for (const n of [2, 3, 4]) {
      rig.at((n - 1) * 10 * SECOND - 1)
      await rig.put([`bob@other${n}.example.com`])
      await eventually(() => rig.transport.deliveries.length === 2 * n - 2, 'the other')
      rig.at((n - 1) * 10 * SECOND)
      await eventually(() => rig.transport.deliveries.length === 2 * n - 1, `number ${n}`)
    }
  })

  test('the runner comes by itself when the rate lets the next one go', async () => {
    const rig = await makeRig({ clock: Date.now, shaping: shaping({ messagesPerMinute: 240 }) })
    await rig.runner.start()
    const made = []
    for (let i = 0; i < 6; i++) made.push(await rig.put([`bob${i}@example.net`]))
    for (const { id } of made) await rig.until(id, allAre('delivered'))
  })

  test('a provider that objects gets less at once, is told of, and gets more again step by step', async () => {
    const rig = await makeRig({
      shaping: shaping({ connections: 8 }),
      retry: { schedule: [SECOND] },
      concurrency: { total: 20, perDomain: 10 },
    })
    rig.transport.behaviour = () => [SLOW_DOWN]
    const { id } = await rig.put(['bob@example.net'])
    await rig.runner.start()
    await eventually(() => rig.eventsOf('slowed-down').length === 1, 'the objection told')
    expect(rig.eventsOf('slowed-down')).toEqual([
      {
        kind: 'slowed-down',
        name: 'big',
        provider: 'big',
        running: 1,
        connections: 4,
        messagesPerMinute: 60,
        level: 1,
        pausedUntil: 0,
        reply: '421 4.7.28 unusual rate',
      },
    ])
    rig.transport.behaviour = ({ recipients }) => recipients.map(() => DELIVERED)
    rig.at(2 * SECOND)
    await rig.until(id, allAre('delivered'))
    rig.at(15 * MINUTE)
    expect(rig.runner.sites()).toMatchObject([{ level: 0, connections: 8, reply: '' }])
    expect(rig.runner.sites()[0]).not.toHaveProperty('messagesPerMinute')
  })

  test('a provider that wants silence gets none of its domains’ mail, and all of it afterwards', async () => {
    const pauseOf = (reply: { text: string }): number | undefined =>
      reply.text === 'unusual rate' ? 2 * HOUR : undefined
    const rig = await makeRig({ shaping: shaping({}, { pauseOf }), retry: { schedule: [SECOND] } })
    rig.transport.behaviour = ({ domain }) => [domain === 'one.example.net' ? SLOW_DOWN : DELIVERED]
    await rig.put(['bob@two.example.net'])
    const one = await rig.put(['bob@one.example.net'])
    await rig.runner.start()
    await rig.until(one.id, ({ recipients }) => recipients[0]?.attempts === 1)
    const before = rig.transport.deliveries.length
    rig.at(HOUR)
    const two = await rig.put(['bob@two.example.net'])
    const other = await rig.put(['bob@other.example.com'])
    await rig.until(other.id, allAre('delivered'))
    expect(rig.transport.deliveries).toHaveLength(before + 1)
    expect(await rig.store.find(two.id)).toMatchObject({ recipients: [{ attempts: 0 }] })
    expect(rig.runner.sites(['two.example.net'])).toMatchObject([
      { name: 'big', pausedUntil: T0 + 2 * HOUR },
    ])
    rig.transport.behaviour = ({ recipients }) => recipients.map(() => DELIVERED)
    rig.at(2 * HOUR)
    await eventually(() => {
      rig.at(2 * HOUR + 10 * MINUTE)
      return rig.transport.deliveries.length >= before + 2
    }, 'mail after the pause')
    rig.at(3 * HOUR)
    await rig.until(two.id, allAre('delivered'))
    await rig.until(one.id, allAre('delivered'))
  })

  test('a name server that cannot tell whose a domain is delays nothing else', async () => {
    let answer = (): void => undefined
    const siteOf = async (domain: string) => {
      if (domain === 'dark.example.net') await new Promise<void>(resolve => (answer = resolve))
      return { name: domain, provider: 'other' }
    }
    const rig = await makeRig({ shaping: shaping({}, { siteOf }) })
    await rig.put(['bob@dark.example.net'])
    const { id } = await rig.put(['bob@example.com'])
    await rig.runner.start()
    await rig.until(id, allAre('delivered'))
    answer()
  })
})
