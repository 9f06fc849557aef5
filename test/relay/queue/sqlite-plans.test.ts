import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

import Database from 'better-sqlite3'
import { beforeAll, describe, expect, test } from 'vitest'

import { MIGRATIONS } from '../../../src/relay/queue/sqlite/schema.ts'

const FOLDER = new URL('../../../src/relay/queue/sqlite/', import.meta.url).pathname

// They read everything because that is what they are for; `orphans.ts` at the start, as many rows as there are large messages.
const READ_ALL = new Set(['open.ts', 'orphans.ts', 'rescue.ts'])

/** Every statement the store prepares, read from its source: a new query is tested without being listed here. */
async function statements(): Promise<readonly string[]> {
  const files = (await readdir(FOLDER)).filter(name => name.endsWith('.ts') && !READ_ALL.has(name))
  const sources = await Promise.all(files.map(name => readFile(join(FOLDER, name), 'utf8')))
  const literal = /\.prepare(?:<[^;]*?>)?\(\s*(?:'([^']*)'|`([^`]*)`)/g
  return sources.flatMap(source =>
    [...source.matchAll(literal)].map(([, quoted, template]) => quoted ?? template ?? ''),
  )
}

// Tables that never hold more than a handful of rows.
const SMALL = /\bSCAN (?:tally|loose_body|json_each|standing_hold)\b/

const all = await statements()

describe('a million messages cost a query no more than a thousand', () => {
  let database: Database.Database

  beforeAll(() => {
    database = new Database(':memory:')
    for (const step of MIGRATIONS) database.exec(step)
    return () => database.close()
  })

  test('the statements were found', () => {
    expect(all.length).toBeGreaterThan(30)
  })

  test.each(all)('%s', sql => {
    const plan = database
      .prepare<unknown[], { detail: string }>(`explain query plan ${sql}`)
      .all(...Array<null>(sql.split('?').length - 1).fill(null))
      .map(({ detail }) => detail)
    // A walk over an index that holds few rows, or that stops at the first, is no scan.
    const scans = plan.filter(
      step =>
        /\bSCAN\b/.test(step) &&
        !SMALL.test(step) &&
        !/USING (?:COVERING )?INDEX (?:delivery_leased|lane_held)/.test(step) &&
        !(/USING (?:COVERING )?INDEX/.test(step) && /\blimit (?:1|\?)/.test(sql)),
    )
    expect(scans).toEqual([])
    expect(plan.filter(step => step.includes('TEMP B-TREE'))).toEqual([])
  })
})
