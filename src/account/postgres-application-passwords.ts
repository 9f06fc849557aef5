import { migrate, type Postgres } from '../base/postgres.ts'
import { passwordOf, type ApplicationPasswordRow } from './application-password-rows.ts'
import type { ApplicationPasswordStore } from './application-password-store.ts'
import type { ApplicationPassword } from './application-password.ts'

const MIGRATIONS = [
  `
create table application_password (
  login text collate "C" not null,
  digest bytea not null,
  id text collate "C" not null unique,
  account text not null,
  name text not null,
  created_at bigint not null,
  used_at bigint,
  primary key (login, digest)
);
`,
] as const

const COLUMNS = 'id, login, account, name, created_at, used_at'

/** Application passwords of all nodes: what one has revoked, the next login at another is refused with. */
export class PostgresApplicationPasswords implements ApplicationPasswordStore {
  readonly #database: Postgres

  private constructor(database: Postgres) {
    this.#database = database
  }

  /**
   * Makes the table, or finds it. The store closes the database when it is closed.
   *
   * @throws Problem if it was made by a newer version, or the database cannot be used
   */
  static async open(database: Postgres): Promise<PostgresApplicationPasswords> {
    try {
      await migrate(database, 'account', MIGRATIONS)
      return new PostgresApplicationPasswords(database)
    } catch (error) {
      await database.close()
      throw error
    }
  }

  add(password: ApplicationPassword, digest: Buffer, most: number): Promise<boolean> {
    const { id, login, account, name, createdAt } = password
    return this.#database.transaction(async session => {
      // Two nodes at once must not both have the last place.
      await session.run('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
        `application password ${login}`,
      ])
      const [row] = await session.rows<{ amount: number }>(
        'select count(*) as amount from application_password where login = $1',
        [login],
      )
      if ((row?.amount ?? 0) >= most) return false
      await session.run(
        `insert into application_password (login, digest, id, account, name, created_at)
          values ($1, $2, $3, $4, $5, $6)`,
        [login, digest, id, account, name, createdAt],
      )
      return true
    })
  }

  async list(login: string): Promise<readonly ApplicationPassword[]> {
    const rows = await this.#database.rows<ApplicationPasswordRow>(
      `select ${COLUMNS} from application_password where login = $1 order by created_at, id`,
      [login],
    )
    return rows.map(passwordOf)
  }

  async find(login: string, digest: Buffer): Promise<ApplicationPassword | undefined> {
    const [row] = await this.#database.rows<ApplicationPasswordRow>(
      `select ${COLUMNS} from application_password where login = $1 and digest = $2`,
      [login, digest],
    )
    return row && passwordOf(row)
  }

  async used(id: string, at: number): Promise<void> {
    await this.#database.run(
      `update application_password set used_at = $2
        where id = $1 and (used_at is null or used_at < $2)`,
      [id, at],
    )
  }

  async remove(login: string, id: string): Promise<boolean> {
    const sql = 'delete from application_password where login = $1 and id = $2'
    return (await this.#database.run(sql, [login, id])) > 0
  }

  async forget(login: string, before: number): Promise<void> {
    await this.#database.run(
      `delete from application_password where login = $1 and coalesce(used_at, created_at) < $2`,
      [login, before],
    )
  }

  async logins(): Promise<readonly string[]> {
    const rows = await this.#database.rows<{ login: string }>(
      'select distinct login from application_password order by login',
    )
    return rows.map(({ login }) => login)
  }

  close(): Promise<void> {
    return this.#database.close()
  }
}
