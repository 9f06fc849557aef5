import { existsSync } from 'node:fs'
import { join } from 'node:path'

import type { Operator } from '../relay/queue/operations.ts'
import { SqliteQueueStore } from '../relay/queue/sqlite-store.ts'

/**
 * Holds everything in a queue that comes from a backup: what was queued then may have been delivered since.
 *
 * @param state a folder that this process holds
 * @returns how many deliveries are kept back, or undefined where nothing waits and nothing is held
 */
export async function holdRestored(state: string, operator: Operator): Promise<number | undefined> {
  const path = join(state, 'queue.sqlite')
  if (!existsSync(path)) return undefined
  const store = await SqliteQueueStore.open(path)
  try {
    const { queued, active, held } = await store.counts()
    if (queued + active + held === 0) return undefined
    await store.hold({ kind: 'everything', value: '' }, operator)
    return queued + active + held
  } finally {
    await store.close()
  }
}
