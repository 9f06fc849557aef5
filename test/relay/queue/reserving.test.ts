import { join } from 'node:path'

import Database from 'better-sqlite3'
import { describe, expect, onTestFinished, test } from 'vitest'

import { SqliteQueueStore } from '../../../src/relay/queue/sqlite-store.ts'
import type { Lease, Reserve } from '../../../src/relay/queue/store.ts'
import {
  DEFERRED,
  DELIVERED,
  lease,
  message,
  put,
  settlement,
  T0,
} from '../../contract/queue-store-samples.ts'
import { scratchFolder } from '../../support/scratch.ts'
import { allAre, makeRig } from './runner-rig.ts'

const UNTIL = T0 + 60_000

/** A store, and a runner that has so many slots and begins nothing. */
async function open(slots = 10) {
  const path = join(await scratchFolder(), 'queue.sqlite')
  const store = await SqliteQueueStore.open(path)
  onTestFinished(() => store.close())
  const begun: Lease[] = []
  let free = slots
  const reserve: Reserve = () => {
    if (free === 0) return undefined
    free--
    return {
      at: T0,
      until: UNTIL,
      begin: leased => void begun.push(leased),
      leave: () => {
        free++
      },
    }
  }
  store.reserveWith(reserve)
  return { path, store, begun, free: () => free, reserve }
}

describe('a delivery that a slot is kept for', () => {
  test.each([
    ['starts', true],
    ['stops', false],
  ])('is for a runner that %s before its transaction: %s', async (_, there) => {
    const { store, begun, reserve } = await open()
    store.reserveWith(there ? undefined : reserve)
    const body = store.newBody()
    await body.write(Buffer.from('hello'))
    const made = message(['bob@example.net'])
    const putting = store.put(made, body)
    // A runner that starts looks at the queue, where there is nothing yet.
    store.reserveWith(there ? reserve : undefined)
    await putting
    expect(begun.map(({ message: { id } }) => id)).toEqual(there ? [made.id] : [])
  })

  test('is leased by the commit that makes it, and is in no index of what waits', async () => {
    const { path, store, begun } = await open()
    const before = store.commits
    const { id } = await put(store, message(['bob@example.net', 'carol@example.net', 'd@x.org']))
    expect(store.commits - before).toBe(1)
    expect(begun).toMatchObject([
      {
        message: { id },
        domain: 'example.net',
        until: UNTIL,
        recipients: [{ index: 0, address: 'bob@example.net' }, { index: 1 }],
        attempts: 0,
        indeterminate: false,
      },
      { domain: 'x.org', recipients: [{ index: 2 }] },
    ])
    expect(Buffer.from(begun[0]?.content ?? []).toString()).toContain('hello')
    expect(await store.counts()).toMatchObject({ queued: 0, active: 2, oldestAt: T0 })
    expect(await lease(store)).toEqual([])
    expect(await store.list({ limit: 9 })).toMatchObject([{ id, state: 'active' }, { id }])
    const database = new Database(path, { readonly: true })
    onTestFinished(() => void database.close())
    const indexes = database
      .prepare<[], string>(
        `select name from sqlite_schema where type = 'index' and tbl_name = 'delivery'
         and sql not like '%token is null%' order by name`,
      )
      .pluck()
      .all()
    expect(indexes).toEqual(['delivery_leased', 'delivery_message'])
    expect(database.prepare('select count(*) from lane').pluck().get()).toBe(0)
  })

  test('is settled like any other: delivered it ends, deferred it waits', async () => {
    const { store, begun } = await open()
    const first = await put(store, message(['bob@example.net']))
    const second = await put(store, message(['carol@example.net']))
    const [one, two] = begun as [Lease, Lease]
    expect(await store.settle(one, settlement(one, DELIVERED))).toBe(true)
    expect(await store.settle(two, settlement(two, DEFERRED))).toBe(true)
    expect((await store.find(first.id))?.recipients).toMatchObject([{ state: 'delivered' }])
    expect(await store.nextDue()).toBe(T0 + 300_000)
    expect(await lease(store, T0 + 300_000)).toMatchObject([
      { message: { id: second.id }, attempts: 1 },
    ])
  })

  test('waits where no slot is free, and then nothing to its domain overtakes it', async () => {
    const { store, begun, free } = await open(1)
    await put(store, message(['bob@example.net']))
    const waiting = await put(store, message(['carol@example.net']))
    const [first] = begun as [Lease]
    await store.settle(first, settlement(first, DELIVERED))
    store.reserveWith(() => ({ at: T0, until: UNTIL, begin: l => begun.push(l), leave: () => 0 }))
    const later = await put(store, message(['dan@example.net']))
    const other = await put(store, message(['dan@example.com']))
    expect(free()).toBe(0)
    expect(begun.map(leased => leased.message.id).slice(1)).toEqual([other.id])
    expect((await lease(store)).map(leased => leased.message.id)).toEqual([waiting.id, later.id])
  })

  test('waits where a hold stands, or its message is held', async () => {
    const { store, begun, free } = await open()
    await put(store, { ...message(['bob@example.net']), hold: 'too many' })
    await store.hold({ kind: 'login', value: 'alice' }, { by: 'root', at: T0 })
    await put(store, message(['bob@example.net']))
    expect(begun).toEqual([])
    expect(free()).toBe(10)
    expect(await store.counts()).toMatchObject({ queued: 0, active: 0, held: 2 })
  })

  test('gives the slot back where the message does not come to be, and takes one only where it is put twice', async () => {
    const { store, begun, free } = await open()
    const made = message(['bob@example.net'])
    // The second of them fails, and the transaction is done anew.
    const results = await Promise.allSettled([put(store, made), put(store, made)])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    expect(begun).toHaveLength(1)
    expect(free()).toBe(9)
  })

  test('is given again when its process has died, as what may be a second copy', async () => {
    const { path, store } = await open()
    const { id } = await put(store, message(['bob@example.net']))
    await store.close()
    const again = await SqliteQueueStore.open(path)
    onTestFinished(() => again.close())
    expect(await lease(again)).toMatchObject([{ message: { id }, indeterminate: true }])
  })
})

