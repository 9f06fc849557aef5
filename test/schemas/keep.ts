import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { PostgresApplicationPasswords } from '../../src/account/postgres-application-passwords.ts'
import { SqliteApplicationPasswords } from '../../src/account/sqlite-application-passwords.ts'
import { Postgres } from '../../src/base/postgres.ts'
import type { HistoryStore } from '../../src/probe/history.ts'
import { PostgresHistory } from '../../src/probe/postgres-history.ts'
import { SqliteHistory } from '../../src/probe/sqlite-history.ts'
import { PostgresQueueStore } from '../../src/relay/queue/postgres-store.ts'
import { SqliteQueueStore } from '../../src/relay/queue/sqlite-store.ts'
import type { QueueStore } from '../../src/relay/queue/store.ts'
import { arrived, canary, sighting, T0 } from '../contract/history-samples.ts'
import * as queue from '../contract/queue-store-samples.ts'
import { startPostgres } from '../support/postgres.ts'
import { PARTS, dumpPostgres, dumpSqlite, fileOf, type Part } from './stored.ts'

/*
 * Keeps a database of each newest schema as SQL, with rows that its own program wrote, for the test that brings old ones up to
 * date: `node test/schemas/keep.ts`. Those that are kept already stay as they are, for that is what they are for.
 */

async function fillQueue(store: QueueStore): Promise<void> {
  await queue.put(store, queue.message(['bob@example.net']))
  const first = await queue.leaseOne(store)
  await store.settle(first, queue.settlement(first, queue.DELIVERED))
  await queue.put(store, queue.message(['carol@example.com', 'dan@example.com']))
  const second = await queue.leaseOne(store)
  await store.settle(second, queue.settlement(second, queue.DEFERRED))
}

async function fillHistory(history: HistoryStore): Promise<void> {
  const found = canary()
  await history.begin(found)
  await history.submitted(found.id, T0 + 100, 'QUEUED')
  await history.sighted(found.id, sighting())
  await history.decide(found.id, arrived('inbox', 1), T0 + 2_000)
  await history.begin(canary({ scheduledAt: T0 + 60_000 }))
  const look = { seed: 'gmail-1', beganAt: T0, endedAt: T0 + 1_000, complete: true, detail: '' }
  await history.looked(look)
}

async function fillAccount(
  store: SqliteApplicationPasswords | PostgresApplicationPasswords,
): Promise<void> {
  const password = {
    id: 'laptop-1',
    login: 'alice',
    account: '5d5c1d1e-0000-4000-8000-000000000001',
    name: 'laptop',
    createdAt: queue.T0,
    usedAt: undefined,
  }
  await store.add(password, Buffer.alloc(32, 7), 10)
}

/** Opens a part's store in a file, fills it and closes it. */
const IN_A_FILE: Readonly<Record<Part, (path: string) => Promise<void>>> = {
  async queue(path) {
    const store = await SqliteQueueStore.open(path)
    await fillQueue(store)
    await store.close()
  },
  async history(path) {
    const store = new SqliteHistory(path)
    await fillHistory(store)
    await store.close()
  },
  async account(path) {
    const store = new SqliteApplicationPasswords(path)
    await fillAccount(store)
    await store.close()
  },
}

/** The same in a database of its own; the store closes it. */
const IN_POSTGRES: Readonly<Record<Part, (database: Postgres) => Promise<void>>> = {
  async queue(database) {
    const store = await PostgresQueueStore.open(database, 'node-1')
    await fillQueue(store)
    await store.close()
  },
  async history(database) {
    const store = await PostgresHistory.open(database)
    await fillHistory(store)
    await store.close()
  },
  async account(database) {
    const store = await PostgresApplicationPasswords.open(database)
    await fillAccount(store)
    await store.close()
  },
}

async function keep(file: string, sql: string): Promise<void> {
  if (existsSync(file)) return
  await writeFile(file, sql)
  process.stdout.write(`${file}\n`)
}

const folder = await mkdtemp(join(tmpdir(), 'mailcanary-schemas-'))
const server = await startPostgres()
try {
  for (const part of PARTS) {
    const path = join(folder, `${part}.sqlite`)
    await IN_A_FILE[part](path)
    const stored = dumpSqlite(path)
    await keep(fileOf(part, 'sqlite', stored.version), stored.sql)

    const url = await server.newDatabase()
    await IN_POSTGRES[part](new Postgres(url, { connections: 2 }))
    const [row] = await server.ask<{ version: number }>(url, 'select version from schema_version')
    await keep(fileOf(part, 'postgres', row?.version ?? 0), dumpPostgres(url))
  }
} finally {
  await server.stop()
  await rm(folder, { recursive: true, force: true })
}
