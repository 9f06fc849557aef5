import { existsSync, readFileSync, statSync } from 'node:fs'
import {
  appendFile,
  readdir,
  readFile,
  rename,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'

import Database from 'better-sqlite3'
import { describe, expect, onTestFinished, test, vi } from 'vitest'

import { Problem } from '../../../src/base/problem.ts'
import { BodyFileWriter } from '../../../src/relay/queue/body-files/body-file-writer.ts'
import { SqliteQueueStore } from '../../../src/relay/queue/sqlite-store.ts'
import { GroupCommit } from '../../../src/relay/queue/sqlite/group-commit.ts'
import { openQueue } from '../../../src/relay/queue/sqlite/open.ts'
import { Wal } from '../../../src/relay/queue/sqlite/wal.ts'
import { StoreUnavailable, type BodyWriter } from '../../../src/relay/queue/store.ts'
import {
  bodyOf,
  DELIVERED,
  lease,
  leaseOne,
  message,
  put,
  settlement,
  T0,
} from '../../contract/queue-store-samples.ts'
import { scratchFolder } from '../../support/scratch.ts'

async function open(path: string): Promise<SqliteQueueStore> {
  const store = await SqliteQueueStore.open(path)
  onTestFinished(() => store.close())
  return store
}

/** More than is kept in a row. */
const LARGE = Buffer.alloc(300_000, 'large ')

/** By this thread, into files of any kind. */
function octetsWritten(): number {
  const [, octets] = /^wchar: (\d+)$/m.exec(readFileSync('/proc/thread-self/io', 'utf8')) ?? []
  return Number(octets)
}

async function newPath(): Promise<string> {
  return join(await scratchFolder(), 'queue.sqlite')
}

async function problemOf(path: string): Promise<string> {
  const error = await SqliteQueueStore.open(path).then(
    store => store.close().then(() => new Error('it opened')),
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(Problem)
  expect(String(error)).toContain(path)
  return String(error)
}

interface Sync {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** A group whose disk keeps something when a test says so. */
async function withSyncsByHand(): Promise<{
  readonly group: GroupCommit
  readonly insert: Database.Statement<[number]>
  readonly syncs: readonly Sync[]
  /** How many it has kept. */
  readonly kept: () => number
}> {
  const database = new Database(await newPath())
  onTestFinished(() => void database.close())
  database.exec('create table number (n integer primary key)')
  const syncs: Sync[] = []
  let kept = 0
  const group = new GroupCommit(database, {
    before: () => undefined,
    sync: () => new Promise((resolve, reject) => void syncs.push({ resolve, reject })),
    after: () => void kept++,
  })
  const insert = database.prepare<[number]>('insert into number values (?)')
  return { group, insert, syncs, kept: () => kept }
}

/** The folder of large bodies. */
function bodiesOf(path: string): string {
  return path.replace('.sqlite', '.bodies')
}

/** A queue of some hundred kilobytes, closed. */
async function filled(): Promise<string> {
  const path = await newPath()
  const store = await open(path)
  for (let i = 0; i < 40; i++) {
    await put(store, message([`x@d${i}.example.net`]), Buffer.alloc(10_000, `${i} `))
  }
  await store.close()
  return path
}

describe('the file', () => {
  test('is private to its owner, and so are its companions', async () => {
    const path = await newPath()
    await put(await open(path), message(['bob@example.net']))
    for (const suffix of ['', '-wal', '-shm']) {
      expect((await stat(path + suffix)).mode & 0o777, suffix).toBe(0o600)
    }
    expect((await stat(bodiesOf(path))).mode & 0o777).toBe(0o700)
  })

  test('that is cut off anywhere is a problem with its name and the way out', async () => {
    const whole = await readFile(await filled())
    for (const share of [0.999, 0.75, 0.5, 0.1, 0.01]) {
      const path = await newPath()
      await writeFile(path, whole)
      await truncate(path, Math.floor(whole.length * share))
      expect(await problemOf(path), String(share)).toMatch(/is damaged .*restore a backup/)
    }
  })

  test('with a torn page is a problem', async () => {
    const path = await filled()
    const content = await readFile(path)
    content.fill(0xff, 4096 * 3, 4096 * 4)
    await writeFile(path, content)
    expect(await problemOf(path)).toContain('is damaged')
  })

  test('that is no database, or somebody else’s, is a problem', async () => {
    const path = await newPath()
    await writeFile(path, 'this is no database\n'.repeat(500))
    expect(await problemOf(path)).toContain('is damaged')
    const other = await newPath()
    const database = new Database(other)
    database.exec('create table history (id integer)')
    database.close()
    expect(await problemOf(other)).toContain('not a mailcanary queue')
  })

  test('from a newer version is refused, and not touched', async () => {
    const path = await filled()
    const database = new Database(path)
    database.pragma('user_version = 9')
    database.close()
    const before = await readFile(path)
    expect(await problemOf(path)).toMatch(/newer mailcanary \(schema 9, this one knows \d\)/)
    expect((await readFile(path)).equals(before)).toBe(true)
  })

  test('in a folder that is not there is a problem', async () => {
    expect(await problemOf(join(await scratchFolder(), 'absent', 'queue.sqlite'))).toMatch(
      /cannot open/,
    )
  })
})

describe('a shared commit', () => {
  test('a thousand callers cost a handful of syncs', async () => {
    const store = await open(await newPath())
    const before = store.commits
    await Promise.all(Array.from({ length: 1_000 }, () => put(store, message(['x@example.net']))))
    expect(store.commits - before).toBeLessThan(10)
    expect(await store.counts()).toMatchObject({ queued: 1_000 })
  })

  test('a large body costs the database one row, and nothing before its message comes', async () => {
    const path = await newPath()
    const store = await open(path)
    const before = { commits: store.commits, syncs: store.syncs }
    const body = store.newBody()
    for (let n = 0; n < 32; n++) await body.write(Buffer.alloc(65_536, 'x'))
    expect(store.commits).toBe(before.commits)
    await store.put(message(['x@example.net']), body)
    expect(store.syncs - before.syncs).toBe(1)
    expect((await stat(`${path}-wal`)).size).toBeLessThan(500_000)
  })

  test('leases wait for no disk, and the results of a hundred deliveries share its syncs', async () => {
    const store = await open(await newPath())
    await Promise.all(Array.from({ length: 100 }, () => put(store, message(['x@example.net']))))
    const before = store.syncs
    const leases = await lease(store, undefined, { limit: 100, perDomain: 100 })
    expect(leases).toHaveLength(100)
    expect(store.syncs).toBe(before)
    // One by one, as deliveries end, within the time that a result waits for company.
    await Promise.all(leases.map(leased => store.settle(leased, settlement(leased, DELIVERED))))
    expect(store.syncs - before).toBeLessThan(10)
    expect(await store.counts()).toMatchObject({ queued: 0, active: 0 })
  })

  test('writes to the queue and to no temporary file', async () => {
    const store = await open(await newPath())
    await put(store, message(['x@example.net']))
    const before = octetsWritten()
    const bodies = Array.from({ length: 200 }, () =>
      put(store, message(['x@example.net']), Buffer.alloc(8_000, 'x')),
    )
    await Promise.all(bodies)
    // Each page once, into the log of the database: what may have to be undone goes to memory.
    expect(octetsWritten() - before).toBeLessThan(2 * 200 * 8_000)
  })

  test('a member that fails, fails alone; where none does there are no savepoints', async () => {
    const said: string[] = []
    const database = new Database(await newPath(), { verbose: sql => void said.push(String(sql)) })
    onTestFinished(() => void database.close())
    database.exec('create table number (n integer primary key)')
    const group = new GroupCommit(database, {
      before: () => undefined,
      sync: () => Promise.resolve(),
      after: () => undefined,
    })
    const insert = database.prepare('insert into number values (?)')
    await Promise.all([1, 2, 3].map(n => group.run(() => insert.run(n))))
    expect(said).not.toContain('savepoint member')
    const tried = [4, 5, 1, 6].map(n => group.run(() => insert.run(n).changes))
    expect(await Promise.allSettled(tried)).toMatchObject([
      { value: 1 },
      { value: 1 },
      { reason: { message: 'UNIQUE constraint failed: number.n' } },
      { value: 1 },
    ])
    expect(database.prepare('select n from number').pluck().all()).toEqual([1, 2, 3, 4, 5, 6])
  })

  test('the event loop goes on while the disk is at work, and what comes then shares the next', async () => {
    const { group, insert, kept, syncs } = await withSyncsByHand()
    const told: number[] = []
    const run = (n: number): Promise<unknown> => {
      return group.run(() => insert.run(n)).then(() => told.push(n))
    }
    const first = run(1)
    await expect.poll(() => syncs.length).toBe(1)
    const later = [run(2), run(3), group.run(() => insert.run(4), { durable: false })]
    await new Promise(setImmediate)
    // Nothing else is committed meanwhile, and nobody told.
    expect([group.commits, told]).toEqual([1, []])
    // Nor are the files of what has ended removed, for the end may be undone.
    expect(kept()).toBe(0)
    syncs[0]?.resolve()
    await first
    await expect.poll(() => syncs.length).toBe(2)
    expect([group.commits, told, kept()]).toEqual([2, [1], 1])
    syncs[1]?.resolve()
    await Promise.all(later)
    expect([group.commits, told]).toEqual([2, [1, 2, 3]])
  })

  test('that the disk does not keep is told to all who share it, and the next one is tried', async () => {
    const { group, insert, kept, syncs } = await withSyncsByHand()
    const failed = Promise.allSettled([1, 2].map(n => group.run(() => insert.run(n))))
    await expect.poll(() => syncs.length).toBe(1)
    syncs[0]?.reject(new StoreUnavailable('not kept', { full: false }))
    const reason = { message: 'not kept' }
    expect(await failed).toMatchObject([{ reason }, { reason }])
    expect(kept()).toBe(0)
    const next = group.run(() => insert.run(3).changes)
    await expect.poll(() => syncs.length).toBe(2)
    syncs[1]?.resolve()
    expect(await next).toBe(1)
  })

  test('what the disk did not take at first is written anew', async () => {
    const path = await newPath()
    const database = openQueue(path)
    onTestFinished(() => void database.close())
    const wal = new Wal(database)
    database.exec("insert into tally values ('new', 1)")
    const log = statSync(`${path}-wal`).size
    await wal.sync()
    expect(statSync(`${path}-wal`).size).toBe(log)
    // The next sync fails as on a broken disk.
    wal.close()
    await wal.sync()
    expect(statSync(`${path}-wal`).size).toBe(0)
  })

  test('nobody is told of success before it', async () => {
    const path = await newPath()
    const store = await open(path)
    const other = new Database(path, { readonly: true })
    onTestFinished(() => void other.close())
    const exists = other.prepare('select 1 from message where id = ?').pluck()
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        const { id } = await put(store, message(['x@example.net']))
        // Another connection sees committed rows only.
        expect(exists.get(id)).toBe(1)
      }),
    )
  })

  test('what waits when the store closes is committed; what comes after is refused as unavailable', async () => {
    const path = await newPath()
    const store = await open(path)
    const made = message(['bob@example.net'])
    const waiting = put(store, made)
    await Promise.resolve()
    await store.close()
    await waiting
    await expect(put(store, message(['bob@example.net']))).rejects.toThrow('queue store: closed')
    expect(await bodyOf(await open(path), made.id)).not.toHaveLength(0)
  })
})

