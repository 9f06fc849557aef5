import { randomBytes } from 'node:crypto'

import { describe, expect, test } from 'vitest'

import { domainOf } from '../../src/mail/envelope.ts'
import type { Lease } from '../../src/relay/queue/store.ts'
import {
  BOUNCED,
  bodyOf,
  DEFERRED,
  DELIVERED,
  lease,
  leaseOne,
  message,
  put,
  settlement,
  T0,
} from './queue-store-samples.ts'
import type { OpenStore } from './queue-store-under-test.ts'

export function settlesAttempts(name: string, open: OpenStore): void {
  describe(`${name} settles attempts`, () => {
    test('a delivered message ends: record and timeline stay, the body goes', async () => {
      const { store } = await open()
      const made = await put(store, message(['bob@example.net']))
      const leased = await leaseOne(store)
      expect(await store.settle(leased, settlement(leased, DELIVERED))).toBe(true)
      const record = await store.find(made.id)
      expect(record?.recipients).toMatchObject([
        {
          state: 'delivered',
          lastReply: '250 2.0.0 Ok: queued as 4XY',
          lastHost: 'mx.example.net',
        },
      ])
      expect(record?.timeline.slice(1)).toEqual([
        {
          at: T0 + 1_000,
          kind: 'delivered',
          domain: 'example.net',
          host: 'mx.example.net',
          reply: '250 2.0.0 Ok: queued as 4XY',
          tls: 'TLSv1.3',
          note: '',
          recipients: [0],
        },
      ])
      await expect(bodyOf(store, made.id)).rejects.toThrow(/no body/)
      expect(await store.nextDue()).toBeUndefined()
      expect(await store.counts()).toEqual({
        queued: 0,
        active: 0,
        held: 0,
        oldestAt: undefined,
      })
    })

    test('a deferred delivery comes back at its time, knowing what was said', async () => {
      const { store } = await open()
      await put(store, message(['bob@example.net']))
      const first = await leaseOne(store)
      await store.settle(first, settlement(first, DEFERRED))
      expect(await lease(store, T0 + 299_999)).toEqual([])
      const second = await leaseOne(store, T0 + 300_000)
      expect(second).toMatchObject({ attempts: 1, indeterminate: false })
      expect(second.recipients).toMatchObject([{ delayReported: false, lastReply: DEFERRED.reply }])
    })

    test('an attempt that ended after the final dot marks every later one', async () => {
      const { store } = await open()
      await put(store, message(['bob@example.net']))
      const first = await leaseOne(store)
      await store.settle(first, settlement(first, { ...DEFERRED, indeterminate: true }))
      const second = await leaseOne(store, T0 + 300_000)
      expect(second.indeterminate).toBe(true)
      await store.settle(second, settlement(second, DEFERRED, { dueAt: T0 + 400_000 }))
      expect((await leaseOne(store, T0 + 400_000)).indeterminate).toBe(true)
    })

    test('recipients that have ended are not attempted again; the rest keeps its body', async () => {
      const { store } = await open()
      const made = await put(
        store,
        message(['a@example.net', 'b@example.net', 'c@example.net', 'd@example.com']),
      )
      const first = (await lease(store)).find(l => l.domain === 'example.net') as Lease
      const results = [
        { index: 0, outcome: DELIVERED, next: 'delivered', delayReported: false },
        { index: 1, outcome: BOUNCED, next: 'bounced', delayReported: false },
        { index: 2, outcome: DEFERRED, next: 'queued', delayReported: true },
      ] as const
      await store.settle(first, settlement(first, DEFERRED, { results }))
      const later = await lease(store, T0 + 300_000)
      const second = later.find(l => l.domain === 'example.net') as Lease
      expect(second.recipients).toMatchObject([{ index: 2, delayReported: true }])
      expect(second.message.envelope.recipients).toHaveLength(4)
      await store.settle(second, settlement(second, DELIVERED))
      expect(await bodyOf(store, made.id)).not.toHaveLength(0)
      const last = later.find(l => l.domain === 'example.com') as Lease
      await store.settle(last, settlement(last, DELIVERED))
      await expect(bodyOf(store, made.id)).rejects.toThrow(/no body/)
      const states = (await store.find(made.id))?.recipients.map(({ state }) => state)
      expect(states).toEqual(['delivered', 'bounced', 'delivered', 'delivered'])
    })

    test('what an expired lease brings is refused once somebody else has the delivery', async () => {
      const { store } = await open()
      const made = await put(store, message(['bob@example.net']))
      const lost = await leaseOne(store)
      const held = await leaseOne(store, T0 + 60_000)
      const report = { message: message(['alice@example.org']), body: Buffer.from('report') }
      const result = settlement(lost, BOUNCED, { reports: [report] })
      expect(await store.settle(lost, result)).toBe(false)
      expect(await store.find(report.message.id)).toBeUndefined()
      expect((await store.find(made.id))?.timeline).toHaveLength(1)
      expect(await store.settle(held, settlement(held, DELIVERED))).toBe(true)
      expect(await store.settle(held, settlement(held, DELIVERED))).toBe(false)
    })

    test('reports exist in the commit that made them owed, or nothing does', async () => {
      const { store } = await open()
      const made = await put(store, message(['bob@example.net']))
      const leased = await leaseOne(store)
      const report = {
        message: { ...message(['alice@example.org'], T0 + 1_000), login: '' },
        body: randomBytes(100_000),
      }
      // The second has the id of a message that exists: it cannot be put.
      const impossible = { message: made, body: Buffer.from('x') }
      await expect(
        store.settle(leased, settlement(leased, BOUNCED, { reports: [report, impossible] })),
      ).rejects.toThrow()
      expect(await store.find(report.message.id)).toBeUndefined()
      expect((await store.find(made.id))?.recipients).toMatchObject([{ state: 'queued' }])
      await store.settle(leased, settlement(leased, BOUNCED, { reports: [report] }))
      expect(await bodyOf(store, report.message.id)).toEqual(report.body)
      expect((await store.find(made.id))?.timeline).toMatchObject([
        { kind: 'accepted' },
        { kind: 'bounced' },
        { kind: 'report', note: `report ${report.message.id} queued` },
      ])
      const due = await leaseOne(store, T0 + 1_000)
      expect(domainOf(due.message.envelope.recipients[0]?.address ?? '')).toBe('example.org')
    })

    test('recipients that fared alike share a line of the timeline', async () => {
      const { store } = await open()
      const made = await put(store, message(['a@example.net', 'b@example.net', 'c@example.net']))
      const leased = await leaseOne(store)
      await store.settle(leased, settlement(leased, DEFERRED))
      const timeline = (await store.find(made.id))?.timeline ?? []
      expect(timeline.slice(1)).toMatchObject([
        { kind: 'deferred', note: '3 recipients', recipients: [0, 1, 2] },
      ])
    })
  })
}
