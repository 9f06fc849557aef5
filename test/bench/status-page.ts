/*
 * How long the status page takes with a million canaries in the history, in SQLite and, where it is installed, in
 * PostgreSQL. Prints a table; the goal is 200 ms for whatever a person asks for.
 *
 *     node test/bench/status-page.ts [canaries]
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'

import Database from 'better-sqlite3'

import { DAY, MINUTE } from '../../src/base/clock.ts'
import { Postgres } from '../../src/base/postgres.ts'
import { createHealth } from '../../src/observe/health.ts'
import type { HistoryStore } from '../../src/probe/history.ts'
import { PostgresHistory } from '../../src/probe/postgres-history.ts'
import { countArrivals, countVerdicts } from '../../src/probe/postgres-roll-up.ts'
import { SqliteHistory } from '../../src/probe/sqlite-history.ts'
import * as sqlite from '../../src/probe/sqlite-roll-up.ts'
import { prepare } from '../../src/probe/sqlite-schema.ts'
import { wilson } from '../../src/probe/statistics/interval.ts'
import { AdminServer } from '../../src/web/admin-server.ts'
import { RANGES } from '../../src/web/browser/status-data.ts'
import { RealMailTally } from '../../src/web/real-mail.ts'
import { createStatusSource } from '../../src/web/status.ts'
import { missingPostgres, startPostgres } from '../support/postgres.ts'
import { makeScratch } from '../support/scratch.ts'

const CANARIES = Number(process.argv[2] ?? 1_000_000)
const ORIGINS = ['relay', 'old-server', 'smarthost']
const PROVIDERS = ['gmail', 'hotmail', 'yahoo', 'icloud', 'riseup']
const SEEDS = Array.from({ length: 20 }, (_, index) => {
  const provider = PROVIDERS[index % PROVIDERS.length] ?? ''
  return { provider, name: `${provider}-${Math.floor(index / PROVIDERS.length) + 1}` }
})
const EVERY = 10 * MINUTE
const GOAL = 200

interface Row {
  readonly id: string
  readonly origin: string
  readonly seed: string
  readonly provider: string
  readonly at: number
  readonly label: string
  readonly seconds: number | null
}

/** Sixty probes every ten minutes; one canary of twenty is in spam, one of fifty is lost. */
function* rows(now: number): Generator<Row> {
  for (let index = 0; index < CANARIES; index++) {
    const origin = ORIGINS[index % ORIGINS.length] ?? ''
    const seed = SEEDS[Math.floor(index / ORIGINS.length) % SEEDS.length] ?? {
      name: '',
      provider: '',
    }
    const round = Math.floor(index / (ORIGINS.length * SEEDS.length))
    const label = index % 50 === 7 ? 'missing' : index % 20 === 3 ? 'spam' : 'inbox'
    yield {
      id: String(index),
      origin,
      seed: seed.name,
      provider: seed.provider,
      at: now - round * EVERY - (index % 60) * 997,
      label,
      seconds: label === 'missing' ? null : 0.5 + ((index * 7_919) % 900) / 10,
    }
  }
}

const COLUMNS =
  'id, probe, origin, seed, provider, content, token, scheduled_at, submitted_at, deadline_at, label, verdict, decided_at, seconds'

function verdictOf({ label, seconds }: Row): string {
  return JSON.stringify(
    seconds === null
      ? { kind: 'missing', stage: 'submitted' }
      : { kind: 'arrived', placement: label, seconds, arrivalSource: 'internaldate', auth: {} },
  )
}

function sqliteHistory(folder: string, now: number): HistoryStore {
  const file = join(folder, 'history.sqlite')
  const db = new Database(file)
  prepare(db)
  const insert = db.prepare(
    `insert into canary (${COLUMNS}) values ($id, $id, $origin, $seed, $provider, 'plain', $id, $at, $at, $at, $label, $verdict, $at, $seconds)`,
  )
  db.transaction(() => {
    for (const row of rows(now)) insert.run({ ...row, verdict: verdictOf(row) })
    db.exec(sqlite.countVerdicts(`label <> ''`))
    db.exec(sqlite.countArrivals(`label <> ''`))
  })()
  db.close()
  return new SqliteHistory(file)
}