describe('a large message', () => {
  /** A store with one of them, and its file. */
  async function withLarge(): Promise<{ path: string; id: string; file: string }> {
    const path = await newPath()
    const store = await open(path)
    const { id } = await put(store, message(['bob@example.net']), LARGE)
    await store.close()
    const [name = ''] = await readdir(bodiesOf(path))
    return { path, id, file: join(bodiesOf(path), name) }
  }

  test('whose file is not there is named at the start, and found again when it is back', async () => {
    const { path, id, file } = await withLarge()
    await rename(file, `${file}.away`)
    const said: string[] = []
    const store = await SqliteQueueStore.open(path, sentence => said.push(sentence))
    onTestFinished(() => store.close())
    expect(said).toEqual([expect.stringContaining(`content is not there: ${id} (${file})`)])
    expect(said[0]).toContain('mailcanary queue drop')
    await expect(bodyOf(store, id)).rejects.toThrow(`${file} is not there`)
    await rename(`${file}.away`, file)
    expect((await bodyOf(store, id)).equals(LARGE)).toBe(true)
    await store.close()
    await SqliteQueueStore.open(path, sentence => said.push(sentence)).then(again => again.close())
    expect(said).toHaveLength(1)
  })

  test.each([
    ['cut off', async (file: string) => truncate(file, LARGE.length - 1), /has 299999 octets/],
    ['longer than it was', async (file: string) => appendFile(file, '.'), /has 300001 octets/],
    [
      'changed',
      async (file: string) => {
        const octets = await readFile(file)
        octets[200_000] = (octets[200_000] ?? 0) ^ 1
        await writeFile(file, octets)
      },
      /is not what was written; put it back/,
    ],
  ])('whose file was %s is never given out as whole', async (_, change, said) => {
    const { path, id, file } = await withLarge()
    await change(file)
    await expect(bodyOf(await open(path), id)).rejects.toThrow(said)
  })

  test('is read by several deliveries at once, each at its own pace', async () => {
    const { path, id } = await withLarge()
    const store = await open(path)
    const [slow, ...others] = [1, 2, 3].map(() => store.body(id)[Symbol.asyncIterator]())
    const first = await slow?.next()
    const read = async (rest: AsyncIterator<Uint8Array> | undefined): Promise<Uint8Array[]> => {
      const piece = await rest?.next()
      return piece === undefined || piece.done === true ? [] : [piece.value, ...(await read(rest))]
    }
    for (const other of others) expect(Buffer.concat(await read(other)).equals(LARGE)).toBe(true)
    const whole = Buffer.concat([first?.value as Uint8Array, ...(await read(slow))])
    expect(whole.equals(LARGE)).toBe(true)
  })

  test('goes through the threads of the pool in few pieces: eight times there, eight times back', async () => {
    const store = await open(await newPath())
    const writes = vi.spyOn(BodyFileWriter.prototype, 'write')
    onTestFinished(() => writes.mockRestore())
    const body = store.newBody()
    for (let record = 0; record < 128; record++) await body.write(Buffer.alloc(16_384, 'x'))
    const made = message(['bob@example.net'])
    await store.put(made, body)
    expect(writes.mock.calls.length).toBeLessThanOrEqual(9)
    const pieces: number[] = []
    for await (const { length } of store.body(made.id)) pieces.push(length)
    expect(pieces).toEqual(Array.from({ length: 8 }, () => 262_144))
  })

  test('is not lost with a commit that fails, nor kept by it', async () => {
    const path = await newPath()
    const store = await open(path)
    const made = await put(store, message(['bob@example.net']), LARGE)
    // The same id again: its file has to go, that of the first must not.
    const body = store.newBody()
    await body.write(LARGE)
    await expect(store.put(made, body)).rejects.toThrow()
    expect(await readdir(bodiesOf(path))).toHaveLength(2)
    await body.abort()
    expect(await readdir(bodiesOf(path))).toHaveLength(1)
    expect((await bodyOf(store, made.id)).equals(LARGE)).toBe(true)
  })

  test('cannot be taken away by an abort that comes too late, nor stay after one that does not', async () => {
    const path = await newPath()
    const store = await open(path)
    const write = async (): Promise<BodyWriter> => {
      const body = store.newBody()
      await body.write(LARGE)
      return body
    }
    const late = await write()
    const made = message(['bob@example.net'])
    await store.put(made, late)
    await late.abort()
    expect((await bodyOf(store, made.id)).equals(LARGE)).toBe(true)
    const early = await write()
    const other = message(['bob@example.net'])
    const putting = store.put(other, early)
    await Promise.all([expect(putting).rejects.toThrow(/abort/), early.abort()])
    expect(await store.find(other.id)).toBeUndefined()
    expect(await readdir(bodiesOf(path))).toHaveLength(1)
  })

  test('that is aborted while it is written leaves no file', async () => {
    const path = await newPath()
    const store = await open(path)
    const body = store.newBody()
    const writing = body.write(LARGE)
    await body.abort()
    await writing?.catch(() => undefined)
    await expect(body.write(LARGE)).rejects.toThrow(/abort/)
    expect(await readdir(bodiesOf(path))).toEqual([])
  })

  test('of a thread that died goes when nobody has written to it for a day', async () => {
    const path = await newPath()
    const store = await open(path)
    const [old, young] = ['a', 'b'].map(letter => join(bodiesOf(path), letter.repeat(32)))
    for (const file of [old, young]) await writeFile(file ?? '', 'half a letter')
    const yesterday = Date.now() / 1_000 - 86_500
    await utimes(old ?? '', yesterday, yesterday)
    await store.sweep(0)
    expect(await readdir(bodiesOf(path))).toEqual(['b'.repeat(32)])
  })

  test('that a program without files has left in rows is given out and removed as ever', async () => {
    const path = await newPath()
    const first = await open(path)
    const { id } = await put(first, message(['bob@example.net']))
    await first.close()
    const database = new Database(path)
    database.exec('delete from chunk')
    const insert = database.prepare('insert into chunk (body, data) values (1, ?)')
    for (let at = 0; at < LARGE.length; at += 131_072) insert.run(LARGE.subarray(at, at + 131_072))
    database.prepare('update message set size = ?').run(LARGE.length)
    database.close()
    const store = await open(path)
    expect((await bodyOf(store, id)).equals(LARGE)).toBe(true)
    const leased = await leaseOne(store)
    await store.settle(leased, settlement(leased, DELIVERED))
    await expect(bodyOf(store, id)).rejects.toThrow(/has no body/)
  })

  test('is not taken for garbage of a new queue where the database was moved without it', async () => {
    const { path, file } = await withLarge()
    await rename(path, `${path}.aside`)
    expect(await problemOf(path)).toMatch(/has letters .* whose queue .* is not there; move/)
    expect((await stat(file)).size).toBe(LARGE.length)
    expect(existsSync(path)).toBe(false)
  })
})

