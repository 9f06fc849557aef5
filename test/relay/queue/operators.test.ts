import { join } from 'node:path'

import Database from 'better-sqlite3'
import { describe, expect, onTestFinished, test } from 'vitest'

import type { HoldTarget } from '../../../src/relay/queue/operations.ts'
import { SqliteQueueStore } from '../../../src/relay/queue/sqlite-store.ts'
import { MIGRATIONS, APPLICATION_ID } from '../../../src/relay/queue/sqlite/schema.ts'
import type { MessageRecord } from '../../../src/relay/queue/store.ts'
import {
  DEFERRED,
  DELIVERED,
  lease,
  message,
  put,
  settlement,
  T0,
} from '../../contract/queue-store-samples.ts'
import { scratchFolder } from '../../support/scratch.ts'
import { eventually } from '../../support/server-process.ts'
import { allAre, makeRig } from './runner-rig.ts'
import { untilAborted } from './scripted-transport.ts'

const ACTIONS = ['retry', 'hold', 'release', 'drop'] as const
const TARGETS: readonly HoldTarget[] = [
  { kind: 'everything', value: '' },
  { kind: 'destination', value: 'd0.example.net' },
  { kind: 'destination', value: 'd1.example.net' },
  { kind: 'login', value: 'alice' },
]

/** The same numbers in the same order each time. */
function sequence(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
}

describe('operators at work while deliveries run', () => {
  test('every message is delivered once or removed, never both, and none is lost', async () => {
    const rig = await makeRig({ concurrency: { total: 8, perDomain: 4 } })
    const draw = sequence(7)
    // Half are put off, and each attempt takes long enough for somebody to interfere.
    rig.transport.behaviour = async ({ recipients }) => {
      const outcome = draw(2) === 0 ? DEFERRED : DELIVERED
      await new Promise(resolve => setImmediate(resolve))
      return recipients.map(() => outcome)
    }
    await rig.runner.start()
    const ids: string[] = []
    let clock = 0
    for (let round = 0; round < 400; round++) {
      const by = 'root'
      const at = T0 + clock
      if (round < 200) {
        const login = ['alice', 'dora'][draw(2)] ?? ''
        ids.push((await rig.put([`x@d${draw(4)}.example.net`], { login })).id)
      }
      const action = ACTIONS[draw(ACTIONS.length)] ?? 'retry'
      const target = TARGETS[draw(TARGETS.length)] as HoldTarget
      await Promise.all([
        rig.store.operate(ids[draw(ids.length)] ?? '', { action, by, at }),
        draw(3) === 0 ? rig.store.hold(target, { by, at }) : rig.store.lift(target, { by, at }),
      ])
      if (draw(5) === 0) rig.at((clock += 90_000))
      else rig.runner.wake()
    }
    for (const target of TARGETS) await rig.store.lift(target, { by: 'root', at: T0 + clock })
    rig.transport.behaviour = ({ recipients }) => recipients.map(() => DELIVERED)
    for (const id of ids) await rig.store.operate(id, { action: 'release', by: 'root', at: T0 })
    rig.at((clock += 100 * 90_000))
    const records = await Promise.all(
      ids.map(id =>
        rig.until(id, record => allAre('delivered')(record) || allAre('removed')(record)),
      ),
    )
    await eventually(async () => (await rig.store.counts()).active === 0, 'the end of all attempts')
    const ended = (record: MessageRecord, kind: string): number =>
      record.timeline.filter(entry => entry.kind === kind).length
    for (const record of records) {
      const removed = record.timeline.filter(({ note }) => note === 'removed by root').length
      expect(ended(record, 'delivered') + removed).toBe(1)
    }
    // A second copy would show here: what was deferred is the only thing handed over twice.
    const attempts = records.reduce((n, r) => n + ended(r, 'delivered') + ended(r, 'deferred'), 0)
    expect(rig.transport.deliveries).toHaveLength(attempts)
    expect(records.some(allAre('removed'))).toBe(true)
    expect(records.filter(allAre('delivered')).length).toBeGreaterThan(20)
    expect(rig.eventsOf('relay-fault')).toEqual([])
  })

  test('a hold on everything lets no new attempt begin, and its end begins them at once', async () => {
    let rounds = 0
    const rig = await makeRig({ stopGrace: 10 }, store => {
      const nextDue = store.nextDue.bind(store)
      store.nextDue = busy => {
        rounds++
        return nextDue(busy)
      }
      return store
    })
    rig.transport.behaviour = untilAborted(DELIVERED)
    await rig.runner.start()
    await rig.put(['bob@example.net'])
    await eventually(() => rig.transport.deliveries.length === 1, 'an attempt')
    await rig.store.hold(TARGETS[0] as HoldTarget, { by: 'root', at: T0 })
    const later = await rig.put(['carol@example.com'])
    // The runner goes round at least once more.
    const before = rounds
    rig.at(1_000)
    await eventually(() => rounds > before, 'another round')
    expect(rig.transport.deliveries).toHaveLength(1)
    rig.transport.behaviour = ({ recipients }) => recipients.map(() => DELIVERED)
    await rig.store.lift(TARGETS[0] as HoldTarget, { by: 'root', at: T0 })
    rig.runner.wake()
    await rig.until(later.id, allAre('delivered'))
  })
})

