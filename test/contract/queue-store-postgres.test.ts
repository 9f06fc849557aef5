import { afterAll, beforeAll, describe, onTestFinished } from 'vitest'

import { Postgres } from '../../src/base/postgres.ts'
import { PostgresQueueStore } from '../../src/relay/queue/postgres-store.ts'
import { ledgerContract } from '../relay/limits/ledger.contract.ts'
import { missingPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts'
import { queueStoreContract } from './queue-store.contract.ts'

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
})
