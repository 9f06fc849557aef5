import { statfsSync } from 'node:fs'

import { SECOND, type Clock } from '../base/clock.ts'

/** @returns what tells how many octets a folder's file system has free for us, asked anew once a second at most */
export function freeSpaceOf(folder: string, clock: Clock): () => number | undefined {
  let asked = -Infinity
  let free: number | undefined
  return () => {
    const now = clock()
    // Also where the clock was set back.
    if (now < asked || now - asked >= SECOND) {
      asked = now
      free = ask(folder)
    }
    return free
  }
}

function ask(folder: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize
  } catch {
    // Not known is not full: the store says so itself where it is.
    return undefined
  }
}