describe('what is kept beside the deliveries', () => {
  test('agrees with them after anything that can happen', async () => {
    const path = join(await scratchFolder(), 'queue.sqlite')
    const store = await SqliteQueueStore.open(path)
    onTestFinished(() => store.close())
    const database = new Database(path, { readonly: true })
    onTestFinished(() => void database.close())
    const draw = sequence(11)
    const ids: string[] = []
    for (let round = 0; round < 300; round++) {
      const at = T0 + round * 1_000
      const hold = draw(6) === 0 ? { hold: 'too many' } : {}
      const made = {
        ...message([`a@d${draw(3)}.example.net`, `b@d${draw(3)}.example.net`], at),
        login: ['alice', 'dora', ''][draw(3)] ?? '',
        ...hold,
      }
      ids.push((await put(store, made)).id)
      const target = TARGETS[draw(TARGETS.length)] as HoldTarget
      if (draw(2) === 0) await store.hold(target, { by: 'root', at })
      else await store.lift(target, { by: 'root', at })
      for (const leased of await lease(store, at, { limit: 1 + draw(3), perDomain: 2 })) {
        if (draw(4) === 0) continue
        if (draw(4) === 0) await store.giveBack(leased, at + draw(9_000))
        else {
          const outcome = draw(2) === 0 ? DEFERRED : DELIVERED
          await store.settle(leased, settlement(leased, outcome, { at, dueAt: at + draw(9_000) }))
        }
      }
      const action = ACTIONS[draw(ACTIONS.length)] ?? 'retry'
      await store.operate(ids[draw(ids.length)] ?? '', { action, by: 'root', at })
      expect(database.prepare(LANES).all()).toEqual(database.prepare(LANES_COUNTED).all())
      expect(database.prepare(DESTINATIONS).all()).toEqual(
        database.prepare(DESTINATIONS_COUNTED).all(),
      )
      const { queued, active, held } = await store.counts()
      const waiting = await store.list({ limit: 10_000 })
      const count = (state: string): number => waiting.filter(one => one.state === state).length
      expect([queued, active, held]).toEqual(['queued', 'active', 'held'].map(count))
    }
    expect((await store.counts()).held).toBeGreaterThan(0)
  })

  test('is made for a queue that an earlier version left', async () => {
    const path = join(await scratchFolder(), 'queue.sqlite')
    const old = new Database(path)
    old.exec(MIGRATIONS[0] ?? '')
    old.pragma('user_version = 1')
    old.pragma(`application_id = ${APPLICATION_ID}`)
    old.exec(`
      insert into message values
        (1, 'A', 'alice@example.org', 0, 0, null, null, 'alice', ${T0}, '', 0, 1, null),
        (2, 'B', 'alice@example.org', 0, 0, null, null, 'dora', ${T0}, '', 0, 2, null);
      insert into chunk values (1, 1, x''), (2, 2, x'');
      insert into delivery (id, message, domain, state, due_at, ready_at) values
        (1, 1, 'example.net', 'queued', ${T0}, ${T0}),
        (2, 2, 'example.net', 'held', ${T0}, ${T0});
      insert into recipient (message, position, delivery, address, state) values
        (1, 0, 1, 'bob@example.net', 'queued'),
        (2, 0, 2, 'bob@example.net', 'queued');
      insert into destination values ('example.net', ${T0});`)
    old.close()
    const store = await SqliteQueueStore.open(path)
    onTestFinished(() => store.close())
    expect(await store.counts()).toMatchObject({ queued: 1, held: 1 })
    expect(await store.list({ limit: 9 })).toMatchObject([
      { id: 'A', login: 'alice', state: 'queued' },
      { id: 'B', login: 'dora', state: 'held', kept: 'held by an operator' },
    ])
    await store.hold({ kind: 'login', value: 'alice' }, { by: 'root', at: T0 })
    expect(await lease(store)).toEqual([])
    await store.lift({ kind: 'login', value: 'alice' }, { by: 'root', at: T0 })
    expect(await lease(store)).toMatchObject([{ message: { id: 'A' } }])
  })

  test('a hold of a kind that nobody knows holds everything', async () => {
    const path = join(await scratchFolder(), 'queue.sqlite')
    const store = await SqliteQueueStore.open(path)
    onTestFinished(() => store.close())
    await put(store, message(['bob@example.net']))
    const database = new Database(path)
    database.exec(
      `insert into standing_hold (kind, value, set_at, set_by) values ('tenant', 'x', ${T0}, 'root')`,
    )
    database.close()
    expect(await lease(store)).toEqual([])
    expect(await store.nextDue()).toBeUndefined()
    expect(await store.counts()).toMatchObject({ queued: 0, held: 1 })
    expect(await store.list({ limit: 1 })).toMatchObject([{ state: 'held' }])
  })
})

const LANES = 'select domain, login, queued, held from lane order by domain, login'
const LANES_COUNTED = `
  select domain, login, count(*) as queued,
    exists (select 1 from standing_hold where lifted_at is null and (
      kind = 'destination' and value = domain or kind = 'login' and value = login)) as held
  from delivery where state = 'queued' and token is null group by domain, login order by domain, login`
const DESTINATIONS = 'select domain, ready_at from destination order by domain'
const DESTINATIONS_COUNTED = `
  select domain, min(ready_at) as ready_at from delivery join lane using (domain, login)
  where state = 'queued' and token is null and held = 0 group by domain order by domain`
