import { afterAll, beforeAll, describe } from 'vitest'

import { Postgres } from '../../src/base/postgres.ts'
import { PostgresHistory } from '../../src/probe/postgres-history.ts'
import { missingPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts'
import { historyContract } from './history.ts'

describe.skipIf(missingPostgres())('with a real PostgreSQL', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  historyContract('a history in PostgreSQL', async () =>
    PostgresHistory.open(new Postgres(await server.newDatabase(), { connections: 2 })),
  )
})
