import { join } from 'node:path'

import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'

import { SqliteHistory } from '../../src/probe/sqlite-history.ts'
import { HISTORY_MIGRATIONS, prepare } from '../../src/probe/sqlite-schema.ts'
import { STATEMENTS } from '../../src/probe/sqlite-statements.ts'
import { expectCountsOfVersion1, ROWS_OF_VERSION_1 } from '../contract/history-counts.ts'
import { canary } from '../contract/history-samples.ts'
import { scratchFolder } from '../support/scratch.ts'

test('what was decided is there after the file is opened again', async () => {
  const file = join(await scratchFolder(), 'history.db')
  const one = canary()
  const before = new SqliteHistory(file)
  await before.begin(one)
  await before.decide(one.id, { kind: 'missing', stage: 'queue' }, 5)
  await before.close()
  const after = new SqliteHistory(file)
  onTestFinished(() => after.close())
  expect((await after.find(one.id))?.verdict).toEqual({ kind: 'missing', stage: 'queue' })
})

test('a commit waits for the disk', async () => {
  const db = new Database(join(await scratchFolder(), 'history.db'))
  onTestFinished(() => void db.close())
  prepare(db)
  expect(db.pragma('journal_mode', { simple: true })).toBe('wal')
  // 2 is FULL.
  expect(db.pragma('synchronous', { simple: true })).toBe(2)
})

test('a file of a newer version is refused with a sentence', async () => {
  const file = join(await scratchFolder(), 'history.db')
  const db = new Database(file)
  db.pragma('user_version = 99')
  db.close()
  expect(() => new SqliteHistory(file)).toThrow(/newer mailcanary/)
})

test('what was there before there were counts is counted', async () => {
  const file = join(await scratchFolder(), 'history.db')
  const db = new Database(file)
  db.exec(HISTORY_MIGRATIONS[0])
  db.pragma('user_version = 1')
  db.exec(ROWS_OF_VERSION_1)
  db.close()
  const history = new SqliteHistory(file)
  onTestFinished(() => history.close())
  await expectCountsOfVersion1(history)
})

function planOf(name: keyof typeof STATEMENTS): string {
  const db = new Database(':memory:')
  onTestFinished(() => void db.close())
  prepare(db)
  const sql = STATEMENTS[name]
  const names = new Set([...sql.matchAll(/\$(\w+)/g)].map(match => match[1] ?? ''))
  const parameters = Object.fromEntries([...names].map(parameter => [parameter, 1]))
  const rows = db.prepare(`explain query plan ${sql}`).all(parameters) as { detail: string }[]
  return rows.map(row => row.detail).join('\n')
}

test.each(['tally', 'arrivals', 'arrivalCounts', 'arrivalCountsOfSeed'] as const)(
  '%s is answered from an index alone',
  name => {
    expect(planOf(name)).toMatch(/SEARCH canary USING COVERING INDEX/)
    expect(planOf(name)).not.toMatch(/canary USING (?!COVERING)/)
  },
)

test('whole hours and days are answered from their counts, by the range of time', () => {
  expect(planOf('tally')).toContain(
    'SEARCH verdict_count USING PRIMARY KEY (span=? AND since>? AND since<?)',
  )
  expect(planOf('arrivalCounts')).toContain(
    'SEARCH arrival_count USING PRIMARY KEY (span=? AND since>? AND since<?)',
  )
})

test('a list of one seed or one verdict is a walk through what is of it', () => {
  expect(planOf('listOfSeed')).toContain('canary_seed (seed=? AND scheduled_at>?')
  expect(planOf('listOfVerdict')).toContain('canary_label (label=? AND scheduled_at>?')
})

test.each(Object.keys(STATEMENTS) as (keyof typeof STATEMENTS)[])(
  '%s reads no table from end to end',
  name => {
    expect(planOf(name)).not.toMatch(
      /SCAN (?!\(subquery|found|seeds|pause|CONSTANT ROW|.*canary_undecided)/,
    )
  },
)

test('the newest canaries are found without sorting, and without a look at those that are passed', () => {
  for (const name of ['list', 'listOfSeed', 'listOfVerdict'] as const) {
    // What comes before the found ones are looked up by their ids.
    const [walk = ''] = planOf(name).split('SEARCH canary USING PRIMARY KEY')
    expect(walk).toContain('USING COVERING INDEX')
    expect(walk).not.toContain('TEMP B-TREE')
  }
  expect(planOf('arrivals')).not.toContain('TEMP B-TREE')
})
