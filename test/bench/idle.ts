import { memoryOf } from './accounting.ts'
import { loadOf, median } from './measure.ts'
import { holdSessions } from './native.ts'
import type { Subject } from './subject.ts'

// From one to the next it is 3 KiB more or less: garbage that has not been collected is memory as well.
const ROUNDS = 5

/**
 * KiB that each of many sessions costs, which have logged in and say nothing: the median of several daemons.
 *
 * @param fresh starts one that has served nobody yet: memory that others have left behind would be used again and not be seen
 */
export async function idleCost(
  fresh: (round: number) => Promise<Subject>,
  sessions: number,
  loadgen: string,
): Promise<number> {
  const costs: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const subject = await fresh(round)
    try {
      costs.push(await costOf(subject, sessions, loadgen))
    } finally {
      await subject.stop()
    }
  }
  return median(costs)
}

async function costOf(subject: Subject, sessions: number, loadgen: string): Promise<number> {
  // What only the first ones cost is the code.
  const few = ['-I', '600', '-c', '50', '-W', '20', '-d', '120']
  await (await holdSessions(loadgen, loadOf(subject, few))).end()
  const before = memoryOf(subject.pids())
  // From addresses of their own, for nobody gets more than a hundred from one.
  const opened = ['-I', '600', '-c', String(sessions), '-W', '20', '-B', '50', '-d', '120']
  const held = await holdSessions(loadgen, loadOf(subject, opened))
  const during = memoryOf(subject.pids())
  await held.end()
  return (during - before) / sessions
}
