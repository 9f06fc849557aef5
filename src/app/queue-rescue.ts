import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { Problem } from '../base/problem.ts'
import { StateFolder } from '../base/state-folder.ts'
import { rescueQueue, type Rescued } from '../relay/queue/sqlite/rescue.ts'

export type { Rescued } from '../relay/queue/sqlite/rescue.ts'

/**
 * Saves what can be read of the damaged queue in a state folder.
 *
 * @throws Problem if a daemon has the folder, there is no queue in it, it is not damaged, or it is beyond saving
 */
export async function rescueState(state: string): Promise<Rescued> {
  // The folder would be created: one that was mistyped must not look like a queue.
  if (!existsSync(join(state, 'queue.sqlite'))) {
    throw new Problem(`there is no queue in ${state}: name the state folder with --state`)
  }
  const folder = await StateFolder.open(state)
  try {
    return rescueQueue(folder.file('queue.sqlite'), Date.now())
  } finally {
    folder.close()
  }
}
