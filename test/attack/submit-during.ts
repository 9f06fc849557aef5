import type { WireClient } from '../conformance/wire-client.ts'
import { submit } from '../relay/submission/fixture.ts'

/**
 * Submits one message after the other until something is over: whoever works must not feel an attack.
 *
 * @returns how many messages were taken; fails at the first that is not
 */
export async function submitDuring(worker: WireClient, attack: Promise<unknown>): Promise<number> {
  const progress = { over: false }
  const end = attack.finally(() => {
    progress.over = true
  })
  end.catch(() => undefined)
  let submitted = 0
  do {
    const answer = await submit(worker)
    if (!answer.startsWith('250 ')) throw new Error(`message ${submitted + 1}: ${answer}`)
    submitted++
  } while (!progress.over)
  await end
  return submitted
}
