import { randomBytes } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import { Postgres } from '../../../src/base/postgres.ts'
import type { Secret } from '../../../src/base/secret.ts'
import type { Judgement } from '../../../src/relay/limits/judge.ts'
import { PostgresQueueStore } from '../../../src/relay/queue/postgres-store.ts'
import type { Lease } from '../../../src/relay/queue/store.ts'
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
import { missingPostgres, type PostgresServer, startPostgres } from '../../support/postgres.ts'
import { eventually } from '../../support/server-process.ts'

async function node(url: Secret, name: string, connections = 4): Promise<PostgresQueueStore> {
  const store = await PostgresQueueStore.open(new Postgres(url, { connections }), name)
  onTestFinished(() => store.close())
  return store
}

describe.skipIf(missingPostgres())('several relays over one PostgreSQL', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  async function nodes<const N extends readonly string[]>(
    ...names: N
  ): Promise<{ readonly [K in keyof N]: PostgresQueueStore }> {
    const url = await server.newDatabase()
    return (await Promise.all(names.map(name => node(url, name)))) as never
  }

  test('what one has accepted another delivers, with its body', async () => {
    const [one, two] = await nodes('one', 'two')
    const content = randomBytes(200_000)
    const made = await put(one, message(['bob@example.net']), content)
    const leased = await leaseOne(two)
    expect(leased.message).toEqual({ ...made, size: content.length })
    expect((await bodyOf(two, made.id)).equals(content)).toBe(true)
    expect(await two.settle(leased, settlement(leased, DELIVERED))).toBe(true)
    expect((await one.find(made.id))?.recipients).toMatchObject([{ state: 'delivered' }])
  })

  test('nodes that lease at the same moment never get the same delivery', async () => {
    const [one, two, three] = await nodes('one', 'two', 'three')
    for (let i = 0; i < 90; i++) await put(one, message([`x@d${i % 5}.example.net`]))
    const taken: Lease[] = []
    while (taken.length < 90) {
      const leases = await Promise.all(
        [one, two, three, one, two, three].map(store => lease(store, T0, { limit: 7 })),
      )
      expect(leases.flat().length).toBeGreaterThan(0)
      taken.push(...leases.flat())
    }
    expect(new Set(taken.map(({ deliveryId }) => deliveryId)).size).toBe(90)
  })

  test('the lease of a node that died ends with its time, and its word comes too late', async () => {
    const [one, two] = await nodes('one', 'two')
    const made = await put(one, message(['bob@example.net']))
    const lost = await leaseOne(one)
    expect(await lease(two, T0 + 59_999)).toEqual([])
    const taken = await leaseOne(two, T0 + 60_000)
    expect(taken).toMatchObject({ deliveryId: lost.deliveryId, indeterminate: true })
    expect(await one.settle(lost, settlement(lost, DELIVERED))).toBe(false)
    await one.giveBack(lost, T0)
    expect(await two.settle(taken, settlement(taken, DELIVERED))).toBe(true)
    expect((await one.find(made.id))?.timeline.map(({ kind }) => kind)).toEqual([
      'accepted',
      'delivered',
    ])
  })

  test('a node that starts again ends its own leases, and nobody else’s', async () => {
    const url = await server.newDatabase()
    const one = await node(url, 'one')
    const two = await node(url, 'two')
    await put(one, message(['a@example.net']))
    await put(one, message(['b@example.com']))
    const [first] = await lease(one, T0, { limit: 1 })
    const [second] = await lease(two, T0, { limit: 1 })
    const again = await node(url, 'one')
    const leases = await lease(again)
    expect(leases.map(({ deliveryId }) => deliveryId)).toEqual([first?.deliveryId])
    expect(leases[0]?.indeterminate).toBe(true)
    expect(await two.settle(second as Lease, settlement(second as Lease, DELIVERED))).toBe(true)
  })

  test('a message whose last deliveries end on two nodes at once is at its end', async () => {
    const [one, two] = await nodes('one', 'two')
    for (let round = 0; round < 15; round++) {
      const made = await put(one, message(['a@example.net', 'b@example.com']))
      const [first, second] = (await lease(one)) as readonly [Lease, Lease]
      await Promise.all([
        one.settle(first, settlement(first, DELIVERED)),
        two.settle(second, settlement(second, DELIVERED)),
      ])
      await expect(bodyOf(one, made.id)).rejects.toThrow(/no body/)
    }
    expect((await two.counts()).oldestAt).toBeUndefined()
  })

  test('a sweep of one node leaves a body alone that another is taking in', async () => {
    const [one, two] = await nodes('one', 'two')
    const content = randomBytes(300_000)
    const body = one.newBody()
    await body.write(content)
    await two.sweep(T0 + 1e9)
    const made = message(['bob@example.net'])
    await one.put(made, body)
    expect((await bodyOf(two, made.id)).equals(content)).toBe(true)
  })

  test('half a body that a node died with is gone when it starts again', async () => {
    const url = await server.newDatabase()
    const one = await node(url, 'one')
    await one.newBody().write(randomBytes(300_000))
    expect(await server.ask(url, 'select 1 from chunk')).not.toEqual([])
    await node(url, 'one')
    expect(await server.ask(url, 'select 1 from chunk')).toEqual([])
  })

  test('a limit is one for all nodes, however many ask at once', async () => {
    const stores = await nodes('one', 'two', 'three')
    const MOST = 5
    const results = await Promise.all(
      Array.from({ length: 18 }, async (_, i) => {
        const store = stores[i % 3] ?? stores[0]
        const body = store.newBody()
        await body.write(Buffer.from('hello\r\n'))
        const judgement = await store.ledger.putCounted(
          message(['bob@example.net']),
          body,
          {
            login: 'alice',
            now: T0,
            recipients: 1,
            digests: [],
            judge: (usage): Judgement =>
              usage.some(({ messages }) => messages >= MOST)
                ? { kind: 'defer', limit: 'messages_per_hour', most: MOST, until: T0 }
                : { kind: 'within' },
          },
          () => '',
        )
        return judgement.kind
      }),
    )
    expect(results.filter(kind => kind === 'within')).toHaveLength(MOST)
    expect(await stores[0].counts()).toMatchObject({ queued: MOST })
  })

  test('a hold that is set on one node holds on all', async () => {
    const [one, two] = await nodes('one', 'two')
    await put(one, message(['bob@example.net']))
    await one.hold({ kind: 'login', value: 'alice' }, { by: 'root', at: T0 })
    expect(await lease(two)).toEqual([])
    await two.lift({ kind: 'login', value: 'alice' }, { by: 'root', at: T0 })
    expect(await lease(one)).toHaveLength(1)
  })
})

