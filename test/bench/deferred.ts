import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import Database from 'better-sqlite3'

import { DAY } from '../../src/base/clock.ts'
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

const DOMAINS = 5_000

/**
 * Writes messages that are due tomorrow into a new queue: rows as the store writes them, but all in one transaction, for
 * a million puts would take longer than everything else here.
 */
export async function fillQueue(folder: string, messages: number): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, 'queue.sqlite')
  await (await SqliteQueueStore.open(path)).close()
  const database = new Database(path)
  database.pragma('synchronous = off')
  database.pragma('cache_size = -262144')
  const parameters = { messages, DOMAINS, now: Date.now(), due: Date.now() + DAY }
  const counted =
    'with recursive n(i) as (select 1 union all select i + 1 from n where i < @messages)'
  database.transaction(() => {
    for (const rows of [
      `insert into message (key, id, reverse_path, eight_bit, smtputf8, login, accepted_at, message_id, size, body)
         ${counted} select i, printf('%026d', i), 'alice@example.org', 0, 0, 'alice', @now, '<' || i || '@relay.example.org>', 1024, i from n`,
      `insert into chunk (body, data) ${counted} select i, zeroblob(1024) from n`,
      `insert into delivery (id, message, domain, login, state, due_at, ready_at, attempts)
         ${counted} select i, i, 'd' || (i % @DOMAINS) || '.example.net', 'alice', 'queued', @due, @due, 1 from n`,
      `insert into recipient (message, position, delivery, address, state)
         ${counted} select i, 0, i, 'bob@d' || (i % @DOMAINS) || '.example.net', 'queued' from n`,
      `insert into timeline (message, at, kind, domain, host, reply, tls, note)
         ${counted} select i, @now, 'accepted', '', '', '', '', '' from n`,
      'insert into destination select domain, min(ready_at) from delivery group by domain',
    ]) {
      database.prepare(rows).run(parameters)
    }
  })()
  database.close()
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
