import { randomBytes } from 'node:crypto'

import { describe, expect, test } from 'vitest'

import type { NewMessage } from '../../src/relay/queue/store.ts'
import { bodyOf, chunksOf, leaseOne, message, put, T0 } from './queue-store-samples.ts'
import type { OpenStore } from './queue-store-under-test.ts'

export function keepsMessages(name: string, open: OpenStore): void {
  describe(`${name} keeps messages`, () => {
    test('a message that was put is found as it was, with its body byte for byte', async () => {
      const { store } = await open()
      const made: NewMessage = {
        ...message(['Bob@Example.net', 'carol@example.net', 'dave@example.com']),
        envelope: {
          reversePath: 'alice@example.org',
          recipients: [
            { address: 'Bob@Example.net', notify: ['failure', 'delay'], orcpt: 'rfc822;b@x' },
            { address: 'carol@example.net', notify: [] },
            { address: 'dave@example.com' },
          ],
          eightBit: true,
          smtputf8: true,
          ret: 'full',
          envid: 'QQ+3D',
        },
      }
      const content = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
      await put(store, made, content)
      const record = await store.find(made.id)
      expect(record?.message).toEqual({ ...made, size: 256 })
      expect(record?.recipients.map(({ address, state }) => [address, state])).toEqual([
        ['Bob@Example.net', 'queued'],
        ['carol@example.net', 'queued'],
        ['dave@example.com', 'queued'],
      ])
      expect(record?.timeline).toMatchObject([{ at: T0, kind: 'accepted' }])
      expect(await bodyOf(store, made.id)).toEqual(content)
      expect((await store.find(made.messageId))?.message.id).toBe(made.id)
    })

    test('a body larger than a chunk comes back in several, whole and in order', async () => {
      const { store } = await open()
      const content = randomBytes(700_001)
      const body = store.newBody()
      for (let at = 0; at < content.length; at += 9_000) {
        await body.write(content.subarray(at, at + 9_000))
      }
      const made = message(['bob@example.net'])
      await store.put(made, body)
      await body.abort()
      const chunks = await chunksOf(store, made.id)
      expect(chunks.length).toBeGreaterThan(2)
      expect(Buffer.concat(chunks).equals(content)).toBe(true)
      expect((await store.find(made.id))?.message.size).toBe(content.length)
    })

    test('an empty body is a body', async () => {
      const { store } = await open()
      const first = message(['bob@example.net'])
      await store.put(first, store.newBody())
      await put(store, message(['carol@example.net']))
      expect(await bodyOf(store, first.id)).toHaveLength(0)
    })

    test('an aborted body leaves nothing, and cannot become a message', async () => {
      const { store } = await open()
      for (const size of [10, 200_000]) {
        const body = store.newBody()
        await body.write(Buffer.alloc(size))
        await body.abort()
        await body.abort()
        const made = message(['bob@example.net'])
        await expect(store.put(made, body)).rejects.toThrow(/abort/)
        expect(await store.find(made.id)).toBeUndefined()
      }
      expect(await store.nextDue()).toBeUndefined()
    })

    test('one put that fails does not fail those that share its commit', async () => {
      const { store } = await open()
      const first = await put(store, message(['bob@example.net']))
      const others = Array.from({ length: 20 }, () => message(['carol@example.net']))
      const results = await Promise.allSettled(
        [...others.slice(0, 10), first, ...others.slice(10)].map(one => put(store, one)),
      )
      expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1)
      expect(results[10]?.status).toBe('rejected')
      for (const { id } of others) expect(await store.find(id)).toBeDefined()
      expect(await store.counts()).toMatchObject({ queued: 21 })
    })

    test('what was put is there after a restart', async context => {
      const { reopen, store } = await open()
      if (reopen === undefined) return context.skip()
      const content = randomBytes(150_000)
      const made = await put(store, message(['bob@example.net']), content)
      const later = await reopen()
      expect(await bodyOf(later, made.id)).toEqual(content)
      expect((await leaseOne(later)).message).toEqual({ ...made, size: content.length })
    })

    test('an unknown message is not found and has no body', async () => {
      const { store } = await open()
      expect(await store.find('NOSUCHMESSAGE000')).toBeUndefined()
      expect(await store.find('')).toBeUndefined()
      await expect(bodyOf(store, 'NOSUCHMESSAGE000')).rejects.toThrow(/NOSUCHMESSAGE000/)
    })
  })
}
