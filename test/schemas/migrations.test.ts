import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { PostgresApplicationPasswords } from '../../src/account/postgres-application-passwords.ts'
import { SqliteApplicationPasswords } from '../../src/account/sqlite-application-passwords.ts'
import { Postgres } from '../../src/base/postgres.ts'
import type { Secret } from '../../src/base/secret.ts'
import type { HistoryStore } from '../../src/probe/history.ts'
import { PostgresHistory } from '../../src/probe/postgres-history.ts'
import { SqliteHistory } from '../../src/probe/sqlite-history.ts'
import { PostgresQueueStore } from '../../src/relay/queue/postgres-store.ts'
import { SqliteQueueStore } from '../../src/relay/queue/sqlite-store.ts'
import type { QueueStore } from '../../src/relay/queue/store.ts'
import { missingPostgres, startPostgres, type PostgresServer } from '../support/postgres.ts'
import { scratchFolder } from '../support/scratch.ts'
import { missing } from '../support/server-process.ts'
import { dumpPostgres, fileOf, keptVersions, PARTS, type Part } from './stored.ts'

/*
 * A database of every schema there has been, as its own program left it, is brought up to date: its tables become those of a new
 * one, and no row is lost or changed. Whoever adds a migration keeps the database of the schema before it, and of the new one:
 * npm run schemas.
 */

/** Who opens a part, brings it up to date, and can be asked for what the samples put in. */
interface Opened {
  close(): Promise<void>
  /** What every part is filled with, read by the program of today. */
  readonly holds: () => Promise<boolean>
}

const FILES: Readonly<Record<Part, (path: string) => Promise<Opened>>> = {
  queue: async path => queueOf(await SqliteQueueStore.open(path)),
  history: async path => historyOf(new SqliteHistory(path)),
  account: async path => accountOf(new SqliteApplicationPasswords(path)),
}

const DATABASES: Readonly<Record<Part, (database: Postgres) => Promise<Opened>>> = {
  queue: async database => queueOf(await PostgresQueueStore.open(database, 'node-1')),
  history: async database => historyOf(await PostgresHistory.open(database)),
  account: async database => accountOf(await PostgresApplicationPasswords.open(database)),
}

function queueOf(store: QueueStore): Opened {
  return {
    close: () => store.close(),
    async holds() {
      const { queued } = await store.counts()
      const [due] = await store.lease({
        now: Date.now(),
        until: Date.now() + 60_000,
        limit: 10,
        perDomain: 10,
        running: new Map(),
      })
      const found = due && (await store.find(due.message.id))
      return (
        queued === 1 &&
        due?.recipients.length === 2 &&
        found?.timeline.some(({ kind }) => kind === 'deferred') === true
      )
    },
  }
}

function historyOf(store: HistoryStore): Opened {
  return {
    close: () => store.close(),
    async holds() {
      const [first, second] = await store.list({ limit: 10 })
      const tallies = await store.tally(0, Number.MAX_SAFE_INTEGER, 0)
      return (
        first?.verdict === undefined &&
        second?.verdict?.kind === 'arrived' &&
        tallies.reduce((sum, { counts }) => sum + counts.inbox, 0) === 1
      )
    },
  }
}

function accountOf(store: SqliteApplicationPasswords | PostgresApplicationPasswords): Opened {
  return {
    close: () => store.close(),
    async holds() {
      const found = await store.find('alice', Buffer.alloc(32, 7))
      return found?.name === 'laptop'
    },
  }
}

type Rows = ReadonlyMap<string, readonly Readonly<Record<string, unknown>>[]>

/** Every row there was is there, whatever columns and rows have come since. */
function expectKept(before: Rows, after: Rows): void {
  for (const [table, rows] of before) {
    const now = after.get(table) ?? []
    for (const row of rows) expect(now, table).toContainEqual(expect.objectContaining(row))
  }
}

function rowsOf(database: Database.Database): Rows {
  const tables = database
    .prepare<[], string>("select name from sqlite_schema where type = 'table'")
    .pluck()
    .all()
  return new Map(
    tables.map(table => [
      table,
      database.prepare<[], Record<string, unknown>>(`select * from ${table}`).all(),
    ]),
  )
}

