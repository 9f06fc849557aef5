import { describe, expect, test } from 'vitest'

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

    test('the list goes through what has not ended, oldest first, a page at a time', async () => {
      const { store } = await open()
      const ids: string[] = []
      // Two of each moment: a page may end between them.
      for (let i = 0; i < 6; i++) {
        ids.push((await put(store, message(['bob@example.net'], T0 + Math.floor(i / 2)))).id)
      }
      await store.operate(ids[1] ?? '', { action: 'drop', ...ROOT })
      const seen: string[] = []
      for (;;) {
        const after = seen.at(-1)
        const page = await store.list({ limit: 2, ...(after === undefined ? {} : { after }) })
        if (page.length === 0) break
        seen.push(...page.map(record => record.message.id))
      }
      expect(seen).toEqual(ids.filter((_, i) => i !== 1))
      expect(await store.operate('NOSUCHMESSAGE000', { action: 'hold', ...ROOT })).toBeUndefined()
    })
  })
}
