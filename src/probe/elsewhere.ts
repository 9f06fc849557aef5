import { SECOND } from '../base/clock.ts'
import { pause } from './deadline.ts'
import type { ProbeStage } from './followers.ts'
import type { HistoryStore } from './history.ts'

const ASK_EVERY = 2 * SECOND

/**
 * Tells of a verdict that another node has given: who sends a canary need not be who looks at its seed. Resolves when it
 * was told, or `signal` was aborted; a history that cannot be asked is asked again.
 */
export async function verdictElsewhere(
  history: HistoryStore,
  id: string,
  signal: AbortSignal,
  tell: (stage: ProbeStage) => void,
): Promise<void> {
  while (!signal.aborted) {
    await pause(ASK_EVERY, signal)
    const record = await history.find(id).catch(() => undefined)
    if (record?.verdict === undefined || signal.aborted) continue
    tell({ kind: 'verdict', record })
    return
  }
}
