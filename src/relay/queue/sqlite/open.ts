import { closeSync, fsyncSync, openSync, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

import Database from 'better-sqlite3'

import { codeOf, messageOf, Problem } from '../../../base/problem.ts'
import { checkSchema, migrateFile } from '../../../base/sqlite.ts'
import { APPLICATION_ID, MIGRATIONS } from './schema.ts'

// A check of every page reads the whole file: a second or so up to here. Beyond, only its length is checked.
const CHECKED_WHOLE = 512 * 1024 * 1024
const BUSY_TIMEOUT = 5_000
const PAGE = 8_192
// 4 MiB to 32 MiB of the WAL, and no more than this part of what is free.
const LEAST_WAL = 512
const MOST_WAL = 4_096
const WAL_SHARE = 64

const SCHEMA = { what: 'queue', migrations: MIGRATIONS, applicationId: APPLICATION_ID }

/**
 * Opens the queue's file, creates it (mode 0600) if absent, checks that it is whole and brings its tables up to date.
 *
 * @throws Problem that names the file and the way out: damaged, not ours, from a newer version, not accessible
 */
export function openQueue(path: string): Database.Database {
  let database: Database.Database | undefined
  try {
    // SQLite gives its WAL and shared memory the permissions of this file, and would create it readable for all.
    closeSync(openSync(path, 'a', 0o600))
    database = new Database(path, { timeout: BUSY_TIMEOUT })
    configure(database, path)
    checkSchema(database, SCHEMA)
    checkWhole(database, path)
    migrateFile(database, SCHEMA)
    leaveSyncs(database, dirname(path))
    return database
  } catch (error) {
    database?.close()
    if (error instanceof Problem) throw error
    throw describe(error, path)
  }
}

/**
 * How many pages the WAL may have before the committing thread puts them in their places. What is put, delivered and
 * removed before that is written there once instead of thrice. A second thread for it was tried: on two busy cores it
 * won nothing, and the WAL grew without bound under load.
 */
function walPages(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  // On a disk that may soon be full the WAL must not take the space that results need.
  return Math.min(Math.max(Math.floor((bavail * bsize) / WAL_SHARE / PAGE), LEAST_WAL), MOST_WAL)
}

function configure(database: Database.Database, path: string): void {
  // For a new file: small bodies are most of what is written, and take a quarter less time than in pages of 4 KiB.
  database.pragma(`page_size = ${PAGE}`)
  database.pragma('journal_mode = wal')
  // In WAL mode it takes FULL for a commit to survive a power loss; NORMAL only keeps order. See `leaveSyncs`.
  database.pragma('synchronous = full')
  database.pragma(`wal_autocheckpoint = ${walPages(dirname(path))}`)
  // The upper pages of a dozen indexes over a million deliveries.
  database.pragma('cache_size = -16384')
  // Bodies are other people's letters: deleted means overwritten.
  database.pragma('secure_delete = on')
  // What a piece of a transaction may have to undo: in a file it is a fifth of the work, and other people's letters there.
  database.pragma('temp_store = memory')
  database.pragma('trusted_schema = off')
  database.pragma('cell_size_check = on')
}

/** From here on we sync the log (`Wal`), which by now is there: whether it still is after a power loss is the folder's matter. */
function leaveSyncs(database: Database.Database, folder: string): void {
  const file = openSync(folder, 'r')
  fsyncSync(file)
  closeSync(file)
  database.pragma('synchronous = normal')
}

function checkWhole(database: Database.Database, path: string): void {
  // First everything into the one file, so that its length means something.
  database.pragma('wal_checkpoint(truncate)')
  const pages = Number(database.pragma('page_count', { simple: true }))
  const expected = pages * Number(database.pragma('page_size', { simple: true }))
  const length = statSync(path).size
  if (length < expected) throw damaged(path, `it is ${length} octets long instead of ${expected}`)
  if (length > CHECKED_WHOLE) return
  const verdict = database.pragma('integrity_check(1)', { simple: true })
  if (verdict !== 'ok') throw damaged(path, String(verdict))
}

function describe(error: unknown, path: string): unknown {
  const code = codeOf(error)
  if (/^SQLITE_(?:CORRUPT|NOTADB)/.test(code)) return damaged(path, messageOf(error))
  if (code.startsWith('SQLITE_BUSY')) {
    return new Problem(`the queue ${path} is in use by another process; stop that one first`)
  }
  if (code === 'SQLITE_FULL' || code === 'ENOSPC') {
    return new Problem(`no space left for the queue ${path}; free some on that file system`)
  }
  if (code.startsWith('SQLITE_') || /^E[A-Z]+$/.test(code)) {
    return new Problem(`cannot open the queue ${path}: ${messageOf(error)}`)
  }
  return error
}

function damaged(path: string, how: string): Problem {
  return new Problem(
    `the queue ${path} is damaged (${how.replaceAll(/\s+/g, ' ').trim()}); keep a copy of the folder, then restore a backup, or save what can be read with: mailcanary queue rescue --state ${dirname(path)}`,
  )
}
