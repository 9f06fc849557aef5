import { describe, expect, test } from 'vitest'

import { lease, leaseOne, message, put, T0 } from './queue-store-samples.ts'
import type { OpenStore } from './queue-store-under-test.ts'

export function leasesDeliveries(name: string, open: OpenStore): void {
  describe(`${name} leases deliveries`, () => {
    test('recipients of one domain are one delivery, of two domains two', async () => {
      const { store } = await open()
      await put(store, message(['a@example.net', 'b@EXAMPLE.NET', 'c@example.com']))
      const leases = await lease(store)
      const shape = leases.map(l => [l.domain, l.recipients.map(({ index }) => index)] as const)
      expect(new Map(shape)).toEqual(
        new Map([
          ['example.com', [2]],
          ['example.net', [0, 1]],
        ]),
      )
    })

    test('a leased delivery is nobody else’s until the lease ends, and then is a possible duplicate', async () => {
      const { store } = await open()
      await put(store, message(['bob@example.net']))
      const first = await leaseOne(store)
      expect(first).toMatchObject({ until: T0 + 60_000, attempts: 0, indeterminate: false })
      expect(await lease(store, T0 + 59_999)).toEqual([])
      expect(await store.nextDue()).toBe(T0 + 60_000)
      const second = await leaseOne(store, T0 + 60_000)
      expect(second.deliveryId).toBe(first.deliveryId)
      expect(second.token).not.toBe(first.token)
      expect(second.indeterminate).toBe(true)
    })

    test('callers at the same moment never get the same delivery', async () => {
      const { store } = await open()
      await Promise.all(
        Array.from({ length: 60 }, (_, i) => put(store, message([`x@d${i % 7}.example.net`]))),
      )
      const taken = await Promise.all(
        Array.from({ length: 8 }, () => lease(store, T0, { limit: 9 })),
      )
      const ids = taken.flat().map(({ deliveryId }) => deliveryId)
      expect(ids).toHaveLength(60)
      expect(new Set(ids).size).toBe(60)
    })

    test('what is not due yet is not leased; the oldest due comes first', async () => {
      const { store } = await open()
      for (const [at, domain] of [
        [3_000, 'c'],
        [1_000, 'a'],
        [2_000, 'b'],
        [2_500, 'a'],
      ] as const) {
        await put(store, message([`x@${domain}.example.net`], T0 + at))
      }
      expect(await lease(store, T0 + 999)).toEqual([])
      expect(await store.nextDue()).toBe(T0 + 1_000)
      const order = (await lease(store, T0 + 3_000, { perDomain: 1 })).map(l => l.domain)
      expect(order).toEqual(['a.example.net', 'b.example.net', 'c.example.net'])
      const within = await lease(store, T0 + 3_000)
      expect(within.map(l => l.message.acceptedAt)).toEqual([T0 + 2_500])
    })

    test('no domain gets more than its share, and a full one does not stop the others', async () => {
      const { store } = await open()
      for (let i = 0; i < 10; i++) await put(store, message(['x@big.example.net'], T0 + i))
      await put(store, message(['y@small.example.net'], T0 + 100))
      const running = new Map([['big.example.net', 2]])
      const some = await lease(store, T0 + 200, { perDomain: 5, running, limit: 50 })
      const share = some.map(l => l.domain)
      expect(share.filter(domain => domain === 'big.example.net')).toHaveLength(3)
      expect(share).toContain('small.example.net')
      running.set('big.example.net', 5)
      expect(await lease(store, T0 + 200, { perDomain: 5, running })).toEqual([])
      expect(await store.nextDue()).toBe(T0 + 5 - 2)
      expect(await store.nextDue(['big.example.net'])).toBe(T0 + 200 + 60_000)
      expect(await lease(store, T0 + 200, { limit: 1 })).toHaveLength(1)
    })

    test('a lease given back is due again when told, as if nothing had been', async () => {
      const { store } = await open()
      await put(store, message(['bob@example.net']))
      const first = await leaseOne(store)
      await store.giveBack(first, T0 + 5_000)
      expect(await store.nextDue()).toBe(T0 + 5_000)
      const second = await leaseOne(store, T0 + 5_000)
      expect(second).toMatchObject({ attempts: 0, indeterminate: false })
      // A lease that is lost gives nothing back.
      await store.giveBack(first, T0)
      expect(await lease(store, T0 + 5_001)).toEqual([])
    })
  })
}
