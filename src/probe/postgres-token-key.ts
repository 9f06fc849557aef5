import type { Postgres } from '../base/postgres.ts'

/**
 * The key that all nodes which share a history make their tokens with: the first one that any of them offered.
 *
 * @param database with the tables of the history
 * @param offered taken if there is none yet
 */
export async function sharedTokenKey(database: Postgres, offered: Uint8Array): Promise<Uint8Array> {
  await database.run(
    `insert into shared_key (name, key) values ('token', $1) on conflict do nothing`,
    [Buffer.from(offered)],
  )
  const [row] = await database.rows<{ key: Buffer }>(
    `select key from shared_key where name = 'token'`,
  )
  if (row === undefined) throw new Error('the key of the tokens is gone')
  return row.key
}
