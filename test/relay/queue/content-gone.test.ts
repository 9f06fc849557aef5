import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { SqliteQueueStore } from '../../../src/relay/queue/sqlite-store.ts'
import {
  DELIVERED,
  leaseOne,
  message,
  put,
  settlement,
  T0,
} from '../../contract/queue-store-samples.ts'
import { scratchFolder } from '../../support/scratch.ts'

const MARKER = 'of this letter nothing may remain'

/** The files of a folder in which the marker stands. */
async function traces(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder)
  const contents = await Promise.all(names.map(name => readFile(join(folder, name))))
  return names.filter((_, i) => contents[i]?.includes(MARKER))
}

test.each([
  ['a short one', 0],
  ['one in several pieces', 300_000],
])('the content of a message that has ended is in no file after the sweep: %s', async (_, size) => {
  const folder = await scratchFolder()
  const store = await SqliteQueueStore.open(join(folder, 'queue.sqlite'))
  onTestFinished(() => store.close())
  const letter = `Subject: ${MARKER}\r\n\r\n${'-'.repeat(size)}${MARKER}\r\n`
  await put(store, message(['bob@example.net']), letter)
  expect(await traces(folder)).not.toEqual([])
  // In the file itself too, not only in the WAL.
  await store.sweep(0)
  expect(await traces(folder)).toEqual(['queue.sqlite'])
  const lease = await leaseOne(store)
  await store.settle(lease, settlement(lease, DELIVERED))
  await store.sweep(0)
  expect(await traces(folder)).toEqual([])
  // The record is kept until its time.
  expect((await store.find(lease.message.id))?.recipients).toMatchObject([{ state: 'delivered' }])
  expect(await store.sweep(T0 + 2_000)).toBe(1)
  expect(await store.find(lease.message.id)).toBeUndefined()
})

test('everybody to whom something was sent can be told, for as long as the record is kept', async () => {
  const store = await SqliteQueueStore.open(join(await scratchFolder(), 'queue.sqlite'))
  onTestFinished(() => store.close())
  const all = async (): Promise<string[]> => {
    const found: string[] = []
    for await (const address of store.recipients()) found.push(address)
    return found
  }
  const many = Array.from({ length: 5_100 }, (_, i) => `r${i}@example.net`)
  await put(store, message(many))
  expect(await all()).toEqual(many)
  const lease = await leaseOne(store)
  await store.settle(lease, settlement(lease, DELIVERED))
  expect(await all()).toHaveLength(many.length)
  await store.sweep(T0 + 2_000)
  expect(await all()).toEqual([])
})
