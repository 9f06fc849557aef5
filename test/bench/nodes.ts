import { join } from 'node:path'

import { startPostgres } from '../support/postgres.ts'
import { measure, median, type Bench } from './measure.ts'
import { startRelay } from './relay-subject.ts'
import type { Scenario } from './scenarios.ts'

/** Messages a second, accepted and at the next hop, of relays that share one PostgreSQL on this machine. */
export interface NodesResult {
  readonly one: { readonly accepted: number; readonly drained: number }
  /** Half of the messages to each, at the same time. */
  readonly two: { readonly accepted: number; readonly drained: number }
}

/** @param options messages: of one run, over all nodes; rounds: pairs of runs, with one node at work and with two */
export async function compareNodes(
  folder: string,
  scenario: Scenario,
  options: { readonly bench: Bench; readonly messages: number; readonly rounds: number },
): Promise<NodesResult> {
  const { bench, messages, rounds } = options
  // Each commit is synced, as the queue's file is.
  const postgres = await startPostgres({ durable: true })
  const stops: (() => Promise<void>)[] = [() => postgres.stop()]
  try {
    const url = await postgres.newDatabase()
    const start = async (name: string) => {
      const node = await startRelay(join(folder, name), bench.sink.port, {
        storeUrl: url.reveal(),
      })
      stops.push(() => node.stop())
      return node
    }
    const nodes = [await start('one'), await start('two')] as const
    const alone: number[][] = []
    const both: number[][] = []
    for (let round = 0; round < rounds; round++) {
      const { accepted, drained } = await measure(nodes[0], scenario, messages, bench)
      alone.push([accepted, drained])
      const together = await measure(nodes, scenario, messages, bench)
      both.push([together.accepted, together.drained])
    }
    const of = (runs: readonly number[][]) => ({
      accepted: median(runs.map(([accepted = 0]) => accepted)),
      drained: median(runs.map(([, drained = 0]) => drained)),
    })
    return { one: of(alone), two: of(both) }
  } finally {
    for (const stop of stops.toReversed()) await stop()
  }
}