describe('a runner', () => {
  test('delivers what it has a slot for with two transactions, and asks for no lease', async () => {
    let leases = 0
    const rig = await makeRig({}, store => {
      const ask = store.lease.bind(store)
      store.lease = request => {
        leases++
        return ask(request)
      }
      return store
    })
    await rig.runner.start()
    const before = rig.store.commits
    const { id } = await rig.put(['bob@example.net'])
    await rig.until(id, allAre('delivered'))
    expect(rig.store.commits - before).toBe(2)
    expect(leases).toBe(0)
    expect(rig.transport.deliveries.map(({ content }) => content)).toEqual([
      'Subject: hello\r\n\r\nhello\r\n',
    ])
  })

  test('delivers everything where there are more messages than slots, each once', async () => {
    const rig = await makeRig({ concurrency: { total: 3, perDomain: 2 } })
    await rig.runner.start()
    const made = await Promise.all(
      Array.from({ length: 60 }, (_, i) => rig.put([`bob@d${i % 4}.example.net`])),
    )
    for (const { id } of made) await rig.until(id, allAre('delivered'))
    expect(rig.transport.deliveries).toHaveLength(60)
    expect(rig.transport.mostAtOnce).toBeLessThanOrEqual(3)
    expect(rig.transport.mostPerDomain).toBeLessThanOrEqual(2)
  })

  test('that stops begins nothing more; what is put then waits', async () => {
    const rig = await makeRig()
    await rig.runner.start()
    await rig.runner.stop()
    await rig.put(['bob@example.net'])
    expect(rig.transport.deliveries).toEqual([])
    expect(await rig.store.counts()).toMatchObject({ queued: 1, active: 0 })
  })
})
