import { memoryOf } from './accounting.ts'
import { loadOf } from './measure.ts'
import { holdSessions } from './native.ts'
import type { Subject } from './subject.ts'

/** KiB that each of many sessions costs, which have logged in and say nothing. */
export async function idleCost(
  subject: Subject,
  sessions: number,
  loadgen: string,
): Promise<number> {
  const before = memoryOf(subject.pids())
  // From addresses of their own, for nobody gets more than a hundred from one.
  const opened = ['-I', '600', '-c', String(sessions), '-W', '20', '-B', '50', '-d', '120']
  const held = await holdSessions(loadgen, loadOf(subject, opened))
  const during = memoryOf(subject.pids())
  await held.end()
  return (during - before) / sessions
}
