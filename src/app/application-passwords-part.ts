import type { ApplicationPasswordStore } from '../account/application-password-store.ts'
import { ApplicationPasswords } from '../account/application-passwords.ts'
import type { ReportAccountEvent } from '../account/events.ts'
import { PostgresApplicationPasswords } from '../account/postgres-application-passwords.ts'
import { SqliteApplicationPasswords } from '../account/sqlite-application-passwords.ts'
import { Postgres } from '../base/postgres.ts'
import type { LoadedRelay } from '../config/load-relay.ts'
import type { Directory } from '../directory/directory.ts'
import type { Surroundings } from './surroundings.ts'

/** Beside the queue's own connections: one for logins, one for the page. */
const CONNECTIONS = 2

/**
 * @returns undefined where the configuration turns them off
 * @throws Problem where they cannot be opened
 */
export async function openApplicationPasswords(
  { config, store }: LoadedRelay,
  directory: Directory,
  { clock, folder }: Surroundings,
  report: ReportAccountEvent,
): Promise<ApplicationPasswords | undefined> {
  if (config.web?.account?.application_passwords !== true) return undefined
  const kept: ApplicationPasswordStore =
    store === undefined
      ? new SqliteApplicationPasswords(folder.file('account.sqlite'))
      : await PostgresApplicationPasswords.open(
          new Postgres(store.url, { connections: CONNECTIONS }),
        )
  return new ApplicationPasswords({
    store: kept,
    directory,
    orphansKept: config.retention.application_passwords,
    report,
    clock,
  })
}