describe('after a crash', () => {
  test('leases of the dead process are free at once, and what they came to is in doubt', async () => {
    const path = await newPath()
    const store = await open(path)
    await put(store, message(['bob@example.net']))
    await leaseOne(store)
    await store.close()
    const later = await open(path)
    expect(await later.counts()).toMatchObject({ queued: 1, active: 0 })
    expect(await leaseOne(later)).toMatchObject({ indeterminate: true, attempts: 0 })
  })

  test('bodies without a message are gone', async () => {
    const path = await newPath()
    const store = await open(path)
    await writeFile(join(bodiesOf(path), 'f'.repeat(32)), 'half a letter')
    await writeFile(join(bodiesOf(path), 'README'), 'somebody else’s')
    const kept = await put(store, message(['bob@example.net']), Buffer.alloc(300_000, 'x'))
    await store.close()
    // As programs left them that kept large bodies in rows.
    const database = new Database(path)
    database.exec(`insert into chunk (body, data) values (77, x'00'), (77, x'00');
      insert into loose_body values (77)`)
    database.close()
    const later = await open(path)
    expect(await bodyOf(later, kept.id)).toHaveLength(300_000)
    const left = await readdir(bodiesOf(path))
    expect(left).toHaveLength(2)
    expect(left).toContain('README')
    expect(left).not.toContain('f'.repeat(32))
    await later.close()
    const rows = new Database(path, { readonly: true })
    expect(rows.prepare('select count(*) from chunk').pluck().get()).toBe(0)
    expect(rows.prepare('select count(*) from loose_body').pluck().get()).toBe(0)
    rows.close()
  })
})

