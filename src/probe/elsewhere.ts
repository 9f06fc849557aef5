import { SECOND } from '../base/clock.ts'
import { pause } from './deadline.ts'
import type { CanaryRecord, HistoryStore } from './history.ts'

const ASK_EVERY = 2 * SECOND

/**
 * Waits for a verdict that another node may give: who sends a canary need not be who looks at its seed.
 *
 * @returns undefined if `signal` was aborted before; a history that cannot be asked is asked again
 */
export async function decidedElsewhere(
  history: HistoryStore,
  id: string,
  signal: AbortSignal,
): Promise<CanaryRecord | undefined> {
  while (!signal.aborted) {
    await pause(ASK_EVERY, signal)
    const record = await history.find(id).catch(() => undefined)
    if (record?.verdict !== undefined && !signal.aborted) return record
  }
  return undefined
}
