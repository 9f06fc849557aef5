import { randomBytes } from 'node:crypto'

import { SECOND } from '../base/clock.ts'
import { newId } from '../base/id.ts'
import { Postgres } from '../base/postgres.ts'
import type { StateFolder } from '../base/state-folder.ts'
import type { LoadedStore } from '../config/store.ts'
import type { HistoryStore } from '../probe/history.ts'
import { PostgresHistory } from '../probe/postgres-history.ts'
import { PostgresLeases } from '../probe/postgres-leases.ts'
import { sharedTokenKey } from '../probe/postgres-token-key.ts'
import type { SeedLeases } from '../probe/seed-lease.ts'
import { SqliteHistory } from '../probe/sqlite-history.ts'
import { keyFile } from './key-file.ts'

/** What a prober has to remember, alone or together with others. */
export interface ProberMemory {
  readonly history: HistoryStore
  readonly tokenKey: Uint8Array
  /** Where there may be other nodes. */
  readonly leases?: SeedLeases
}

// A killed node's seeds are blind for this long, and every node asks three times in it.
const LEASE = 20 * SECOND

/** @throws Problem if the database or the file cannot be used */
export async function openMemory(
  store: LoadedStore | undefined,
  folder: StateFolder,
): Promise<ProberMemory> {
  if (store === undefined) {
    return {
      history: new SqliteHistory(folder.file('history.sqlite')),
      tokenKey: await keyFile(folder.file('token.key'), 'lose sight of canaries on their way'),
    }
  }
  const database = new Postgres(store.url, { connections: store.connections })
  const history = await PostgresHistory.open(database)
  return {
    history,
    tokenKey: await sharedTokenKey(database, randomBytes(32)),
    leases: new PostgresLeases(database, { node: newId(Date.now), lasts: LEASE }),
  }
}
