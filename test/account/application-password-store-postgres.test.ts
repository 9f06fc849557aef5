import { afterAll, beforeAll, describe, onTestFinished } from 'vitest'

import { PostgresApplicationPasswords } from '../../src/account/postgres-application-passwords.ts'
import { Postgres } from '../../src/base/postgres.ts'
import { missingPostgres, startPostgres, type PostgresServer } from '../support/postgres.ts'
import { applicationPasswordStoreContract } from './application-password-store.contract.ts'

describe.skipIf(missingPostgres())('with a real PostgreSQL', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  applicationPasswordStoreContract('PostgreSQL', async () => {
    const url = await server.newDatabase()
    const connect = (): Promise<PostgresApplicationPasswords> =>
      PostgresApplicationPasswords.open(new Postgres(url, { connections: 4 }))
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
  })
})
