import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import { DatabaseUnavailable, Postgres, type Session } from '../../src/base/postgres.ts'
import { PostgresQueueStore } from '../../src/relay/queue/postgres-store.ts'
import { StoreUnavailable } from '../../src/relay/queue/store.ts'
import { ledgerContract } from '../relay/limits/ledger.contract.ts'
import { missingPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts'
import { lease, leaseOne, message, put, T0 } from './queue-store-samples.ts'
import { queueStoreContract } from './queue-store.contract.ts'

/** Its connection ends when the next transaction is committed, before the answer comes. */
class LosesAnswers extends Postgres {
  loseNext = false

  override async transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const answer = await super.transaction(work)
    if (!this.loseNext) return answer
    this.loseNext = false
    throw new DatabaseUnavailable('the connection ended')
  }
}

describe.skipIf(missingPostgres())('with a real PostgreSQL', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  async function open(): Promise<{
    readonly store: PostgresQueueStore
    readonly reopen: () => Promise<PostgresQueueStore>
  }> {
    const url = await server.newDatabase()
    const connect = (): Promise<PostgresQueueStore> =>
      PostgresQueueStore.open(new Postgres(url, { connections: 3 }), 'node-1')
    let store = await connect()
    onTestFinished(() => store.close())
    return {
      store,
      async reopen() {
        await store.close()
        store = await connect()
        return store
      },
    }
  }

  queueStoreContract('PostgresQueueStore', open)
  ledgerContract('PostgreSQL', open)

  test('a lease whose answer was lost is given again at once, and what others work on is not', async () => {
    const url = await server.newDatabase()
    const database = new LosesAnswers(url, { connections: 3 })
    const store = await PostgresQueueStore.open(database, 'node-1')
    const other = await PostgresQueueStore.open(new Postgres(url, { connections: 3 }), 'node-2')
    onTestFinished(async () => {
      await store.close()
      await other.close()
    })
    const putOne = (name: string): Promise<unknown> =>
      put(store, message([`x@${name}.example.net`]))
    await putOne('ours')
    const ours = await leaseOne(store)
    await putOne('theirs')
    await leaseOne(other)
    await putOne('lost')
    database.loseNext = true
    await expect(lease(store)).rejects.toThrow(StoreUnavailable)
    expect(await leaseOne(store)).toMatchObject({
      domain: 'lost.example.net',
      attempts: 0,
      indeterminate: false,
    })
    await store.giveBack(ours, T0)
    expect((await leaseOne(store)).deliveryId).toBe(ours.deliveryId)
  })
})
