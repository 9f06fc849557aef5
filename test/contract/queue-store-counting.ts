import { randomBytes } from 'node:crypto'

import { describe, expect, test } from 'vitest'

import { StoreUnavailable, type Lease, type NewMessage } from '../../src/relay/queue/store.ts'
import {
  bodyOf,
  DELIVERED,
  lease,
  leaseOne,
  message,
  put,
  settlement,
  T0,
} from './queue-store-samples.ts'
import type { OpenStore } from './queue-store-under-test.ts'

export function knowsItsSize(name: string, open: OpenStore): void {
  describe(`${name} knows its size`, () => {
    test('counts tell what waits, what is attempted, and since when', async () => {
      const { store } = await open()
      for (let i = 0; i < 5; i++) await put(store, message([`x@d${i}.example.net`], T0 + i))
      expect(await store.counts()).toEqual({ queued: 5, active: 0, held: 0, oldestAt: T0 })
      const [first] = await lease(store, T0 + 10, { limit: 2 })
      expect(await store.counts()).toMatchObject({ queued: 3, active: 2, held: 0 })
      await store.settle(first as Lease, settlement(first as Lease, DELIVERED))
      expect(await store.counts()).toEqual({ queued: 3, active: 1, held: 0, oldestAt: T0 + 1 })
    })

    test('a check changes nothing', async () => {
      const { store } = await open()
      await put(store, message(['bob@example.net']))
      await expect(store.check()).resolves.toBeUndefined()
      expect(await store.counts()).toMatchObject({ queued: 1, active: 0 })
      await store.close()
      await expect(store.check()).rejects.toBeInstanceOf(StoreUnavailable)
    })

    test('the sweep removes what ended before, and only that', async () => {
      const { store } = await open()
      const ended: NewMessage[] = []
      for (let i = 0; i < 3; i++) {
        const made = await put(store, message(['bob@example.net']))
        const leased = await leaseOne(store)
        await store.settle(leased, settlement(leased, DELIVERED, { at: T0 + i }))
        ended.push(made)
      }
      const alive = await put(store, message(['carol@example.net']))
      expect(await store.sweep(T0 + 2)).toBe(2)
      const found = await Promise.all([...ended, alive].map(({ id }) => store.find(id)))
      expect(found.map(record => record !== undefined)).toEqual([false, false, true, true])
      expect(await store.sweep(T0 + 2)).toBe(0)
      expect(await bodyOf(store, alive.id)).not.toHaveLength(0)
    })

    test('the sweep leaves a body alone that is still being written', async () => {
      const { store } = await open()
      const body = store.newBody()
      const content = randomBytes(200_000)
      await body.write(content)
      await store.sweep(T0 + 1e9)
      const made = message(['bob@example.net'])
      await store.put(made, body)
      expect((await bodyOf(store, made.id)).equals(content)).toBe(true)
    })
  })
}