function schemaOf(database: Database.Database): unknown {
  return database
    .prepare('select type, name, tbl_name, sql from sqlite_schema order by type, name')
    .all()
}

describe('a file of an earlier schema', () => {
  const cases = PARTS.flatMap(part =>
    keptVersions(part, 'sqlite').map(version => ({ part, version })),
  )

  test.each(cases)('$part $version is brought up to date', async ({ part, version }) => {
    const folder = await scratchFolder()
    const [path, fresh] = [join(folder, 'old.sqlite'), join(folder, 'new.sqlite')]
    const old = new Database(path)
    old.exec(readFileSync(fileOf(part, 'sqlite', version), 'utf8'))
    const before = rowsOf(old)
    old.close()

    await (await FILES[part](path)).close()
    await (await FILES[part](fresh)).close()
    const [migrated, made] = [new Database(path), new Database(fresh)]
    expect(schemaOf(migrated)).toEqual(schemaOf(made))
    expect(migrated.pragma('integrity_check', { simple: true })).toBe('ok')
    expect(migrated.pragma('foreign_key_check')).toEqual([])
    expectKept(before, rowsOf(migrated))
    migrated.close()
    made.close()

    const opened = await FILES[part](path)
    expect(await opened.holds()).toBe(true)
    await opened.close()
  })

  test.each(PARTS)('of the newest schema of %s is kept one too', async part => {
    const path = join(await scratchFolder(), 'new.sqlite')
    await (await FILES[part](path)).close()
    const database = new Database(path)
    const version = database.pragma('user_version', { simple: true })
    database.close()
    expect(keptVersions(part, 'sqlite').at(-1), 'run: npm run schemas').toBe(version)
  })

  test.each(PARTS)('of a newer schema of %s is left alone', async part => {
    const path = join(await scratchFolder(), 'new.sqlite')
    await (await FILES[part](path)).close()
    const database = new Database(path)
    database.pragma('user_version = 99')
    database.close()
    await expect((async () => FILES[part](path))()).rejects.toThrow(
      /new\.sqlite was written by a newer mailcanary \(schema 99, this one knows \d+\); run that version again/,
    )
  })
})

describe.skipIf(missingPostgres() ?? missing('pg_dump'))('a database of an earlier schema', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  const open = (part: Part, url: Secret): Promise<Opened> =>
    DATABASES[part](new Postgres(url, { connections: 2 }))

  async function rowsIn(url: Secret): Promise<Rows> {
    const tables = await server.ask<{ name: string }>(
      url,
      `select tablename as name from pg_tables where schemaname = 'public' and tablename <> 'schema_version'`,
    )
    const rows = tables.map(
      async ({ name }) =>
        [
          name,
          await server.ask<Record<string, unknown>>(url, `select * from public.${name}`),
        ] as const,
    )
    return new Map(await Promise.all(rows))
  }

  const cases = PARTS.flatMap(part =>
    keptVersions(part, 'postgres').map(version => ({ part, version })),
  )

  test.each(cases)('$part $version is brought up to date', async ({ part, version }) => {
    const [old, fresh] = [await server.newDatabase(), await server.newDatabase()]
    await server.ask(old, readFileSync(fileOf(part, 'postgres', version), 'utf8'))
    const before = await rowsIn(old)
    await (await open(part, old)).close()
    await (await open(part, fresh)).close()
    expect(dumpPostgres(old, '--schema-only')).toBe(dumpPostgres(fresh, '--schema-only'))
    expectKept(before, await rowsIn(old))
    const opened = await open(part, old)
    expect(await opened.holds()).toBe(true)
    await opened.close()
  })

  test.each(PARTS)('of the newest schema of %s is kept one too', async part => {
    const url = await server.newDatabase()
    await (await open(part, url)).close()
    const [row] = await server.ask<{ version: number }>(url, 'select version from schema_version')
    expect(keptVersions(part, 'postgres').at(-1), 'run: npm run schemas').toBe(row?.version)
  })

  test.each(PARTS)('of a newer schema of %s is left alone', async part => {
    const url = await server.newDatabase()
    await (await open(part, url)).close()
    await server.ask(url, 'update schema_version set version = 99')
    await expect(open(part, url)).rejects.toThrow(
      /was made by a newer mailcanary \(schema 99, this one knows \d+\); run that version again/,
    )
  })
})
