import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import { migrate, Postgres } from '../../src/base/postgres.ts'
import { PostgresHistory } from '../../src/probe/postgres-history.ts'
import {
  ARRIVAL_COUNTS,
  countArrivals,
  countVerdicts,
  TALLY,
} from '../../src/probe/postgres-roll-up.ts'
import { HISTORY_MIGRATIONS } from '../../src/probe/postgres-schema.ts'
import { wholeSpans } from '../../src/probe/roll-up.ts'
import { missingPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts'
import {
  expectCountsOfVersion1,
  historyCountsContract,
  ROWS_OF_VERSION_1,
} from './history-counts.ts'
import { T0 } from './history-samples.ts'
import { historyContract } from './history.ts'

const DAY = 86_400_000

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

  test('counts are read by the range of time, canaries only before and after whole spans', async () => {
    const url = await server.newDatabase()
    const history = await PostgresHistory.open(new Postgres(url, { connections: 2 }))
    onTestFinished(() => history.close())
    await server.ask(
      url,
      `insert into canary (id, probe, origin, seed, provider, content, token, scheduled_at, deadline_at, label, seconds)
        select i, i, 'relay', 'seed-' || i % 300, 'gmail', 'plain', i, ${T0} - i * 60000::bigint, 0,
          case when i % 500 = 0 then 'missing' else 'inbox' end, i % 100 + 1 from generate_series(1, 60000) as i;
        ${countVerdicts(`canary where label <> ''`)};
        ${countArrivals('canary where seconds is not null')};
        analyze`,
    )
    const since = T0 - 10 * DAY + 60_000
    const { span, from, until } = wholeSpans(since, T0, DAY)
    const values = [since, T0, DAY, span, from, until]
    const planOf = async (sql: string): Promise<string> => {
      const bound = sql.replaceAll(/\$(\d)/g, (_, index) => String(values[Number(index) - 1]))
      const lines = await server.ask<Record<string, string>>(url, `explain ${bound}`)
      return lines.map(line => line['QUERY PLAN']).join('\n')
    }
    for (const [sql, counts] of [
      [TALLY, 'verdict_count'],
      [ARRIVAL_COUNTS, 'arrival_count'],
    ] as const) {
      const plan = await planOf(sql)
      expect(plan).toMatch(new RegExp(`Index.* on ${counts}|Index.*${counts}_pkey`))
      expect(plan).toMatch(/Index.*canary_tally/)
      expect(plan).not.toMatch(/Seq Scan on (?!seed_look)/)
    }
    for (const [condition, index] of [
      [`seed = 'seed-3'`, 'canary_seed'],
      [`label = 'missing'`, 'canary_label'],
      ['true', 'canary_tally'],
    ] as const) {
      const plan = await planOf(
        `select * from canary where ${condition} and scheduled_at >= $1 and scheduled_at < $2 order by scheduled_at desc limit 25`,
      )
      expect(plan).toContain(`Index Scan Backward using ${index}`)
    }
  })

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
