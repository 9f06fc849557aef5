import { readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'

import { SqliteQueueStore } from '../../../src/relay/queue/sqlite-store.ts'
import { rescueQueue } from '../../../src/relay/queue/sqlite/rescue.ts'
import {
  bodyOf,
  DELIVERED,
  lease,
  message,
  put,
  settlement,
  T0,
} from '../../contract/queue-store-samples.ts'
import { scratchFolder } from '../../support/scratch.ts'

const COUNT = 400
const PAGE = 4_096

function contentOf(id: string): Buffer {
  return Buffer.from(`Subject: ${id}\r\n\r\n${id.repeat(200)}\r\n`)
}

async function open(path: string): Promise<SqliteQueueStore> {
  const store = await SqliteQueueStore.open(path)
  onTestFinished(() => store.close())
  return store
}

/** A queue with messages to many, one of them delivered, and a hold that stands. */
async function filled(): Promise<{ path: string; ids: string[] }> {
  const path = join(await scratchFolder(), 'queue.sqlite')
  const store = await open(path)
  const made = Array.from({ length: COUNT }, (_, i) =>
    message([`bob@d${i % 7}.example.net`, `carol@example.com`]),
  )
  await Promise.all(made.map(one => put(store, one, contentOf(one.id))))
  const ids = made.map(({ id }) => id)
  for (const one of await lease(store, T0, { limit: 1 })) {
    await store.settle(one, settlement(one, DELIVERED))
  }
  await store.hold({ kind: 'destination', value: 'd3.example.net' }, { by: 'root', at: T0 })
  await store.close()
  return { path, ids }
}

/** Everything that is in the queue is whole, or was named as lost; and it can be delivered. */
async function audit(
  path: string,
  ids: readonly string[],
): Promise<{ whole: number; lost: number; unseen: number }> {
  const rescued = rescueQueue(path, T0)
  const lost = new Set(rescued.lost.map(({ id }) => id))
  const store = await open(path)
  let [whole, unseen] = [0, 0]
  for (const id of ids) {
    const record = await store.find(id)
    if (record === undefined) unseen++
    else if (!lost.has(id)) {
      expect((await bodyOf(store, id)).equals(contentOf(id)), id).toBe(true)
      whole++
    }
  }
  expect(rescued.messages).toBe(ids.length - unseen)
  // Numbers of bodies that were lost are not given again.
  const later = message(['dora@example.com'], T0 + 1)
  await put(store, later, contentOf(later.id))
  expect((await bodyOf(store, later.id)).equals(contentOf(later.id))).toBe(true)
  // What is held stays held, the rest goes.
  const leases = await lease(store, T0 + 2, { limit: 10_000, perDomain: 10_000 })
  expect(leases.length).toBeGreaterThan(0)
  expect(leases.map(({ domain }) => domain)).not.toContain('d3.example.net')
  for (const one of leases) expect(one.recipients.length).toBeGreaterThan(0)
  return { whole, lost: lost.size, unseen }
}

test.each([0.15, 0.35, 0.55, 0.75, 0.95])(
  'a torn page costs what is on it, and nothing else: at %f of the file',
  async share => {
    const { path, ids } = await filled()
    const content = await readFile(path)
    const page = Math.floor((content.length * share) / PAGE) * PAGE
    content.fill(0xff, page, page + PAGE)
    await writeFile(path, content)
    await expect(SqliteQueueStore.open(path)).rejects.toThrow(/mailcanary queue rescue --state/)
    const { whole } = await audit(path, ids)
    expect(whole).toBeGreaterThan(COUNT * 0.7)
  },
)

test('a file that is cut off gives back what is left of it', async () => {
  const { path, ids } = await filled()
  await truncate(path, Math.floor((await readFile(path)).length * 0.9))
  const { whole, lost, unseen } = await audit(path, ids)
  expect(whole + lost + unseen).toBe(COUNT)
  expect(whole).toBeGreaterThan(0)
})

test('large messages are saved with their files; those whose file is not there or not whole are named', async () => {
  const path = join(await scratchFolder(), 'queue.sqlite')
  const store = await open(path)
  const content = Buffer.alloc(300_000, 'x')
  const made = [1, 2, 3].map(() => message(['bob@example.net']))
  for (const one of made) await put(store, one, content)
  await store.close()
  const database = new Database(path)
  const rows = database
    .prepare<[], { id: string; name: string }>(
      'select id, name from message join body_file using (body) order by message.key',
    )
    .all()
  const page = database
    .prepare<[], number>(`select rootpage from sqlite_schema where name = 'timeline_message'`)
    .pluck()
    .get()
  const size = Number(database.pragma('page_size', { simple: true }))
  database.close()
  const torn = await readFile(path)
  torn.fill(0xff, ((page ?? 0) - 1) * size, (page ?? 0) * size)
  await writeFile(path, torn)
  const [whole, cut, gone] = rows
  const folder = path.replace('.sqlite', '.bodies')
  await truncate(join(folder, cut?.name ?? ''), content.length - 1)
  await rm(join(folder, gone?.name ?? ''))

  const rescued = rescueQueue(path, T0)
  expect(rescued.lost.map(({ id, lacks }) => [id, lacks])).toEqual([
    [cut?.id, 'content'],
    [gone?.id, 'content'],
  ])
  const later = await open(path)
  expect((await bodyOf(later, whole?.id ?? '')).equals(content)).toBe(true)
  await expect(bodyOf(later, cut?.id ?? '')).rejects.toThrow('has 299999 octets instead of 300000')
  await expect(bodyOf(later, gone?.id ?? '')).rejects.toThrow('is not there')
})

test('a queue that is whole is left alone', async () => {
  const { path } = await filled()
  const before = await readFile(path)
  expect(() => rescueQueue(path, T0)).toThrow('is not damaged: nothing was done')
  expect((await readFile(path)).equals(before)).toBe(true)
})

test('what is no database at all is said to be beyond saving, and kept', async () => {
  const path = join(await scratchFolder(), 'queue.sqlite')
  await writeFile(path, 'no database\n'.repeat(1_000))
  expect(() => rescueQueue(path, T0)).toThrow(/nothing can be read .*restore a backup/)
})
