import { afterAll, beforeAll, describe, onTestFinished, test } from 'vitest'

import { migrate, Postgres } from '../../src/base/postgres.ts'
import { PostgresHistory } from '../../src/probe/postgres-history.ts'
import { HISTORY_MIGRATIONS } from '../../src/probe/postgres-schema.ts'
import { missingPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts'
import {
  expectCountsOfVersion1,
  historyCountsContract,
  ROWS_OF_VERSION_1,
} from './history-counts.ts'
import { historyContract } from './history.ts'

describe.skipIf(missingPostgres())('with a real PostgreSQL', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  const open = async (): Promise<PostgresHistory> =>
    PostgresHistory.open(new Postgres(await server.newDatabase(), { connections: 2 }))
  historyContract('a history in PostgreSQL', open)
  historyCountsContract('the counts of a history in PostgreSQL', open)

  test('what was there before there were counts is counted', async () => {
    const url = await server.newDatabase()
    const before = new Postgres(url, { connections: 2 })
    await migrate(before, 'history', HISTORY_MIGRATIONS.slice(0, 1))
    await before.run(ROWS_OF_VERSION_1)
    await before.close()
    const history = await PostgresHistory.open(new Postgres(url, { connections: 2 }))
    onTestFinished(() => history.close())
    await expectCountsOfVersion1(history)
  })
})
