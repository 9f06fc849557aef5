import { setImmediate as breathe } from 'node:timers/promises'

import type { Clock } from '../base/clock.ts'
import { providerOfHost } from '../mail/provider-table.ts'
import type { Provider } from '../mail/provider.ts'
import type { QueueOperations } from '../relay/queue/operations.ts'
import type { ListedDelivery, Selection } from '../relay/queue/request.ts'
import type { QueueStore } from '../relay/queue/store.ts'

interface PagesOptions {
  readonly store: QueueStore & QueueOperations
  readonly providers: readonly Provider[]
  readonly clock: Clock
}

// What is read and changed at a time, in one commit. Mail goes on between two.
const PAGE = 200

/** The deliveries that are meant, some at a time, in the order in which they came. */
export async function* pages(
  options: PagesOptions,
  select: Selection,
): AsyncGenerator<readonly ListedDelivery[]> {
  const { store, clock, providers } = options
  const now = clock()
  const meant = (delivery: ListedDelivery): boolean =>
    // What came after the question is not meant: a busy queue would never come to its end.
    delivery.acceptedAt <= now &&
    (select.destination === undefined || delivery.domain === select.destination) &&
    (select.login === undefined || delivery.login === select.login) &&
    (select.provider === undefined || delivery.provider === select.provider) &&
    (select.state === undefined || delivery.state === select.state) &&
    (select.olderThan === undefined || now - delivery.acceptedAt >= select.olderThan)
  for (const of of await sources(options, select)) {
    let after: string | undefined
    for (;;) {
      const page = await store.list({
        limit: PAGE,
        ...(after !== undefined && { after }),
        ...(of !== undefined && { of }),
      })
      const listed = page.map(delivery => ({
        ...delivery,
        provider: delivery.lastHost === '' ? '' : providerOfHost(delivery.lastHost, providers),
      }))
      const chosen = listed.filter(meant)
      if (chosen.length > 0) yield chosen
      if (page.length < PAGE || (page.at(-1)?.acceptedAt ?? now) > now) break
      after = page.at(-1)?.deliveryId
      // A million deliveries without one that is meant: sessions and attempts have their turn between two pages.
      await breathe()
    }
  }
}

/** By which indices of the store the deliveries are found. */
async function sources(
  { store }: PagesOptions,
  { ids, destination, login }: Selection,
): Promise<readonly Parameters<QueueOperations['list']>[0]['of'][]> {
  if (ids !== undefined) {
    const records = await Promise.all(ids.map(id => store.find(id)))
    const known = new Set(records.flatMap(record => (record ? [record.message.id] : [])))
    return [...known].map(value => ({ kind: 'message', value }))
  }
  if (login !== undefined) return [{ kind: 'login', value: login }]
  return [destination === undefined ? undefined : { kind: 'destination', value: destination }]
}
