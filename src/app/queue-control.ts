import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { SECOND, type Clock } from '../base/clock.ts'
import { Problem } from '../base/problem.ts'
import { StateFolder } from '../base/state-folder.ts'
import { providerOfHost } from '../mail/provider-table.ts'
import type { Provider } from '../mail/provider.ts'
import type { ReportRelayEvent } from '../relay/events.ts'
import type { OperatorAction, QueueOperations, StandingHold } from '../relay/queue/operations.ts'
import type {
  Acted,
  ListedDelivery,
  QueueAnswer,
  QueueRequest,
  Selection,
} from '../relay/queue/request.ts'
import type { SiteState } from '../relay/queue/site-traffic.ts'
import { SqliteQueueStore } from '../relay/queue/sqlite-store.ts'
import { names, titleOf } from '../relay/queue/standing.ts'
import type { MessageRecord, QueueStore } from '../relay/queue/store.ts'
import { pages } from './queue-pages.ts'

export { titleOf } from '../relay/queue/standing.ts'
export type {
  ListedDelivery,
  QueueAnswer,
  QueueRequest,
  Selection,
} from '../relay/queue/request.ts'
export type { SiteState } from '../relay/queue/site-traffic.ts'
export type { HoldTarget, OperatorAction, StandingHold } from '../relay/queue/operations.ts'
export type { MessageRecord } from '../relay/queue/store.ts'

export interface QueueControlOptions {
  readonly store: QueueStore & QueueOperations
  readonly providers: readonly Provider[]
  readonly clock: Clock
  /** Something may be due now. */
  readonly wake: () => void
  /** How mail goes to the sites of these domains, or to all. */
  readonly sites: (domains?: readonly string[]) => readonly SiteState[]
  readonly report: ReportRelayEvent
  /** Notes in the log what an operator did; never whose mail it was. */
  readonly say: (sentence: string) => void
}

/** Answers an operator's request piece by piece; the whole queue is never in memory. */
export type QueueControl = (request: QueueRequest) => AsyncIterable<QueueAnswer>

/** The hands of operators on a queue that may be delivering meanwhile. */
export function createQueueControl(options: QueueControlOptions): QueueControl {
  const { store } = options
  return async function* answer(request) {
    switch (request.ask) {
      case 'list':
        yield {
          kind: 'queue',
          counts: await store.counts(),
          holds: await store.holds(),
          slowed: options.sites().filter(({ level, pausedUntil }) => level > 0 || pausedUntil > 0),
        }
        yield* list(options, request.select, request.limit)
        return
      case 'count': {
        let deliveries = 0
        for await (const page of pages(options, request.select)) deliveries += page.length
        yield { kind: 'count', deliveries }
        return
      }
      case 'find': {
        const record = await store.find(request.id)
        yield record === undefined
          ? { kind: 'unknown', id: request.id }
          : { kind: 'message', record, sites: options.sites(domainsOf(record)) }
        return
      }
      case 'act':
        yield* act(options, request)
        return
      case 'hold':
      case 'lift':
        yield await stand(options, request)
    }
  }
}

/** @throws Problem if there is no queue, or a process holds it that cannot be asked */
export async function openQueueControl(
  state: string,
  options: Pick<QueueControlOptions, 'providers' | 'clock'>,
): Promise<{ readonly ask: QueueControl; readonly close: () => Promise<void> }> {
  const path = join(state, 'queue.sqlite')
  // Opening would create it: a folder that was mistyped must not look like an empty queue.
  if (!existsSync(path)) {
    throw new Problem(`there is no queue in ${state}: name the state folder with --state`)
  }
  const folder = await StateFolder.open(state)
  try {
    const store = await SqliteQueueStore.open(path)
    const nobody = (): void => undefined
    return {
      ask: createQueueControl({
        ...options,
        store,
        wake: nobody,
        sites: () => [],
        report: nobody,
        say: nobody,
      }),
      close: async () => {
        await store.close()
        folder.close()
      },
    }
  } catch (error) {
    folder.close()
    throw error
  }
}

