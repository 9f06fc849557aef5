import { join } from 'node:path'

import { onTestFinished } from 'vitest'

import { SqliteQueueStore } from '../../src/relay/queue/sqlite-store.ts'
import { scratchFolder } from '../support/scratch.ts'
import { queueStoreContract } from './queue-store.contract.ts'

queueStoreContract('SqliteQueueStore', async () => {
  const path = join(await scratchFolder(), 'queue.sqlite')
  let store = await SqliteQueueStore.open(path)
  onTestFinished(() => store.close())
  return {
    store,
    async reopen() {
      await store.close()
      store = await SqliteQueueStore.open(path)
      return store
    },
  }
})
