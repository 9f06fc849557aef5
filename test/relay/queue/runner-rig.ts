import { join } from 'node:path'

import { onTestFinished } from 'vitest'

import type { RelayEvent } from '../../../src/relay/events.ts'
import { QueueRunner, type QueueRunnerOptions } from '../../../src/relay/queue/runner.ts'
import { SqliteQueueStore } from '../../../src/relay/queue/sqlite-store.ts'
import type { MessageRecord, NewMessage, QueueStore } from '../../../src/relay/queue/store.ts'
import { message, put, T0 } from '../../contract/queue-store-samples.ts'
import { scratchFolder } from '../../support/scratch.ts'
import { eventually } from '../../support/server-process.ts'
import { ScriptedTransport } from './scripted-transport.ts'

/** A runner over a real store, with a clock the test turns and a next hop the test scripts. */
export interface Rig {
  readonly store: SqliteQueueStore
  readonly runner: QueueRunner
  readonly transport: ScriptedTransport
  readonly events: RelayEvent[]
  /** Sets the clock this far behind T0 and wakes the runner. */
  at(milliseconds: number): void
  /** Puts a message to these addresses and wakes the runner. */
  put(to: readonly string[], more?: Partial<NewMessage>): Promise<NewMessage>
  /** Waits until a message's record is as told. */
  until(id: string, holds: (record: MessageRecord) => boolean): Promise<MessageRecord>
  eventsOf<K extends RelayEvent['kind']>(kind: K): Extract<RelayEvent, { kind: K }>[]
}

export async function makeRig(
  options: Partial<QueueRunnerOptions> = {},
  wrap: (store: SqliteQueueStore) => QueueStore = store => store,
): Promise<Rig> {
  const store = await SqliteQueueStore.open(join(await scratchFolder(), 'queue.sqlite'))
  const transport = new ScriptedTransport()
  const events: RelayEvent[] = []
  let now = T0
  const runner = new QueueRunner({
    store: wrap(store),
    routeOf: () => transport,
    report: event => events.push(event),
    providerOf: host => (host === '' ? 'unknown' : 'example'),
    hostname: 'relay.example.org',
    clock: () => now,
    random: () => 0.5,
    concurrency: { total: 10, perDomain: 3 },
    storePause: 20,
    ...options,
  })
  onTestFinished(async () => {
    await runner.stop()
    await store.close()
  })
  return {
    store,
    runner,
    transport,
    events,
    at(milliseconds) {
      now = T0 + milliseconds
      runner.wake()
    },
    async put(to, more = {}) {
      const made = await put(store, { ...message(to, now), ...more })
      runner.wake()
      return made
    },
    until: (id, holds) =>
      eventually(async () => {
        const record = await store.find(id)
        return record !== undefined && holds(record) ? record : undefined
      }, `the record of ${id}`),
    eventsOf: <K extends RelayEvent['kind']>(kind: K) =>
      events.filter((event): event is Extract<RelayEvent, { kind: K }> => event.kind === kind),
  }
}

/** Whether every recipient is in this state. */
export function allAre(state: MessageRecord['recipients'][number]['state']) {
  return (record: MessageRecord): boolean => record.recipients.every(r => r.state === state)
}
