import { chmod, mkdir, readdir, rename, rm, utimes } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { backUp, restore } from '../../src/app/backup.ts'
import { SqliteQueueStore } from '../../src/relay/queue/sqlite-store.ts'
import {
  bodyOf,
  DELIVERED,
  lease,
  message,
  put,
  settlement,
  T0,
} from '../contract/queue-store-samples.ts'
import { scratchFolder } from '../support/scratch.ts'

const LARGE = Buffer.alloc(300_000, 'large ')
const HOW = { version: '0', now: T0 }

async function open(state: string): Promise<SqliteQueueStore> {
  const store = await SqliteQueueStore.open(join(state, 'queue.sqlite'))
  onTestFinished(() => store.close())
  return store
}

/** Everything that waits in a restored backup. */
async function restored(backup: string): Promise<SqliteQueueStore> {
  const state = await scratchFolder()
  await restore(backup, state)
  return open(state)
}

test('a backup has the content of every large message that waits in it, however fast they come and go', async () => {
  const state = await scratchFolder()
  const store = await open(state)
  const over = new AbortController()
  const traffic = Array.from({ length: 8 }, async (_, n) => {
    while (!over.signal.aborted) {
      await put(store, message([`x@d${n}.example.net`]), LARGE)
      for (const one of await lease(store, T0, { limit: 1 })) {
        await store.settle(one, settlement(one, DELIVERED))
      }
    }
  })
  let waiting = 0
  for (let n = 0; n < 10; n++) {
    const target = join(await scratchFolder(), 'backup')
    await backUp(state, target, HOW)
    const copy = await restored(target)
    for (const { message: made } of await lease(copy, T0 + 120_000, { limit: 1_000 })) {
      expect((await bodyOf(copy, made.id)).equals(LARGE)).toBe(true)
      waiting++
    }
  }
  over.abort()
  await Promise.all(traffic)
  expect(waiting).toBeGreaterThan(0)
})

test('content that is lost keeps nothing else from being backed up', async () => {
  const state = await scratchFolder()
  const store = await open(state)
  const lost = await put(store, message(['bob@example.net']), LARGE)
  const [name = ''] = await readdir(join(state, 'queue.bodies'))
  const kept = await put(store, message(['bob@example.net']), LARGE)
  await rm(join(state, 'queue.bodies', name))
  const target = join(await scratchFolder(), 'backup')
  await backUp(state, target, HOW)
  const copy = await restored(target)
  expect((await bodyOf(copy, kept.id)).equals(LARGE)).toBe(true)
  await expect(bodyOf(copy, lost.id)).rejects.toThrow('is not there')
})

test('what a killed backup held goes when it is a day old', async () => {
  const state = await scratchFolder()
  const store = await open(state)
  const [old = '', young = ''] = ['a', 'b'].map(letter =>
    join(state, 'queue.bodies', `backup-${letter.repeat(32)}`),
  )
  for (const folder of [old, young]) await mkdir(folder)
  const yesterday = Date.now() / 1_000 - 86_500
  await utimes(old, yesterday, yesterday)
  await store.sweep(0)
  expect(await readdir(join(state, 'queue.bodies'))).toEqual([`backup-${'b'.repeat(32)}`])
})

test('nothing is restored to where large messages of another queue are', async () => {
  const [state, other] = [await scratchFolder(), await scratchFolder()]
  const store = await open(state)
  await put(store, message(['bob@example.net']), LARGE)
  const target = join(await scratchFolder(), 'backup')
  await backUp(state, target, HOW)
  await store.close()
  await rename(join(state, 'queue.bodies'), join(other, 'queue.bodies'))
  await chmod(other, 0o700)
  await expect(restore(target, other)).rejects.toThrow(/has a state already \(queue\.bodies\)/)
})
