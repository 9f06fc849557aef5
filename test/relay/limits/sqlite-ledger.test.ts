import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'

import { KNOWN_PER_LOGIN } from '../../../src/relay/limits/ledger.ts'
import { UNLIMITED } from '../../../src/relay/limits/login-limits.ts'
import { Meter } from '../../../src/relay/limits/meter.ts'
import { RecipientDigests } from '../../../src/relay/limits/recipient-digests.ts'
import { SqliteQueueStore } from '../../../src/relay/queue/sqlite-store.ts'
import { message, T0 } from '../../contract/queue-store-samples.ts'
import { scratchFolder } from '../../support/scratch.ts'
import { ledgerContract } from './ledger.contract.ts'

async function opened(path: string): Promise<SqliteQueueStore> {
  const store = await SqliteQueueStore.open(path)
  onTestFinished(() => store.close())
  return store
}

ledgerContract('SQLite', async () => {
  const path = join(await scratchFolder(), 'queue.sqlite')
  const store = await opened(path)
  return {
    store,
    reopen: async () => {
      await store.close()
      return opened(path)
    },
  }
})

test('what is remembered of a recipient is no address, neither in clear nor without the key', async () => {
  const path = join(await scratchFolder(), 'queue.sqlite')
  const store = await opened(path)
  const meter = new Meter({
    ledger: store.ledger,
    limitsOf: () => ({ ...UNLIMITED, new_recipients_per_day: 10 }),
    digests: new RecipientDigests(Buffer.alloc(32, 7)),
    clock: () => T0,
  })
  const body = store.newBody()
  await body.write(Buffer.from('Subject: hello\r\n\r\nhello\r\n'))
  await meter.begin('alice')?.put(message(['secret.friend@example.net'], T0), body)
  await store.close()
  const database = new Database(path)
  const rows = database.prepare('select * from acquainted').all()
  expect(rows).toHaveLength(1)
  expect(JSON.stringify(rows)).not.toMatch(/friend|example/)
  database.exec(
    'delete from recipient; delete from delivery; delete from message; delete from lane; delete from destination',
  )
  database.exec('vacuum')
  database.close()
  expect((await readFile(path)).includes('friend')).toBe(false)
  const other = new RecipientDigests(Buffer.alloc(32, 8)).of('alice', 'secret.friend@example.net')
  expect(rows).not.toContainEqual(expect.objectContaining({ digest: other }))
})

test('a login is remembered with a bounded number of recipients, the latest of them', async () => {
  const path = join(await scratchFolder(), 'queue.sqlite')
  const first = await opened(path)
  await first.close()
  const database = new Database(path)
  const insert = database.prepare('insert into acquainted values (?, ?, ?)')
  database.transaction(() => {
    for (let i = 0; i < KNOWN_PER_LOGIN + 2_500; i++)
      insert.run('alice', Buffer.from(`${i}`), T0 + i)
    insert.run('carol', Buffer.from('one'), T0)
  })()
  database.close()
  const store = await opened(path)
  await store.ledger.forget(T0 + 1_000)
  await store.close()
  const after = new Database(path)
  const left = after.prepare('select count(*), min(last_at) from acquainted where login = ?').raw()
  expect(left.get('alice')).toEqual([KNOWN_PER_LOGIN, T0 + 2_500])
  expect(left.get('carol')).toEqual([1, T0])
  after.close()
})

test('a login without any limit is not counted, and nothing is remembered of it', async () => {
  const store = await opened(join(await scratchFolder(), 'queue.sqlite'))
  const meter = new Meter({
    ledger: store.ledger,
    limitsOf: () => UNLIMITED,
    digests: new RecipientDigests(Buffer.alloc(32, 7)),
    clock: () => T0,
  })
  expect(meter.begin('alice')).toBeUndefined()
})
