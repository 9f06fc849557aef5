import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'

import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'

import { SqliteQueueStore } from '../../../src/relay/queue/sqlite-store.ts'
import {
  DELIVERED,
  lease,
  leaseOne,
  message,
  put,
  settlement,
  T0,
} from '../../contract/queue-store-samples.ts'
import { scratchFolder } from '../../support/scratch.ts'

const MARKER = 'of this letter nothing may remain'

/** The files of a folder in which something stands. */
async function traces(folder: string, what: string | Buffer = MARKER): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile())
  const contents = await Promise.all(
    files.map(({ name, parentPath }) => readFile(join(parentPath, name))),
  )
  return files.map(({ name }) => name).filter((_, i) => contents[i]?.includes(what))
}

test.each([
  ['a short one', 0],
  ['one in several pieces', 100_000],
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

test('of the content of a large message that has ended nothing can be read, its file is gone, and so is the key', async () => {
  const folder = await scratchFolder()
  const path = join(folder, 'queue.sqlite')
  const store = await SqliteQueueStore.open(path)
  onTestFinished(() => store.close())
  const letter = `Subject: ${MARKER}\r\n\r\n${`${MARKER}\r\n`.repeat(20_000)}`
  await put(store, message(['bob@example.net', 'carol@example.com']), letter)
  // What a disk could still have of the file, whatever becomes of it there, is of no use without the key.
  expect(await traces(folder)).toEqual([])
  const [name = ''] = await readdir(join(folder, 'queue.bodies'))
  expect((await stat(join(folder, 'queue.bodies', name))).mode & 0o777).toBe(0o600)
  const database = new Database(path, { readonly: true })
  onTestFinished(() => void database.close())
  const key = database.prepare<[string], Buffer>('select key from body_file where name = ?')
  const secret = key.pluck().get(name) ?? Buffer.alloc(0)
  expect(secret).toHaveLength(32)
  await store.sweep(0)
  expect(await traces(folder, secret)).toEqual(['queue.sqlite'])

  const [first, second] = await lease(store)
  if (first === undefined || second === undefined) throw new Error('two deliveries are due')
  await store.settle(first, settlement(first, DELIVERED))
  await store.sweep(0)
  expect(await readdir(join(folder, 'queue.bodies'))).toEqual([name])
  await store.settle(second, settlement(second, DELIVERED))
  await store.sweep(0)
  expect(await readdir(join(folder, 'queue.bodies'))).toEqual([])
  expect(await traces(folder, secret)).toEqual([])
})

test('a large message that an operator removes is gone as well', async () => {
  const folder = await scratchFolder()
  const store = await SqliteQueueStore.open(join(folder, 'queue.sqlite'))
  onTestFinished(() => store.close())
  const { id } = await put(store, message(['bob@example.net']), Buffer.alloc(300_000))
  await store.operate(id, { action: 'drop', by: 'root', at: T0 })
  await store.sweep(0)
  expect(await readdir(join(folder, 'queue.bodies'))).toEqual([])
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
