import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

import Database from 'better-sqlite3'

import type { Secret } from '../../src/base/secret.ts'

/** What has a schema of its own, in a file and in PostgreSQL. */
export const PARTS = ['queue', 'history', 'account'] as const
export type Part = (typeof PARTS)[number]
export type Kind = 'sqlite' | 'postgres'

const HERE = import.meta.dirname

/** Where the database of one schema is kept. */
export function fileOf(part: Part, kind: Kind, version: number): string {
  return join(HERE, `${part}-${kind}-${version}.sql`)
}

/** The schemas of which a database is kept, in their order. */
export function keptVersions(part: Part, kind: Kind): readonly number[] {
  const pattern = new RegExp(`^${part}-${kind}-(\\d+)\\.sql$`)
  return readdirSync(HERE)
    .flatMap(name => pattern.exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((a, b) => a - b)
}

/** A whole file as SQL, with what `.dump` leaves out. */
export function dumpSqlite(path: string): { readonly version: number; readonly sql: string } {
  const database = new Database(path)
  const version = Number(database.pragma('user_version', { simple: true }))
  const application = Number(database.pragma('application_id', { simple: true }))
  // Everything into the one file, for another program to read.
  database.pragma('journal_mode = delete')
  database.close()
  const sql = execFileSync('sqlite3', [path, '.dump'], { encoding: 'utf8' })
  const pragmas = `pragma user_version = ${version};\npragma application_id = ${application};\n`
  return { version, sql: sql + pragmas }
}

/** A whole database as SQL that any connection can run. */
export function dumpPostgres(url: Secret, ...options: string[]): string {
  const args = ['--inserts', '--no-owner', '--no-privileges', ...options, url.reveal()]
  return execFileSync('pg_dump', args, { encoding: 'utf8' })
    .split('\n')
    .filter(line => !/^(?:--|\\|$)/.test(line))
    .join('\n')
    .concat('\n')
}
