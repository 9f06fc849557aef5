import { eventually } from '../support/server-process.ts'
import { cpuOf } from './accounting.ts'
import { runLoad } from './native.ts'
import type { Scenario } from './scenarios.ts'
import type { Sink } from './sink.ts'
import { LOGIN, PASSWORD, RECIPIENT, SENDER, type Subject } from './subject.ts'

/** One run of one scenario against one server. */
export interface Run {
  /** Messages a second that were answered with 250. */
  readonly accepted: number
  /** Messages a second from the first connection until the next hop had the last one. */
  readonly drained: number
  /** Milliseconds of processor time a message, delivery included. */
  readonly cpu: number
  readonly p50: number
  readonly p99: number
}

export interface Bench {
  readonly loadgen: string
  readonly sink: Sink
}

/** The arguments of the load generator for a server. */
export function loadOf(subject: Subject, options: readonly string[]): string[] {
  const { port } = subject
  const who = ['-u', LOGIN, '-w', PASSWORD, '-f', SENDER, '-r', RECIPIENT]
  return ['-p', String(port), '-T', 'starttls', '-Q', ...who, ...options]
}

/** @throws if a message was lost, changed or delivered twice: a rate of such messages would be worth nothing */
export async function measure(
  subject: Subject,
  scenario: Scenario,
  messages: number,
  { loadgen, sink }: Bench,
): Promise<Run> {
  await sink.reset()
  const cpu = cpuOf(subject.pids())
  const began = Number(process.hrtime.bigint() / 1_000_000n)
  const shape = `-c ${scenario.sessions} -m ${scenario.perConnection} -s ${scenario.size} -n ${messages} -d 120`
  const load = await runLoad(loadgen, loadOf(subject, shape.split(' ')))
  const taken = await eventually(
    async () => {
      const now = await sink.taken()
      return now.unique >= load.accepted ? now : undefined
    },
    `${subject.name}: the next hop to have ${load.accepted} messages`,
    120_000,
  )
  if (load.accepted !== messages || taken.dups > 0 || taken.badsum > 0) {
    const seen = `${load.accepted} of ${messages} accepted, ${taken.dups} twice, ${taken.badsum} changed`
    throw new Error(`${subject.name}, ${scenario.name}: ${seen}`)
  }
  return {
    accepted: load.rate,
    drained: (1_000 * messages) / (taken.last_ms - began),
    cpu: (cpuOf(subject.pids()) - cpu) / messages,
    p50: load.msg_p50_ms,
    p99: load.msg_p99_ms,
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2
}

/** The run in the middle, number by number. */
export function middle(runs: readonly Run[]): Run {
  const of = (key: keyof Run): number => median(runs.map(run => run[key]))
  return {
    accepted: of('accepted'),
    drained: of('drained'),
    cpu: of('cpu'),
    p50: of('p50'),
    p99: of('p99'),
  }
}