test('the letters of a message that has ended are no longer in any file', async () => {
  const path = await newPath()
  const store = await open(path)
  const secret = 'the merger will be announced on Thursday'
  await put(store, message(['bob@example.net']), `Subject: x\r\n\r\n${secret.repeat(3_000)}`)
  const leased = await leaseOne(store)
  await store.settle(leased, settlement(leased, DELIVERED))
  expect(await store.find(leased.message.id)).toBeDefined()
  await store.close()
  expect((await readFile(path)).includes(secret)).toBe(false)
  expect(existsSync(`${path}-wal`)).toBe(false)
})

test('a queue that was swept is as empty as a new one', async () => {
  const path = await newPath()
  const store = await open(path)
  for (let i = 0; i < 450; i++) void put(store, message(['bob@example.net']))
  await put(store, message(['bob@example.net']))
  for (const leased of await store.lease({
    now: T0,
    until: T0 + 1,
    limit: 1_000,
    perDomain: 1_000,
    running: new Map(),
  })) {
    void store.settle(leased, settlement(leased, DELIVERED))
  }
  expect(await store.sweep(T0 + 1e6)).toBe(451)
  await store.close()
  const database = new Database(path, { readonly: true })
  for (const table of [
    'message',
    'chunk',
    'body_file',
    'delivery',
    'recipient',
    'destination',
    'timeline',
  ]) {
    expect(database.prepare(`select count(*) from ${table}`).pluck().get(), table).toBe(0)
  }
  expect(database.prepare('select sum(amount) from tally').pluck().get()).toBe(0)
  database.close()
})