describe.skipIf(missingPostgres())('a database that crashes under load', () => {
  const CYCLES = 5

  test('loses nothing that was accepted, and nothing of it is half there', async () => {
    const server = await startPostgres({ durable: true })
    onTestFinished(() => server.stop())
    const url = await server.newDatabase()
    const stores = [await node(url, 'one'), await node(url, 'two')]
    const ledger = new Map<string, Buffer>()
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      const over = new AbortController()
      const failures: unknown[] = []
      const load = Promise.all(
        [...stores, ...stores].map(async store => {
          while (!over.signal.aborted) {
            const made = message(['bob@example.net'])
            const content = randomBytes(1_000 + Math.floor(Math.random() * 150_000))
            await put(store, made, content).then(
              () => ledger.set(made.id, content),
              (error: unknown) => failures.push(error),
            )
            if (failures.length > 0) await new Promise(resolve => setTimeout(resolve, 5))
          }
        }),
      )
      const enough = ledger.size + 15 + Math.floor(Math.random() * 20)
      await eventually(() => ledger.size >= enough, `${enough} messages accepted`)
      await server.crash()
      const before = ledger.size
      // By itself, on the connections of before.
      await eventually(() => ledger.size > before, 'messages accepted after the crash')
      over.abort()
      await load
      expect(failures.length).toBeGreaterThan(0)
      expect(new Set(failures.map(error => (error as Error).name))).toEqual(
        new Set(['StoreUnavailable']),
      )
    }
    for (const [id, content] of ledger) {
      expect((await bodyOf(stores[1] as PostgresQueueStore, id)).equals(content)).toBe(true)
    }
    expect((await stores[0]?.counts())?.queued).toBeGreaterThanOrEqual(ledger.size)
  })
})
