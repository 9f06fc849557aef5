import { existsSync, renameSync, statSync } from 'node:fs'

import Database from 'better-sqlite3'

import { codeOf, messageOf, Problem } from '../../../base/problem.ts'
import { BodyFolder } from '../body-files/body-folder.ts'
import { Destinations } from './destinations.ts'
import { openQueue } from './open.ts'

/** A message that a damaged queue could not give back whole. */
export interface LostMessage {
  readonly id: string
  /** '' is the null reverse path. */
  readonly reversePath: string
  /** `recipients`: nobody knows to whom; `content`: its sender gets a report in the end. */
  readonly lacks: 'recipients' | 'content'
}

export interface Rescued {
  /** Where the damaged file is now. */
  readonly damaged: string
  /** Messages in the new file, and how many of them wait. */
  readonly messages: number
  readonly waiting: number
  readonly lost: readonly LostMessage[]
}

// Made by triggers, or from the rest.
const DERIVED = new Set(['tally', 'lane', 'destination', 'loose_body'])
// Deliveries find their lanes held or not by the holds that stand.
const FIRST = ['standing_hold', 'message', 'recipient']
// A page holds a hundred rows at most. Behind so many misses steps double, lest the end of the file be a day's work.
const SINGLE_STEPS = 1_000

/**
 * Moves a damaged queue aside and writes a new one of every row that can still be read. Files of large bodies stay where they
 * are; the next start removes those whose key is lost.
 *
 * @throws Problem if it is not damaged, or nothing can be read of it
 */
export function rescueQueue(path: string, now: number): Rescued {
  refuseWhole(path)
  const damaged = path.replace(
    /\.sqlite$/,
    `.damaged-${new Date(now).toISOString().slice(0, 19).replaceAll(':', '')}.sqlite`,
  )
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, damaged + suffix)
  }
  const source = new Database(damaged)
  const target = openQueue(path)
  try {
    // What .recover of sqlite3 does as well: a file that is shorter than it says is read as far as it goes.
    source.unsafeMode()
    source.pragma('writable_schema = on')
    const lost = target.transaction(() => {
      copy(source, target)
      return mend(target, BodyFolder.of(path), now)
    })()
    const count = (sql: string): number => Number(target.prepare(sql).pluck().get())
    return {
      damaged,
      messages: count('select count(*) from message'),
      waiting: count('select count(*) from message where ended_at is null'),
      lost,
    }
  } finally {
    target.close()
    source.close()
  }
}

function refuseWhole(path: string): void {
  if (!existsSync(path)) throw new Problem(`there is no queue ${path}`)
  try {
    openQueue(path).close()
  } catch (error) {
    if (error instanceof Problem && / is damaged /.test(error.message)) return
    throw error
  }
  throw new Problem(`the queue ${path} is not damaged: nothing was done`)
}

function copy(source: Database.Database, target: Database.Database): void {
  const tables = target
    .prepare<[], string>(`select name from sqlite_schema where type = 'table'`)
    .pluck()
    .all()
    .filter(table => !DERIVED.has(table) && !table.startsWith('sqlite_'))
    .toSorted((a, b) => rank(a) - rank(b))
  for (const table of tables) {
    const columns = columnsOf(source, table)
    if (columns.length === 0) continue
    const values = columns.map(column => `@${column}`).join(', ')
    const insert = target.prepare(
      `insert or ignore into ${table} (${columns.join(', ')}) values (${values})`,
    )
    for (const row of readable(source, table, columns)) insert.run(row)
  }
}

function rank(table: string): number {
  const place = FIRST.indexOf(table)
  return place < 0 ? FIRST.length : place
}

function columnsOf(database: Database.Database, table: string): readonly string[] {
  try {
    const rows = database.pragma(`table_info(${table})`) as { readonly name: string }[]
    return rows.map(({ name }) => name)
  } catch (error) {
    if (!isDamage(error)) throw error
    throw new Problem(
      `nothing can be read of the queue (${messageOf(error)}); restore a backup in its place`,
    )
  }
}

/** Rows in the order of their first column, stepping over what cannot be read where that is a number. */
function* readable(
  database: Database.Database,
  table: string,
  [key = '']: readonly string[],
): Generator<Record<string, unknown>> {
  const select = database.prepare<[unknown], Record<string, unknown>>(
    `select * from ${table} where ${key} >= ? order by ${key}`,
  )
  // Texts are greater than every number.
  let from = Number.MIN_SAFE_INTEGER
  let numbered = true
  for (let misses = 0; from < Number.MAX_SAFE_INTEGER; misses++) {
    try {
      for (const row of select.iterate(from)) {
        yield row
        misses = 0
        numbered = typeof row[key] === 'number'
        if (numbered) from = Number(row[key])
      }
      return
    } catch (error) {
      if (!isDamage(error)) throw error
      if (!numbered) return
      from = Math.max(from, 0) + 2 ** Math.max(0, misses - SINGLE_STEPS)
    }
  }
}

function isDamage(error: unknown): boolean {
  return /^SQLITE_(?:CORRUPT|NOTADB|IOERR)/.test(codeOf(error))
}

/** Makes what was saved a queue again. @returns what was not saved */
function mend(database: Database.Database, folder: BodyFolder, now: number): LostMessage[] {
  database.exec(`
    delete from delivery where message not in (select key from message);
    delete from delivery where state <> 'ended' and id not in (
      select delivery from recipient where state = 'queued');
    delete from recipient where message not in (select key from message);
    delete from body_file where body not in (
      select body from message where body is not null and ended_at is null);
    insert or ignore into loose_body
      select distinct body from chunk
      where body not in (select body from message where body is not null and ended_at is null);`)
  // What is in a file shows only when it is read; whether it is there at all, and of the right size, shows now.
  database.function('whole', (name, size) => {
    const found = statSync(folder.file(String(name)), { throwIfNoEntry: false })
    return found?.size === size ? 1 : 0
  })
  const lost = (lacks: LostMessage['lacks'], condition: string): LostMessage[] =>
    database
      .prepare<[], { id: string; reverse_path: string }>(
        `select id, reverse_path from message where ended_at is null and ${condition}`,
      )
      .all()
      .map(({ id, reverse_path }) => ({ id, reversePath: reverse_path, lacks }))
  const recipients = lost(
    'recipients',
    `not exists (select 1 from delivery where message = message.key and state <> 'ended')`,
  )
  database
    .prepare(
      `update message set ended_at = ? where ended_at is null
       and not exists (select 1 from delivery where message = message.key and state <> 'ended')`,
    )
    .run(now)
  const content = lost(
    'content',
    `size <> (select coalesce(sum(length(data)), 0) from chunk where chunk.body = message.body)
     and not coalesce((select whole(name, size) from body_file where body_file.body = message.body), 0)`,
  )
  // A body's number is given once: what is lost must not come back as a new message's.
  database.exec(`insert into chunk (body, data) select body, x'' from message
    where body is not null and body not in (select body from chunk union select body from body_file)`)
  const destinations = new Destinations(database)
  const domains = database.prepare<[], string>('select distinct domain from delivery').pluck().all()
  for (const domain of domains) destinations.moved(domain)
  destinations.caughtUp()
  return [...recipients, ...content]
}
