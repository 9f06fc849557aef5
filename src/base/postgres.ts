import pg from 'pg'

import { SECOND } from './clock.ts'
import { codeOf, messageOf, Problem } from './problem.ts'
import type { Secret } from './secret.ts'

/*
 * The only place that knows pg. Whatever goes wrong with the way to the database is a `DatabaseUnavailable`; the pool
 * throws the broken connection away and makes another for the next question. Nothing is asked twice by itself: of a
 * statement whose answer was lost nobody knows whether it was done.
 */

export type SqlValue =
  | string
  | number
  | boolean
  | Uint8Array
  | null
  | readonly (string | number | boolean | null)[]

/** Where statements are run: each by itself, or all in one transaction. */
export interface Session {
  rows<Row>(sql: string, values?: readonly SqlValue[]): Promise<Row[]>
  /** @returns how many rows it was about */
  run(sql: string, values?: readonly SqlValue[]): Promise<number>
}

/** The database cannot be asked now; it may be later. */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable'
}

// Somebody waits for the answer: a client of the relay, a person before a page.
const CONNECT_WITHIN = 5 * SECOND
const ANSWER_WITHIN = 30 * SECOND
// A node that froze in the middle of a transaction must not keep the others from its rows.
const IDLE_IN_TRANSACTION = 60 * SECOND
/** One lock for every schema of ours in one database: "mailcana" as a number. */
const MIGRATION_LOCK = '7881696737119792737'

const INT8 = 20

/** A pool of connections to one PostgreSQL. */
export class Postgres implements Session {
  readonly #pool: pg.Pool

  /** @param url `postgres://USER:PASSWORD@HOST/DATABASE`, with `?sslmode=verify-full` where it is another host */
  constructor(url: Secret, { connections }: { readonly connections: number }) {
    this.#pool = new pg.Pool({
      connectionString: url.reveal(),
      application_name: 'mailcanary',
      max: connections,
      connectionTimeoutMillis: CONNECT_WITHIN,
      query_timeout: ANSWER_WITHIN,
      statement_timeout: ANSWER_WITHIN,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION,
      keepAlive: true,
      // What resolved is on the disk, whatever the server's own default is.
      options: '-c synchronous_commit=on',
      types: { getTypeParser: parserOf },
    })
    // The end of an idle connection is no event for us, but without a listener it would end the process.
    this.#pool.on('error', () => undefined)
  }

  async rows<Row>(sql: string, values: readonly SqlValue[] = []): Promise<Row[]> {
    return (await translated(this.#pool.query(sql, storable(values)))).rows as Row[]
  }

  async run(sql: string, values: readonly SqlValue[] = []): Promise<number> {
    return (await translated(this.#pool.query(sql, storable(values)))).rowCount ?? 0
  }

  /** Does all of it or nothing. What `work` throws is thrown, and nothing is done. */
  async transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const client = await translated(this.#pool.connect())
    let broken: Error | undefined
    // The connection may end between two statements; the next one then says so.
    const onError = (error: Error): void => {
      broken = error
    }
    client.on('error', onError)
    try {
      // Each statement sees what others have committed by then, also what was waited for; a server may have another default.
      await translated(client.query('begin isolation level read committed'))
      const result = await work({
        rows: async <Row>(sql: string, values: readonly SqlValue[] = []) =>
          (await translated(client.query(sql, storable(values)))).rows as Row[],
        run: async (sql, values = []) =>
          (await translated(client.query(sql, storable(values)))).rowCount ?? 0,
      })
      await translated(client.query('commit'))
      return result
    } catch (error) {
      // A connection that did not answer may still be busy with the question: it is closed, and that rolls back too.
      if (error instanceof DatabaseUnavailable) broken ??= error
      else
        await client.query('rollback').catch((failure: Error) => {
          broken = failure
        })
      throw error
    } finally {
      client.off('error', onError)
      client.release(broken)
    }
  }

  async close(): Promise<void> {
    if (!this.#pool.ending) await this.#pool.end()
  }
}

/**
 * Brings one part's tables to the newest shape. Nodes that start together do it one after the other.
 *
 * @param part whose tables these are: `history`
 * @param migrations what leads from each version to the next, the first from nothing; never changed once released
 * @throws Problem if the tables were made by a newer version, or the database cannot be used
 */
export async function migrate(
  database: Postgres,
  part: string,
  migrations: readonly string[],
): Promise<void> {
  try {
    await database.transaction(async session => {
      await session.rows('select pg_advisory_xact_lock($1::bigint)', [MIGRATION_LOCK])
      await session.run(
        'create table if not exists schema_version (part text primary key, version integer not null)',
      )
      const [row] = await session.rows<{ version: number }>(
        'select version from schema_version where part = $1',
        [part],
      )
      const found = row?.version ?? 0
      const known = migrations.length
      if (found > known) {
        throw new Problem(
          `the ${part} in the database was made by a newer mailcanary (schema ${found}, this one knows ${known}); run that version again, or restore the backup made before it`,
        )
      }
      for (const sql of migrations.slice(found)) await session.run(sql)
      await session.run(
        `insert into schema_version (part, version) values ($1, $2)
          on conflict (part) do update set version = excluded.version`,
        [part, known],
      )
    })
  } catch (error) {
    if (error instanceof Problem) throw error
    throw new Problem(`the database for the ${part} cannot be used: ${messageOf(error)}`)
  }
}

/** Text in PostgreSQL cannot hold U+0000; what other servers say may. */
function storable(values: readonly SqlValue[]): unknown[] {
  const clean = (value: unknown): unknown =>
    typeof value === 'string' ? value.replaceAll('\0', '\uFFFD') : value
  return values.map(value => (Array.isArray(value) ? value.map(clean) : clean(value)))
}

/** Numbers come as text where they might not fit; ours are counts and milliseconds, which do. */
function parserOf(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (oid === INT8 && format !== 'binary') return Number
  return pg.types.getTypeParser(oid, format) as (value: string) => unknown
}

async function translated<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    throw isWeather(error)
      ? new DatabaseUnavailable(`the database is not available: ${sentenceOf(error)}`, {
          cause: error,
        })
      : error
  }
}

/**
 * Whether this says something of the database, not of the statement. By classes of PostgreSQL's appendix A: 08 connection,
 * 25006 a replica that takes no writes, 28 and 3D no access (any more), 40 rolled back, 53 resources, 57 shutdown or
 * cancelled, 58 its disk. What pg and the system say has no such code.
 */
function isWeather(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) {
    return /^(?:08|25006|28|3D|40|53|57|58)/.test(codeOf(error))
  }
  return error instanceof Error && !(error instanceof TypeError)
}

/** Every address of a name that refused, in one line: node gives them as an AggregateError without a message. */
function sentenceOf(error: unknown): string {
  const errors: readonly unknown[] = error instanceof AggregateError ? error.errors : [error]
  return errors.map(messageOf).join('; ')
}
