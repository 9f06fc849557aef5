import type { Database } from 'better-sqlite3'

import { Problem } from './problem.ts'

export interface Schema {
  /** What leads from each version to the next, the first from nothing; never changed once released. */
  readonly migrations: readonly string[]
  /** What the file holds, for people: `queue`. */
  readonly what: string
  /** Marks the file as ours (`pragma application_id`); without it nobody can tell. */
  readonly applicationId?: number
}

/**
 * Brings the tables of a file to the newest shape, all of it or nothing. To be called before anything is read.
 *
 * @throws Problem if the file holds something else, or was written by a newer version
 */
export function migrateFile(database: Database, schema: Schema): void {
  checkSchema(database, schema)
  const { migrations, applicationId } = schema
  const found = versionOf(database)
  if (found === migrations.length) return
  database.transaction(() => {
    for (const sql of migrations.slice(found)) database.exec(sql)
    database.pragma(`user_version = ${migrations.length}`)
    if (applicationId !== undefined) database.pragma(`application_id = ${applicationId}`)
  })()
}

/** The first half of it: whether this program can use the file. @throws Problem likewise */
export function checkSchema(database: Database, { migrations, what, applicationId }: Schema): void {
  const marked = database.pragma('application_id', { simple: true })
  const tables = Number(database.prepare('select count(*) from sqlite_schema').pluck().get())
  if (applicationId !== undefined && marked !== applicationId && tables > 0) {
    throw new Problem(
      `${database.name} is a database, but not a mailcanary ${what}; name another state folder, or move it aside`,
    )
  }
  const found = versionOf(database)
  if (found > migrations.length) {
    throw new Problem(
      `${database.name} was written by a newer mailcanary (schema ${found}, this one knows ${migrations.length}); run that version again, or restore the backup made before it`,
    )
  }
}

function versionOf(database: Database): number {
  return Number(database.pragma('user_version', { simple: true }))
}
