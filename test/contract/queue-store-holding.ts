import { describe, expect, test } from 'vitest'

import type { HoldTarget, QueueOperations } from '../../src/relay/queue/operations.ts'
import {
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

const ROOT = { by: 'root', at: T0 + 10_000 } as const
const LATER = { by: 'anna', at: T0 + 20_000 } as const

const EVERYTHING: HoldTarget = { kind: 'everything', value: '' }
const DOMAIN: HoldTarget = { kind: 'destination', value: 'example.net' }
const LOGIN: HoldTarget = { kind: 'login', value: 'alice' }

export function keepsBack(name: string, open: OpenStore): void {
  describe(`${name} keeps back`, () => {
    test.each([
      [EVERYTHING, []],
      [DOMAIN, ['example.com alice', 'example.com dora']],
      [LOGIN, ['example.com dora', 'example.net dora']],
    ] as const)(
      'with a hold on %o what is there and what comes, and no other',
      async (target, free) => {
        const { store } = await open()
        const fill = async (): Promise<void> => {
          for (const login of ['alice', 'dora']) {
            for (const domain of ['Example.net', 'example.com']) {
              await put(store, { ...message([`bob@${domain}`]), login })
            }
          }
        }
        await fill()
        expect(await store.hold(target, ROOT)).toBe(true)
        await fill()
        const counts = await store.counts()
        expect(counts).toMatchObject({ queued: 2 * free.length, active: 0 })
        expect(counts.held).toBe(8 - 2 * free.length)
        const leases = await lease(store, ROOT.at)
        const lanes = leases.map(l => `${l.domain} ${l.message.login}`)
        expect(lanes.toSorted()).toEqual([...free, ...free].toSorted())
        // What is being attempted is no longer due at all; nothing of the rest is.
        expect(await store.nextDue()).toBe(free.length === 0 ? undefined : ROOT.at + 60_000)
        for (const leased of leases) await store.settle(leased, settlement(leased, DELIVERED))

        expect(await store.lift(target, LATER)).toBe(true)
        expect(await store.counts()).toMatchObject({ queued: 8 - leases.length, held: 0 })
        expect(await store.nextDue()).toBe(T0)
        expect(await lease(store, LATER.at)).toHaveLength(8 - leases.length)
      },
    )

    test('what is being attempted when the hold comes is not disturbed, and not attempted again', async () => {
      const { store } = await open()
      await put(store, message(['bob@example.net']))
      await put(store, message(['carol@example.net']))
      const [first, second] = await lease(store)
      if (first === undefined || second === undefined) throw new Error('two deliveries were put')
      for (const target of [EVERYTHING, DOMAIN, LOGIN]) await store.hold(target, ROOT)
      expect(await store.counts()).toMatchObject({ queued: 0, active: 2, held: 0 })
      expect(await store.settle(first, settlement(first, DELIVERED))).toBe(true)
      expect(await store.settle(second, settlement(second, DEFERRED))).toBe(true)
      expect(await store.counts()).toMatchObject({ queued: 0, active: 0, held: 1 })
      for (const target of [EVERYTHING, DOMAIN, LOGIN]) {
        expect(await lease(store, T0 + 1e9), target.kind).toEqual([])
        await store.lift(target, LATER)
      }
      expect((await leaseOne(store, T0 + 1e9)).deliveryId).toBe(second.deliveryId)
    })

    test('a lease that expired, or was given back, is not given out while it is held', async () => {
      const { store } = await open()
      await put(store, message(['bob@example.net']))
      const first = await leaseOne(store)
      await store.hold(LOGIN, ROOT)
      expect(await lease(store, T0 + 1e9)).toEqual([])
      await store.giveBack(first, T0)
      expect(await lease(store, T0 + 1e9)).toEqual([])
      await store.lift(LOGIN, LATER)
      await leaseOne(store, LATER.at)
    })

    test('a hold survives a restart, and stands once', async context => {
      const { reopen, store } = await open()
      if (reopen === undefined) return context.skip()
      await put(store, message(['bob@example.net']))
      expect(await store.hold(DOMAIN, ROOT)).toBe(true)
      expect(await store.hold(DOMAIN, LATER)).toBe(false)
      await store.hold(EVERYTHING, LATER)
      const later = (await reopen()) as typeof store
      await put(later, message(['carol@example.net']))
      expect(await later.holds()).toEqual([
        { ...DOMAIN, ...ROOT, deliveries: 2 },
        { ...EVERYTHING, ...LATER, deliveries: 2 },
      ])
      await later.lift(EVERYTHING, LATER)
      expect(await lease(later, T0 + 1e9)).toEqual([])
    })

    test('only the same words end a hold', async () => {
      const { store } = await open()
      await put(store, message(['bob@example.net']))
      await store.hold(DOMAIN, ROOT)
      for (const target of [
        { kind: 'destination', value: 'exampel.net' },
        { kind: 'login', value: 'example.net' },
        EVERYTHING,
      ] as const) {
        expect(await store.lift(target, LATER)).toBe(false)
      }
      expect(await lease(store, T0 + 1e9)).toEqual([])
      expect(await store.lift(DOMAIN, LATER)).toBe(true)
      expect(await store.lift(DOMAIN, LATER)).toBe(false)
      expect(await store.holds()).toEqual([])
    })

    test('what two holds name waits for the end of both', async () => {
      const { store } = await open()
      const { id } = await put(store, message(['bob@example.net']))
      for (const target of [DOMAIN, LOGIN, EVERYTHING]) await store.hold(target, ROOT)
      await store.operate(id, { action: 'hold', ...ROOT })
      for (const target of [LOGIN, EVERYTHING, DOMAIN]) {
        await store.lift(target, LATER)
        expect(await lease(store, T0 + 1e9)).toEqual([])
      }
      expect(await store.counts()).toMatchObject({ queued: 0, held: 1 })
      await store.operate(id, { action: 'release', ...LATER })
      await leaseOne(store, LATER.at)
    })

    test('a message released or retried by itself stays behind a hold that stands', async () => {
      const { store } = await open()
      const { id } = await put(store, message(['bob@example.net']))
      await store.hold(LOGIN, ROOT)
      expect(await store.operate(id, { action: 'retry', ...ROOT })).toEqual({ changed: 0, busy: 0 })
      expect(await store.operate(id, { action: 'release', ...ROOT })).toMatchObject({ changed: 0 })
      expect(await lease(store, T0 + 1e9)).toEqual([])
      expect(await store.operate(id, { action: 'drop', ...ROOT })).toMatchObject({ changed: 1 })
      expect(await store.counts()).toMatchObject({ queued: 0, held: 0 })
    })

    test('the end of a hold changes neither the order nor the times of what waited', async () => {
      const { store } = await open()
      await store.hold(DOMAIN, ROOT)
      for (const [at, login] of [
        [3_000, 'alice'],
        [1_000, 'dora'],
        [2_000, 'alice'],
        [1_500, 'erin'],
        [90_000, 'dora'],
      ] as const) {
        await put(store, { ...message(['bob@example.net'], T0 + at), login })
      }
      expect(await lease(store, T0 + 1e9)).toEqual([])
      await store.lift(DOMAIN, ROOT)
      const first = await lease(store, T0 + 5_000, { limit: 3 })
      const rest = await lease(store, T0 + 5_000)
      const order = [...first, ...rest].map(l => l.message.acceptedAt - T0)
      expect(order).toEqual([1_000, 1_500, 2_000, 3_000])
      expect(await store.nextDue()).toBe(T0 + 5_000 + 60_000)
      expect(await lease(store, T0 + 64_000)).toEqual([])
    })

    test('a message accepted but kept back by a policy says why, and waits for an operator', async () => {
      const { store } = await open()
      const hold = '200 messages within an hour'
      const { id } = await put(store, { ...message(['bob@example.net', 'c@example.com']), hold })
      expect(await lease(store, T0 + 1e9)).toEqual([])
      expect(await store.nextDue()).toBeUndefined()
      expect(await store.counts()).toEqual({ queued: 0, active: 0, held: 2, oldestAt: T0 })
      const record = await store.find(id)
      expect(record?.recipients).toMatchObject([
        { state: 'held', kept: hold },
        { state: 'held', kept: hold },
      ])
      expect(record?.timeline).toMatchObject([{ kind: 'accepted', note: `held: ${hold}` }])
      expect(record?.message).not.toHaveProperty('hold')
      expect(await store.operate(id, { action: 'release', ...ROOT })).toEqual({
        changed: 2,
        busy: 0,
      })
      expect(await lease(store, ROOT.at)).toHaveLength(2)
      expect((await store.find(id))?.recipients).toMatchObject([{ active: true }, { active: true }])
    })

    test('who set and who lifted a hold is part of the life of each message it concerned', async () => {
      const { store } = await open()
      const { id } = await put(store, message(['bob@example.net']))
      const other = await put(store, { ...message(['bob@example.com']), login: 'dora' })
      await store.hold(LOGIN, ROOT)
      expect((await store.find(id))?.recipients[0]?.kept).toBe('hold on login alice by root')
      await store.lift(LOGIN, LATER)
      await store.hold(DOMAIN, LATER)
      const after = await put(store, { ...message(['x@example.net'], LATER.at + 1), login: 'dora' })
      expect(await notes(store, id)).toEqual([
        [ROOT.at, 'hold on login alice set by root'],
        [LATER.at, 'hold on login alice lifted by anna'],
        [LATER.at, 'hold on example.net set by anna'],
      ])
      expect(await notes(store, other.id)).toEqual([])
      expect(await notes(store, after.id)).toEqual([])
      const [listed] = await store.list({ limit: 1, of: { kind: 'message', value: after.id } })
      expect(listed).toMatchObject({ state: 'held', kept: 'hold on example.net by anna' })
    })

    async function notes(
      store: Awaited<ReturnType<OpenStore>>['store'] & QueueOperations,
      id: string,
    ): Promise<unknown> {
      const entries = (await store.find(id))?.timeline ?? []
      return entries.filter(({ kind }) => kind === 'operator').map(({ at, note }) => [at, note])
    }
  })
}
