import { join } from 'node:path'

import { describe, expect, onTestFinished, test } from 'vitest'

import { createQueueControl, type QueueAnswer } from '../../src/app/queue-control.ts'
import { PROVIDERS } from '../../src/mail/providers.ts'
import type { RelayEvent } from '../../src/relay/events.ts'
import { SqliteQueueStore } from '../../src/relay/queue/sqlite-store.ts'
import { DEFERRED, lease, message, put, settlement, T0 } from '../contract/queue-store-samples.ts'
import { scratchFolder } from '../support/scratch.ts'

async function open() {
  const store = await SqliteQueueStore.open(join(await scratchFolder(), 'queue.sqlite'))
  onTestFinished(() => store.close())
  const events: RelayEvent[] = []
  const sentences: string[] = []
  let woken = 0
  const ask = createQueueControl({
    store,
    providers: PROVIDERS,
    clock: () => T0 + 60_000,
    wake: () => woken++,
    sites: () => [],
    report: event => events.push(event),
    say: sentence => sentences.push(sentence),
  })
  return { store, ask, events, sentences, woken: () => woken }
}

async function all(answers: AsyncIterable<QueueAnswer>): Promise<readonly QueueAnswer[]> {
  const found: QueueAnswer[] = []
  for await (const answer of answers) found.push(answer)
  return found
}

describe('an action by filter', () => {
  test('reaches all of a long queue in shared commits, and wakes the runner', async () => {
    const { store, ask, sentences, woken } = await open()
    await Promise.all(
      Array.from({ length: 1_000 }, (_, i) => put(store, message([`x@d${i % 2}.example.net`]))),
    )
    const before = store.commits
    const answers = await all(
      ask({ ask: 'act', action: 'hold', select: { destination: 'd0.example.net' }, by: 'root' }),
    )
    expect(answers).toHaveLength(500)
    expect(answers.every(answer => answer.kind === 'acted' && answer.result === 'done')).toBe(true)
    expect(store.commits - before).toBeLessThan(10)
    expect(await store.counts()).toMatchObject({ queued: 500, held: 500 })
    expect(woken()).toBeGreaterThan(0)
    expect(sentences).toEqual(['queue: hold of 500 deliveries by root'])
  })

  test('that removes is told as the end of each recipient, with its provider', async () => {
    const { store, ask, events } = await open()
    await put(store, message(['a@example.net', 'b@example.net']))
    const [leased] = await lease(store)
    if (leased === undefined) throw new Error('a delivery was put')
    const host = 'gmail-smtp-in.l.google.com'
    await store.settle(leased, settlement(leased, { ...DEFERRED, host }))
    await put(store, message(['c@example.com']))
    const select = { provider: 'gmail' }
    await all(ask({ ask: 'act', action: 'drop', select, by: 'root' }))
    const settled = { kind: 'settled', provider: 'gmail', final: 'removed', seconds: 60 }
    expect(events).toMatchObject([settled, settled])
    expect(await store.list({ limit: 9 })).toMatchObject([{ domain: 'example.com' }])
  })

  test('is about one destination of a message where that was said', async () => {
    const { store, ask } = await open()
    await put(store, message(['a@example.net', 'b@example.com']))
    const select = { destination: 'example.com', login: 'alice' }
    await all(ask({ ask: 'act', action: 'drop', select, by: 'root' }))
    expect(await store.list({ limit: 9 })).toMatchObject([{ domain: 'example.net' }])
  })

  test('is not about everything because no filter was given', async () => {
    const { store, ask } = await open()
    await put(store, message(['a@example.net']))
    const nothing = { ask: 'act', action: 'drop', select: {}, by: 'root' } as const
    await expect(all(ask(nothing))).rejects.toThrow(/--all/)
    expect(await store.counts()).toMatchObject({ queued: 1 })
  })

  test('comes to its end on a queue that grows meanwhile', async () => {
    const { store, ask } = await open()
    const later = T0 + 60_001
    const grow = (n: number, at: number): Promise<unknown> =>
      Promise.all(Array.from({ length: n }, () => put(store, message(['a@example.net'], at))))
    await grow(400, T0)
    let answers = 0
    for await (const _ of ask({ ask: 'act', action: 'hold', select: { all: true }, by: 'root' })) {
      if (answers++ % 100 === 0) await grow(300, later)
      if (answers > 2_000) break
    }
    expect(answers).toBe(400)
  })
})

describe('the list', () => {
  test('finds what is rare among many, and gives everything else its turn meanwhile', async () => {
    const { store, ask } = await open()
    await Promise.all(Array.from({ length: 2_000 }, () => put(store, message(['x@example.net']))))
    const { id } = await put(store, { ...message(['y@example.com']), hold: 'too many' })
    let turns = 0
    const turn = (): void => {
      turns++
      handle = setImmediate(turn)
    }
    let handle = setImmediate(turn)
    const answers = await all(ask({ ask: 'list', select: { state: 'held' }, limit: 10 }))
    clearImmediate(handle)
    expect(answers.slice(1)).toMatchObject([
      { kind: 'delivery', delivery: { id, kept: 'too many', provider: '' } },
      { kind: 'listed', deliveries: 1, more: false },
    ])
    expect(turns).toBeGreaterThan(5)
  })

  test('notes nobody’s name in the log', async () => {
    const { ask, sentences } = await open()
    for (const target of [
      { kind: 'login', value: 'alice' },
      { kind: 'destination', value: 'example.net' },
    ] as const) {
      await all(ask({ ask: 'hold', target, by: 'root' }))
      await all(ask({ ask: 'hold', target, by: 'root' }))
      await all(ask({ ask: 'lift', target, by: 'root' }))
    }
    expect(sentences).toEqual([
      'queue: hold on one login set by root',
      'queue: hold on one login lifted by root',
      'queue: hold on one destination set by root',
      'queue: hold on one destination lifted by root',
    ])
  })
})
