import { closeSync, openSync } from 'node:fs'

import Database, { type Statement } from 'better-sqlite3'

import { messageOf, Problem } from '../base/problem.ts'
import { checkSchema, migrateFile } from '../base/sqlite.ts'
import { passwordOf, type ApplicationPasswordRow } from './application-password-rows.ts'
import type { ApplicationPasswordStore } from './application-password-store.ts'
import type { ApplicationPassword } from './application-password.ts'

/** Marks the file as ours (`pragma application_id`): 'mcac'. */
const APPLICATION_ID = 0x6d636163

const MIGRATIONS = [
  `
create table application_password (
  login text not null,
  digest blob not null,
  id text not null unique,
  account text not null,
  name text not null,
  created_at integer not null,
  used_at integer,
  primary key (login, digest)
) strict, without rowid;
`,
]

const SCHEMA = {
  what: 'file of application passwords',
  migrations: MIGRATIONS,
  applicationId: APPLICATION_ID,
}

/** Application passwords in a file of their own, which unlike the queue belongs into every backup. */
export class SqliteApplicationPasswords implements ApplicationPasswordStore {
  readonly #database: Database.Database
  readonly #add: (row: ApplicationPasswordRow, digest: Buffer, most: number) => boolean
  readonly #list: Statement<[string], ApplicationPasswordRow>
  readonly #find: Statement<[string, Buffer], ApplicationPasswordRow>
  readonly #used: Statement<[number, string, number]>
  readonly #remove: Statement<[string, string]>
  readonly #forget: Statement<[string, number]>
  readonly #logins: Statement<[], string>

  /** @throws Problem if the file is something else, or was written by a newer version */
  constructor(path: string) {
    // SQLite would create it readable for all.
    if (path !== ':memory:') closeSync(openSync(path, 'a', 0o600))
    const database = new Database(path, { timeout: 5_000 })
    try {
      prepare(database)
    } catch (error) {
      database.close()
      if (error instanceof Problem) throw error
      throw new Problem(`${path} cannot be used: ${messageOf(error)}; restore it, or move it aside`)
    }
    this.#database = database
    const insert = database.prepare<[ApplicationPasswordRow & { readonly digest: Buffer }]>(
      `insert into application_password (login, digest, id, account, name, created_at)
       values (@login, @digest, @id, @account, @name, @created_at)`,
    )
    const count = database
      .prepare<[string], number>('select count(*) from application_password where login = ?')
      .pluck()
    this.#add = database.transaction(
      (row: ApplicationPasswordRow, digest: Buffer, most: number) => {
        if ((count.get(row.login) ?? 0) >= most) return false
        insert.run({ ...row, digest })
        return true
      },
    )
    this.#list = database.prepare(
      'select * from application_password where login = ? order by created_at, id',
    )
    this.#find = database.prepare(
      'select * from application_password where login = ? and digest = ?',
    )
    this.#used = database.prepare(
      `update application_password set used_at = ?
       where id = ? and (used_at is null or used_at < ?)`,
    )
    this.#remove = database.prepare('delete from application_password where login = ? and id = ?')
    this.#forget = database.prepare(
      'delete from application_password where login = ? and coalesce(used_at, created_at) < ?',
    )
    this.#logins = database
      .prepare<[], string>('select distinct login from application_password order by login')
      .pluck()
  }

  async add(password: ApplicationPassword, digest: Buffer, most: number): Promise<boolean> {
    const { id, login, account, name, createdAt } = password
    const row = { id, login, account, name, created_at: createdAt, used_at: null }
    return this.#add(row, digest, most)
  }

  async list(login: string): Promise<readonly ApplicationPassword[]> {
    return this.#list.all(login).map(passwordOf)
  }

  async find(login: string, digest: Buffer): Promise<ApplicationPassword | undefined> {
    const row = this.#find.get(login, digest)
    return row && passwordOf(row)
  }

  async used(id: string, at: number): Promise<void> {
    this.#used.run(at, id, at)
  }

  async remove(login: string, id: string): Promise<boolean> {
    return this.#remove.run(login, id).changes > 0
  }

  async forget(login: string, before: number): Promise<void> {
    this.#forget.run(login, before)
  }

  async logins(): Promise<readonly string[]> {
    return this.#logins.all()
  }

  async close(): Promise<void> {
    this.#database.close()
  }
}

function prepare(database: Database.Database): void {
  // In its clear form, for an application password that was revoked is nobody's business any more.
  database.pragma('secure_delete = on')
  checkSchema(database, SCHEMA)
  database.pragma('journal_mode = wal')
  // A password that was shown must work after a power loss, and one that was revoked must not.
  database.pragma('synchronous = full')
  migrateFile(database, SCHEMA)
}
