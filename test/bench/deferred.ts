import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { DAY } from '../../src/base/clock.ts'
import { newId } from '../../src/base/id.ts'
import { SqliteQueueStore } from '../../src/relay/queue/sqlite-store.ts'
import { memoryOf } from './accounting.ts'
import { measure, median, type Bench } from './measure.ts'
import { startRelay } from './relay-subject.ts'
import type { Scenario } from './scenarios.ts'

/** A relay with many deferred messages beside one with none. */
export interface DeferredResult {
  readonly messages: number
  /** Accepted a second, as a share of what the empty queue accepts. */
  readonly acceptShare: number
  readonly memoryMiB: number
  readonly readySeconds: number
  readonly listSeconds: number
}

/** As many as share a commit. */
const PORTION = 256
const DOMAINS = 5_000

/** Writes messages that are due tomorrow into a queue, through the store itself. */
export async function fillQueue(folder: string, messages: number): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const store = await SqliteQueueStore.open(join(folder, 'queue.sqlite'))
  const content = Buffer.from(`Subject: deferred\r\n\r\n${'x'.repeat(1_000)}\r\n`)
  const put = async (n: number): Promise<void> => {
    const body = store.newBody()
    await body.write(content)
    const id = newId(Date.now)
    await store.put(
      {
        id,
        envelope: {
          reversePath: 'alice@example.org',
          recipients: [{ address: `bob@d${n % DOMAINS}.example.net` }],
          eightBit: false,
          smtputf8: false,
        },
        login: 'alice',
        acceptedAt: Date.now() + DAY,
        messageId: `<${id}@relay.example.org>`,
      },
      body,
    )
  }
  for (let n = 0; n < messages; n += PORTION) {
    const portion = Math.min(PORTION, messages - n)
    await Promise.all(Array.from({ length: portion }, (_, i) => put(n + i)))
  }
  await store.close()
}

/**
 * @param options rounds: pairs of runs, with and without the deferred messages
 */
export async function withDeferred(
  folder: string,
  scenario: Scenario,
  options: {
    readonly bench: Bench
    readonly deferred: number
    readonly messages: number
    readonly rounds: number
  },
): Promise<DeferredResult> {
  const { bench, deferred, messages, rounds } = options
  const { port } = bench.sink
  const full = await startRelay(join(folder, 'full'), port, {
    prepare: site => fillQueue(site.state, deferred),
  })
  await full.stop()
  const began = performance.now()
  await full.site.start()
  const readySeconds = (performance.now() - began) / 1_000
  const empty = await startRelay(join(folder, 'empty'), port)
  try {
    const ratios: number[] = []
    for (let round = 0; round < rounds; round++) {
      const some = await measure(empty, scenario, messages, bench)
      ratios.push((await measure(full, scenario, messages, bench)).accepted / some.accepted)
    }
    const asked = performance.now()
    const program = new URL('../../dist/main.js', import.meta.url).pathname
    const list = ['queue', 'list', '--relay', full.site.relayFile]
    await promisify(execFile)(process.execPath, [program, ...list], { maxBuffer: 1 << 26 })
    return {
      messages: deferred,
      acceptShare: median(ratios),
      memoryMiB: memoryOf(full.pids()) / 1_024,
      readySeconds,
      listSeconds: (performance.now() - asked) / 1_000,
    }
  } finally {
    await full.stop()
    await empty.stop()
  }
}
