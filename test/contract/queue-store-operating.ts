import { describe, expect, test } from 'vitest'

import {
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

const ROOT = { by: 'root', at: T0 + 10_000 } as const

export function obeysOperators(name: string, open: OpenStore): void {
  describe(`${name} obeys operators`, () => {
    test('what is held waits until it is released', async () => {
      const { store } = await open()
      const { id } = await put(store, message(['bob@example.net']))
      expect(await store.operate(id, { action: 'hold', ...ROOT })).toEqual({ changed: 1, busy: 0 })
      expect(await lease(store, T0 + 1e9)).toEqual([])
      expect(await store.nextDue()).toBeUndefined()
      expect(await store.counts()).toMatchObject({ queued: 0, held: 1, oldestAt: T0 })
      expect((await store.find(id))?.recipients).toMatchObject([{ state: 'held' }])
      expect(await store.operate(id, { action: 'retry', ...ROOT })).toEqual({ changed: 0, busy: 0 })
      expect(await store.operate(id, { action: 'release', ...ROOT })).toMatchObject({ changed: 1 })
      expect(await store.nextDue()).toBe(ROOT.at)
      await leaseOne(store, ROOT.at)
      const notes = (await store.find(id))?.timeline.map(({ kind, note }) => [kind, note])
      expect(notes?.slice(1)).toEqual([
        ['operator', 'held by root'],
        ['operator', 'released by root'],
      ])
    })

    test('what waits for its time can be tried at once', async () => {
      const { store } = await open()
      const { id } = await put(store, message(['bob@example.net'], T0 + 1e6))
      expect(await lease(store, ROOT.at)).toEqual([])
      await store.operate(id, { action: 'retry', ...ROOT })
      expect((await leaseOne(store, ROOT.at)).message.id).toBe(id)
    })

    test('what is dropped has ended, and its body is gone', async () => {
      const { store } = await open()
      const { id } = await put(store, message(['bob@example.net', 'carol@example.com']))
      expect(await store.operate(id, { action: 'drop', ...ROOT })).toEqual({ changed: 2, busy: 0 })
      const states = (await store.find(id))?.recipients.map(({ state }) => state)
      expect(states).toEqual(['removed', 'removed'])
      await expect(bodyOf(store, id)).rejects.toThrow(/no body/)
      expect(await store.counts()).toMatchObject({ queued: 0, held: 0, oldestAt: undefined })
      expect(await store.sweep(ROOT.at + 1)).toBe(1)
    })

    test('what is being attempted is left alone', async () => {
      const { store } = await open()
      const { id } = await put(store, message(['bob@example.net']))
      const leased = await leaseOne(store)
      for (const action of ['retry', 'hold', 'drop'] as const) {
        expect(await store.operate(id, { action, ...ROOT })).toEqual({ changed: 0, busy: 1 })
      }
      expect(await store.settle(leased, settlement(leased, DELIVERED))).toBe(true)
    })

    test('an action can be for one destination of a message alone', async () => {
      const { store } = await open()
      const { id } = await put(store, message(['bob@example.net', 'carol@example.com']))
      const drop = { action: 'drop', domain: 'example.com', ...ROOT } as const
      expect(await store.operate(id, drop)).toEqual({ changed: 1, busy: 0 })
      const states = (await store.find(id))?.recipients.map(({ state }) => state)
      expect(states).toEqual(['queued', 'removed'])
      expect((await leaseOne(store)).domain).toBe('example.net')
    })

    test('the list goes through what has not ended, oldest first, a page at a time', async () => {
      const { store } = await open()
      const made: string[] = []
      for (let i = 0; i < 6; i++) {
        made.push((await put(store, message(['a@example.net', 'b@example.com']))).id)
      }
      await store.operate(made[1] ?? '', { action: 'drop', ...ROOT })
      const seen: string[] = []
      let after: string | undefined
      for (;;) {
        const page = await store.list({ limit: 3, ...(after !== undefined && { after }) })
        if (page.length === 0) break
        seen.push(...page.map(({ id, domain }) => `${id} ${domain}`))
        after = page.at(-1)?.deliveryId
      }
      const left = made.filter((_, i) => i !== 1)
      expect(seen).toEqual(left.flatMap(id => [`${id} example.net`, `${id} example.com`]))
      expect(await store.operate('NOSUCHMESSAGE000', { action: 'hold', ...ROOT })).toBeUndefined()
    })

    test('the list can be of one destination, one login, or one message', async () => {
      const { store } = await open()
      const first = await put(store, message(['a@example.net', 'b@example.com']))
      const second = await put(store, { ...message(['c@example.net']), login: 'dora' })
      const listed = async (kind: 'message' | 'destination' | 'login', value: string) =>
        (await store.list({ limit: 9, of: { kind, value } })).map(({ id, domain }) => [id, domain])
      expect(await listed('destination', 'example.net')).toEqual([
        [first.id, 'example.net'],
        [second.id, 'example.net'],
      ])
      expect(await listed('login', 'dora')).toEqual([[second.id, 'example.net']])
      expect(await listed('message', first.id)).toEqual([
        [first.id, 'example.net'],
        [first.id, 'example.com'],
      ])
      expect(await listed('login', 'nobody')).toEqual([])
    })

    test('the list says what each delivery waits for', async () => {
      const { store } = await open()
      const made = await put(store, message(['a@example.net', 'b@example.net']))
      const first = await leaseOne(store)
      expect(await store.list({ limit: 1 })).toMatchObject([{ state: 'active' }])
      await store.settle(first, settlement(first, DEFERRED))
      expect(await store.list({ limit: 1 })).toEqual([
        {
          deliveryId: first.deliveryId,
          id: made.id,
          login: 'alice',
          reversePath: 'alice@example.org',
          acceptedAt: T0,
          size: 25,
          domain: 'example.net',
          recipients: 2,
          state: 'queued',
          kept: '',
          dueAt: T0 + 300_000,
          attempts: 1,
          lastReply: '451 4.7.1 Greylisted',
          lastHost: 'mx.example.net',
        },
      ])
      await store.operate(made.id, { action: 'hold', ...ROOT })
      expect(await store.list({ limit: 1 })).toMatchObject([
        { state: 'held', kept: 'held by root' },
      ])
    })
  })
}
