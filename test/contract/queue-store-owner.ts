import { describe, expect, test } from 'vitest'

import type { NewMessage } from '../../src/relay/queue/store.ts'
import {
  BOUNCED,
  DEFERRED,
  DELIVERED,
  leaseOne,
  message,
  put,
  settlement,
  T0,
} from './queue-store-samples.ts'
import type { OpenStore, StoreUnderTest } from './queue-store-under-test.ts'

export function tellsItsOwner(name: string, open: OpenStore): void {
  describe(`${name} tells the owner of a login`, () => {
    async function ended(
      { store }: StoreUnderTest,
      made: NewMessage,
      outcome: typeof BOUNCED | typeof DEFERRED | typeof DELIVERED,
    ): Promise<void> {
      await put(store, made)
      const leased = await leaseOne(store, made.acceptedAt)
      await store.settle(leased, settlement(leased, outcome, { dueAt: T0 + 9_000_000 }))
    }

    test('what was refused, the latest first, and only what is theirs', async () => {
      const under = await open()
      const [first, second] = [
        message(['a@example.net', 'b@example.net']),
        message(['c@example.com'], T0 + 1),
      ]
      await ended(under, first, BOUNCED)
      await ended(under, second, BOUNCED)
      await ended(under, { ...message(['d@example.com'], T0 + 2), login: 'bob' }, BOUNCED)
      await ended(under, message(['e@example.com'], T0 + 3), DELIVERED)
      await ended(under, message(['f@example.com'], T0 + 4), DEFERRED)
      const refused = await under.store.refused('alice', 10)
      expect(refused.map(({ id }) => id)).toEqual([second.id, first.id, first.id])
      expect(refused[0]).toEqual({
        id: second.id,
        acceptedAt: T0 + 1,
        to: 'c@example.com',
        reply: BOUNCED.reply,
        host: 'mx.example.net',
      })
      expect(await under.store.refused('alice', 1)).toHaveLength(1)
      expect(await under.store.refused('nobody', 10)).toEqual([])
    })
  })
}