async function* list(
  options: QueueControlOptions,
  select: Selection,
  limit: number,
): AsyncGenerator<QueueAnswer> {
  let deliveries = 0
  for await (const page of pages(options, select)) {
    for (const delivery of page) {
      if (deliveries === limit) {
        yield { kind: 'listed', deliveries, more: true }
        return
      }
      yield { kind: 'delivery', delivery }
      deliveries++
    }
  }
  yield { kind: 'listed', deliveries, more: false }
}

async function* act(
  options: QueueControlOptions,
  { action, select, by }: Extract<QueueRequest, { ask: 'act' }>,
): AsyncGenerator<QueueAnswer> {
  const { all, ...filters } = select
  if (all !== true && Object.keys(filters).length === 0) {
    throw new Problem('name messages or a filter, or say --all')
  }
  let changed = 0
  for (const id of select.ids ?? []) {
    const result = await absence(options, id)
    if (result !== undefined) yield { kind: 'acted', action, id, domain: '', result, kept: '' }
  }
  for await (const page of pages(options, select)) {
    const holds = await options.store.holds()
    const results = await Promise.all(
      page.map(delivery => actOn(options, delivery, { action, by, holds })),
    )
    for (const [i, { id, domain }] of page.entries()) {
      const { result = 'unchanged', kept = '' } = results[i] ?? {}
      if (result === 'done') changed++
      yield { kind: 'acted', action, id, domain, result, kept }
    }
    options.wake()
  }
  if (changed > 0) options.say(`queue: ${action} of ${changed} deliveries by ${by}`)
}

async function actOn(
  { clock, report, store, providers }: QueueControlOptions,
  delivery: ListedDelivery,
  said: {
    readonly action: OperatorAction
    readonly by: string
    readonly holds: readonly StandingHold[]
  },
): Promise<{ readonly result: Acted; readonly kept: string }> {
  const { action, by } = said
  const { id, domain, login } = delivery
  const at = clock()
  const done = await store.operate(id, { action, by, at, domain })
  const holding = said.holds.filter(hold => names(hold, domain, login))
  const kept = holding.map(hold => `${titleOf(hold)} by ${hold.by}`).join(', ')
  if (done === undefined) return { result: 'unknown', kept: '' }
  if (done.busy > 0) return { result: 'busy', kept: '' }
  if ((action === 'retry' || action === 'release') && kept !== '') return { result: 'kept', kept }
  if (done.changed === 0) return { result: 'unchanged', kept: delivery.kept }
  if (action === 'drop') {
    const provider = providerOfHost(delivery.lastHost, providers)
    const seconds = (at - delivery.acceptedAt) / SECOND
    for (let i = 0; i < delivery.recipients; i++) {
      report({ kind: 'settled', id, provider, final: 'removed', seconds })
    }
  }
  return { result: 'done', kept: '' }
}

/** Of the recipients that are not at their end. */
function domainsOf({ recipients }: MessageRecord): readonly string[] {
  return recipients
    .filter(({ state }) => state === 'queued' || state === 'held')
    .map(({ address }) => address.slice(address.lastIndexOf('@') + 1).toLowerCase())
}

/** Why nothing of a message is waiting; undefined if something is. */
async function absence(
  { store }: QueueControlOptions,
  id: string,
): Promise<'unknown' | 'ended' | undefined> {
  const record = await store.find(id)
  if (record === undefined) return 'unknown'
  const ended = record.recipients.every(({ state }) => state !== 'queued' && state !== 'held')
  return ended ? 'ended' : undefined
}

async function stand(
  { store, clock, wake, say }: QueueControlOptions,
  { ask, target, by }: Extract<QueueRequest, { ask: 'hold' | 'lift' }>,
): Promise<QueueAnswer> {
  const operator = { by, at: clock() }
  const find = (holds: readonly StandingHold[]): number =>
    holds.find(({ kind, value }) => kind === target.kind && value === target.value)?.deliveries ?? 0
  const before = await store.holds()
  const changed =
    ask === 'hold' ? await store.hold(target, operator) : await store.lift(target, operator)
  const holds = await store.holds()
  if (changed) {
    const what = target.kind === 'everything' ? 'everything' : `one ${target.kind}`
    say(`queue: hold on ${what} ${ask === 'hold' ? 'set' : 'lifted'} by ${by}`)
    wake()
  }
  return {
    kind: 'standing',
    ask,
    target,
    changed,
    deliveries: find(ask === 'hold' ? holds : before),
    holds,
  }
}
