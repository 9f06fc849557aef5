import { afterAll, beforeAll, expect, test } from 'vitest'

import { Postgres } from '../../src/base/postgres.ts'
import type { HistoryStore } from '../../src/probe/history.ts'
import { PostgresHistory } from '../../src/probe/postgres-history.ts'
import { SqliteHistory } from '../../src/probe/sqlite-history.ts'
import { missingPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts'
import { isOnTheLine, objection } from './ledger.ts'
import { confusion } from './matrix.ts'
import { runTruth } from './run.ts'

/*
 * The verdicts against what really happened: canaries go through the built relay to simulated providers that know what is to
 * become of each, while a provider cannot be read, the relay is killed, the prober is stopped and the database crashes. Every
 * verdict that is not the truth fails. `npm run truth` sends 5,000.
 */

const CANARIES = Number(process.env['MAILCANARY_TRUTH'] ?? 180)
const LARGE = CANARIES > 1_000
const SIZE = {
  canaries: CANARIES,
  pace: LARGE ? 20 : 40,
  seeds: LARGE ? 6 : 2,
  times: { deadline: LARGE ? 20_000 : 5_000, lateBy: 4_000 },
}

let server: PostgresServer | undefined
let history: HistoryStore

beforeAll(async () => {
  if (missingPostgres() === undefined) {
    server = await startPostgres()
    const url = await server.newDatabase()
    history = await PostgresHistory.open(new Postgres(url, { connections: 10 }))
  } else history = new SqliteHistory(':memory:')
})

afterAll(async () => {
  await history.close()
  await server?.stop()
})

test(
  `${CANARIES} canaries are judged as what became of them`,
  async () => {
    const database = server
    const { records, events } = await runTruth({
      ...SIZE,
      history,
      ...(database && { restartDatabase: () => database.crash() }),
    })
    process.stdout.write(`\n${confusion(records)}\n\n`)
    const wrong = records.flatMap(([entry, record]) => {
      const why = isOnTheLine(entry, record) ? '' : objection(entry, record)
      const { filed, kind, fate, taken, told } = entry
      const what = JSON.stringify({ filed, taken, told, verdict: record.verdict })
      return why === '' ? [] : [`${fate} by ${kind} to ${record.canary.seed} ${why}: ${what}`]
    })
    expect(wrong).toEqual([])
    // Nearly all were sent: the database was away for a moment only.
    expect(records.length).toBeGreaterThan(0.9 * CANARIES)
    const late = records.filter(([{ fate, blind }]) => fate === 'late' && blind === undefined)
    for (const [entry, { verdict, lateAt }] of late) {
      if (entry.taken && verdict?.kind === 'missing') expect(lateAt).toBeGreaterThan(0)
    }
    const forged = records.filter(([{ fate, taken }]) => fate === 'forged' && taken)
    const reported = events.filter(({ kind }) => kind === 'forged-canary')
    expect(reported.length).toBeGreaterThanOrEqual(forged.length)
    // One verdict is told for each canary, whatever was restarted.
    const told = events.flatMap(event => (event.kind === 'verdict' ? [event.id] : []))
    expect(new Set(told).size).toBe(told.length)
  },
  LARGE ? 1_200_000 : 120_000,
)
