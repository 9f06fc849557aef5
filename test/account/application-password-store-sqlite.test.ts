import { statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'

import { SqliteApplicationPasswords } from '../../src/account/sqlite-application-passwords.ts'
import { scratchFolder } from '../support/scratch.ts'
import { applicationPasswordStoreContract } from './application-password-store.contract.ts'

applicationPasswordStoreContract('SQLite', async () => {
  const path = join(await scratchFolder(), 'account.sqlite')
  let store = new SqliteApplicationPasswords(path)
  onTestFinished(() => store.close())
  return {
    store,
    async reopen() {
      await store.close()
      store = new SqliteApplicationPasswords(path)
      return store
    },
  }
})

test('its file is for its owner alone', async () => {
  const path = join(await scratchFolder(), 'account.sqlite')
  const store = new SqliteApplicationPasswords(path)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(statSync(`${path}-wal`).mode & 0o777).toBe(0o600)
  await store.close()
})

test('what is not its file is told in a sentence, and left as it is', async () => {
  const folder = await scratchFolder()
  const foreign = join(folder, 'foreign.sqlite')
  const database = new Database(foreign)
  database.pragma('application_id = 1')
  database.exec('create table something (a)')
  database.close()
  expect(() => new SqliteApplicationPasswords(foreign)).toThrow(
    /not a mailcanary file of application passwords/,
  )
  const newer = join(folder, 'newer.sqlite')
  await new SqliteApplicationPasswords(newer).close()
  const later = new Database(newer)
  later.pragma('user_version = 99')
  later.close()
  expect(() => new SqliteApplicationPasswords(newer)).toThrow(/by a newer mailcanary \(schema 99/)
  const text = join(folder, 'text')
  await writeFile(text, 'this is no database, but text that somebody has put here by mistake')
  expect(() => new SqliteApplicationPasswords(text)).toThrow(/cannot be used/)
})
