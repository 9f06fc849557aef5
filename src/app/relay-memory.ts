import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'

import { writeAtomically } from '../base/atomic-file.ts'
import { isId, newId } from '../base/id.ts'
import { Postgres } from '../base/postgres.ts'
import { codeOf } from '../base/problem.ts'
import type { StateFolder } from '../base/state-folder.ts'
import type { LoadedStore } from '../config/store.ts'
import type { Ledger } from '../relay/limits/ledger.ts'
import type { QueueOperations } from '../relay/queue/operations.ts'
import { PostgresQueueStore } from '../relay/queue/postgres-store.ts'
import type { QueueOfLogin } from '../relay/queue/queue-of-login.ts'
import { SqliteQueueStore } from '../relay/queue/sqlite-store.ts'
import type { QueueStore } from '../relay/queue/store.ts'
import { keyFile } from './key-file.ts'

/** The queue as the relay's parts use it, in a file or in a database. */
export interface RelayStore extends QueueStore, QueueOperations, QueueOfLogin {
  readonly ledger: Ledger
  /** The address of every recipient in every record. */
  recipients(): AsyncIterable<string>
}

/** What a relay has to remember, alone or together with others. */
export interface RelayMemory {
  readonly store: RelayStore
  /** Sentences about messages whose content is not there. */
  readonly lost: readonly string[]
  /** With which recipients are remembered; the same on all nodes. */
  readonly limitsKey: Uint8Array
}

/** @throws Problem if the database or the file cannot be used */
export async function openMemory(
  store: LoadedStore | undefined,
  folder: StateFolder,
): Promise<RelayMemory> {
  if (store === undefined) {
    const lost: string[] = []
    return {
      store: await SqliteQueueStore.open(folder.file('queue.sqlite'), said => lost.push(said)),
      lost,
      limitsKey: await keyFile(
        folder.file('limits.key'),
        'have every recipient be a new one again',
      ),
    }
  }
  const database = new Postgres(store.url, { connections: store.connections })
  const queue = await PostgresQueueStore.open(database, await nodeOf(folder.file('node.id')))
  return { store: queue, lost: [], limitsKey: await queue.sharedKey('limits', randomBytes(32)) }
}

/** Who this node is, at every start the same: it may end the leases that it died with, and nobody else's. */
async function nodeOf(path: string): Promise<string> {
  const found = await readFile(path, 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return ''
    throw error
  })
  if (isId(found)) return found
  const made = newId(Date.now)
  await writeAtomically(path, Buffer.from(made))
  return made
}
