import { join } from 'node:path'

import { onTestFinished } from 'vitest'

import type { RelayEvent } from '../../src/relay/events.ts'
import { QueueRunner } from '../../src/relay/queue/runner.ts'
import { SqliteQueueStore } from '../../src/relay/queue/sqlite-store.ts'
import type { SubmissionOptions } from '../../src/relay/submission/server.ts'
import { Smarthost } from '../../src/relay/transport/smarthost.ts'
import type { Transport } from '../../src/relay/transport/transport.ts'
import type { WireClient } from '../conformance/wire-client.ts'
import { run } from '../relay/submission/fixture.ts'
import { resolverOf, TIMERS } from '../relay/transport/consignment.ts'
import { directMx } from '../relay/transport/delivery.ts'
import { scratchFolder } from '../support/scratch.ts'
import { ScriptedSmtp, type SmtpScript } from '../support/scripted-smtp.ts'
import { eventually } from '../support/server-process.ts'

export type Way = 'direct-mx' | 'smarthost'

/** The whole relay: submission, queue, transport, and a next hop that remembers what it was told. */
export interface TwoHops {
  readonly nextHop: ScriptedSmtp
  readonly events: readonly RelayEvent[]
  session(): Promise<WireClient>
  /** Resolves when nothing waits any more. */
  drained(): Promise<void>
}

export async function twoHops(
  way: Way,
  script: SmtpScript,
  options: Partial<SubmissionOptions> = {},
): Promise<TwoHops> {
  const nextHop = await ScriptedSmtp.start({
    offers: ['PIPELINING', 'SIZE 1000000', '8BITMIME', 'SMTPUTF8', 'DSN', 'ENHANCEDSTATUSCODES'],
    ...script,
  })
  const store = await SqliteQueueStore.open(join(await scratchFolder(), 'queue.sqlite'))
  const events: RelayEvent[] = []
  const transport = transportOf(way, nextHop.port)
  const runner = new QueueRunner({
    store,
    routeOf: () => transport,
    report: event => events.push(event),
    providerOf: () => 'unknown',
    hostname: 'relay.example.org',
    clock: Date.now,
    random: Math.random,
    concurrency: { total: 4, perDomain: 2 },
  })
  onTestFinished(async () => {
    await runner.stop()
    await transport.close()
    await store.close()
    await nextHop.stop()
  })
  await runner.start()
  const { session } = await run({
    store,
    onAccepted: () => runner.wake(),
    report: event => events.push(event),
    ...options,
  })
  return {
    nextHop,
    events,
    session: () => session(),
    async drained() {
      await eventually(async () => {
        const { queued, active } = await store.counts()
        return queued + active === 0 || undefined
      }, 'the queue to be empty')
    },
  }
}

function transportOf(way: Way, port: number): Transport {
  const resolver = resolverOf([['mx.example.net', port]])
  if (way === 'direct-mx') return directMx(resolver)
  const options = { hostname: 'relay.example.org', host: '127.0.0.1', port, resolver }
  return new Smarthost({ ...options, tls: 'none', timers: TIMERS })
}
