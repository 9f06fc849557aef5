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

/**
 * @param subjects one server, or several that are offered a part each at the same time
 * @throws if a message was lost, changed or delivered twice: a rate of such messages would be worth nothing
 */
export async function measure(
  subjects: Subject | readonly Subject[],
  scenario: Scenario,
  messages: number,
  { loadgen, sink }: Bench,
): Promise<Run> {
  const all = 'pids' in subjects ? [subjects] : subjects
  const name = all.map(subject => subject.name).join(' and ')
  const pids = all.flatMap(subject => subject.pids())
  await sink.reset()
  const cpu = cpuOf(pids)
  const began = Number(process.hrtime.bigint() / 1_000_000n)
  const shape = `-c ${scenario.sessions / all.length} -m ${scenario.perConnection} -s ${scenario.size} -n ${messages / all.length} -d 120`
  const loads = await Promise.all(
    all.map((subject, i) => {
      // The next hop knows messages by their ids.
      return runLoad(loadgen, [...loadOf(subject, shape.split(' ')), '-L', `n${i}-`])
    }),
  )
  const sum = (of: 'accepted' | 'rate'): number =>
    loads.reduce((total, load) => total + load[of], 0)
  const most = (of: 'msg_p50_ms' | 'msg_p99_ms'): number => Math.max(...loads.map(load => load[of]))
  const accepted = sum('accepted')
  const taken = await eventually(
    async () => {
      const now = await sink.taken()
      return now.unique >= accepted ? now : undefined
    },
    `${name}: the next hop to have ${accepted} messages`,
    120_000,
  )
  if (accepted !== messages || taken.dups > 0 || taken.badsum > 0) {
    const seen = `${accepted} of ${messages} accepted, ${taken.dups} twice, ${taken.badsum} changed`
    throw new Error(`${name}, ${scenario.name}: ${seen}`)
  }
  return {
    accepted: sum('rate'),
    drained: (1_000 * messages) / (taken.last_ms - began),
    cpu: (cpuOf(pids) - cpu) / messages,
    p50: most('msg_p50_ms'),
    p99: most('msg_p99_ms'),
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