async function postgresHistory(database: Postgres, now: number): Promise<HistoryStore> {
  const history = await PostgresHistory.open(database)
  let batch: Row[] = []
  const store = async (): Promise<void> => {
    await database.run(
      `insert into canary (${COLUMNS})
        select id, id, origin, seed, provider, 'plain', id, at, at, at, label, verdict, at, nullif(seconds, -1) from
        unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::float8[])
          as rows (id, origin, seed, provider, at, label, verdict, seconds)`,
      [
        batch.map(row => row.id),
        batch.map(row => row.origin),
        batch.map(row => row.seed),
        batch.map(row => row.provider),
        batch.map(row => row.at),
        batch.map(row => row.label),
        batch.map(verdictOf),
        batch.map(row => row.seconds ?? -1),
      ],
    )
    const some = `canary where id = any($1) and`
    const ids = [batch.map(row => row.id)]
    await database.run(countVerdicts(`${some} label <> ''`), ids)
    await database.run(countArrivals(`${some} seconds is not null`), ids)
    batch = []
  }
  for (const row of rows(now)) if (batch.push(row) === 10_000) await store()
  if (batch.length > 0) await store()
  await database.run('analyze')
  return history
}

interface Times {
  readonly median: number
  readonly most: number
  /** Of this process, which answers and asks; on a busy machine the rest is waiting. */
  readonly processor: number
}

/** Milliseconds of some answers. */
async function measure(url: string): Promise<Times> {
  const times: number[] = []
  const processor: number[] = []
  for (let index = 0; index < 9; index++) {
    // Nothing that was asked just before answers for this one.
    server?.changed()
    const used = process.cpuUsage()
    const began = performance.now()
    const answer = await fetch(url)
    await answer.arrayBuffer()
    if (!answer.ok) throw new Error(`${url} answered ${answer.status}`)
    times.push(performance.now() - began)
    const { user, system } = process.cpuUsage(used)
    processor.push((user + system) / 1_000)
  }
  for (const list of [times, processor]) list.sort((a, b) => a - b)
  return { median: times[4] ?? 0, most: times[8] ?? 0, processor: processor[4] ?? 0 }
}

let server: AdminServer | undefined
const over: string[] = []

function lineOf(name: string, question: string, ...numbers: readonly string[]): string {
  return `${name.padEnd(11)}${question.padEnd(66)}${numbers.map(number => number.padStart(10)).join('')}`
}

async function bench(name: string, history: HistoryStore, now: number): Promise<void> {
  const clock = (): number => now
  server = new AdminServer({
    host: '127.0.0.1',
    port: 0,
    metrics: async () => ({ contentType: 'text/plain', text: '' }),
    health: createHealth({ alive: [], ready: [] }),
    status: createStatusSource({
      history,
      real: new RealMailTally({ clock, providers: PROVIDERS }),
      names: () => ({ origins: ORIGINS, seeds: SEEDS }),
      interval: wilson,
      version: '',
      clock,
    }),
    trace: async () => undefined,
  })
  await server.start()
  const url = `http://127.0.0.1:${server.port}`
  const questions = [
    ...RANGES.map(range => `/api/status?range=${range}`),
    '/api/seeds/gmail-1?range=30d',
    '/api/canaries?limit=25',
    '/api/canaries?limit=100&verdict=missing&origin=relay',
    '/api/canaries?limit=100&seed=yahoo-2&verdict=spam',
    `/api/canaries?limit=100&provider=nobody&since=${now - 30 * DAY}`,
    '/api/canaries?limit=100&verdict=bounced',
  ]
  for (const question of questions) {
    const { median, most, processor } = await measure(url + question)
    console.log(lineOf(name, question, ...[median, most, processor].map(time => time.toFixed(0))))
    if (median > GOAL) over.push(`${name} ${question}`)
  }
  await server.stop()
  await history.close()
}

const now = Date.now()
const folder = await makeScratch()
console.log(`${CANARIES.toLocaleString('en')} canaries; milliseconds of nine answers\n`)
console.log(lineOf('history', 'question', 'median', 'slowest', 'processor'))
try {
  await bench('SQLite', sqliteHistory(folder, now), now)
  if (missingPostgres() === undefined) {
    const postgres = await startPostgres()
    try {
      const database = new Postgres(await postgres.newDatabase(), { connections: 5 })
      await bench('PostgreSQL', await postgresHistory(database, now), now)
    } finally {
      await postgres.stop()
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
console.log(
  over.length === 0
    ? `\nEvery median is within ${GOAL} ms.`
    : `\nOver ${GOAL} ms: ${over.join(', ')}`,
)
