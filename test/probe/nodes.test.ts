import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import { Postgres } from '../../src/base/postgres.ts'
import { Secret } from '../../src/base/secret.ts'
import { PostgresHistory } from '../../src/probe/postgres-history.ts'
import { PostgresLeases } from '../../src/probe/postgres-leases.ts'
import { sharedTokenKey } from '../../src/probe/postgres-token-key.ts'
import type { Prober, ProberOptions } from '../../src/probe/prober.ts'
import type { SeedLeases } from '../../src/probe/seed-lease.ts'
import type { Submit } from '../../src/probe/sender.ts'
import { missingPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts'
import { eventually } from '../support/server-process.ts'
import { found, QUEUED, running, ScriptedMailbox, SEED } from './scripted-mailbox.ts'
import { KEY, PROBE, proberOf } from './world.ts'

interface Node {
  readonly name: string
  readonly database: Postgres
  readonly history: PostgresHistory
  readonly leases: PostgresLeases
}

describe.skipIf(missingPostgres())('several nodes over one PostgreSQL', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  async function node(url: Secret, name: string, lasts = 600): Promise<Node> {
    const database = new Postgres(url, { connections: 3 })
    const history = await PostgresHistory.open(database)
    onTestFinished(() => history.close())
    return { name, database, history, leases: new PostgresLeases(database, { node: name, lasts }) }
  }

  function proberAt(
    { history, leases }: Node,
    options: Partial<ProberOptions> = {},
  ): ReturnType<typeof proberOf> {
    const mailboxFor = (): ScriptedMailbox => new ScriptedMailbox()
    return proberOf({ seeds: [SEED], mailboxFor, history, leases, ...options })
  }

  test('nodes that start together make the tables once, and agree on one key', async () => {
    const url = await server.newDatabase()
    const names = ['one', 'two', 'three', 'four']
    const nodes = await Promise.all(names.map(name => node(url, name)))
    const keys = await Promise.all(
      nodes.map(({ database }, i) => sharedTokenKey(database, Buffer.alloc(32, i + 1))),
    )
    expect(new Set(keys.map(key => Buffer.from(key).toString('hex'))).size).toBe(1)
    const later = await node(url, 'five')
    expect(await sharedTokenKey(later.database, Buffer.alloc(32, 9))).toEqual(keys[0])
  })

  test('tables of a newer version are left alone, with a sentence', async () => {
    const url = await server.newDatabase()
    await node(url, 'one')
    await server.ask(url, 'update schema_version set version = 99')
    const database = new Postgres(url, { connections: 1 })
    await expect(PostgresHistory.open(database)).rejects.toThrow(
      'the history in the database was made by a newer mailcanary (schema 99',
    )
  })

  test('a database that is not there is a problem without its password', async () => {
    const url = await server.newDatabase()
    const elsewhere = url.reveal().replace(/test_\d+$/, 'nowhere')
    const opened = PostgresHistory.open(new Postgres(new Secret(elsewhere), { connections: 1 }))
    const problem = await opened.catch((error: unknown) => error)
    expect(String(problem)).toContain('database "nowhere" does not exist')
    expect(String(problem)).not.toContain('canary-demo')
  })

  test('what is written is on the disk, even where the server would rather not', async () => {
    const database = new Postgres(await server.newDatabase(), { connections: 1 })
    onTestFinished(() => database.close())
    const [row] = await database.rows<object>('show synchronous_commit')
    expect(row).toEqual({ synchronous_commit: 'on' })
  })

  test('of two probers with the same schedule one sends each canary', async () => {
    const url = await server.newDatabase()
    const sent: string[] = []
    const nodes = [await node(url, 'one'), await node(url, 'two')]
    for (const one of nodes) {
      const { prober } = proberAt(one, {
        probes: [{ ...PROBE, schedule: { kind: 'every', every: 50, jitter: 0 } }],
        scheduled: true,
        maxUndecided: 1_000,
        submit: (async submission => {
          sent.push(one.name)
          return { kind: 'submitted', at: submission.clock(), queueId: '' }
        }) satisfies Submit,
      })
      await running(prober)
    }
    await eventually(() => sent.length >= 20, 'twenty canaries')
    const records = (await nodes[0]?.history.list({ limit: 1_000 })) ?? []
    const slots = records.map(record => record.canary.scheduledAt)
    expect(new Set(slots).size).toBe(slots.length)
    expect(sent.length).toBeLessThanOrEqual(slots.length)
  })

  /** Counts who looks at the seed. */
  class CountedMailbox extends ScriptedMailbox {
    readonly #looks: Map<string, number>
    readonly #node: string
    constructor(node: string, looks: Map<string, number>) {
      super()
      this.#node = node
      this.#looks = looks
    }
    override async read(): ReturnType<ScriptedMailbox['read']> {
      this.#looks.set(this.#node, (this.#looks.get(this.#node) ?? 0) + 1)
      return super.read()
    }
  }

  test('a seed is looked at by one node, and by the next one when that one has stopped', async () => {
    const url = await server.newDatabase()
    const looks = new Map<string, number>()
    const probers: Prober[] = []
    for (const name of ['one', 'two']) {
      const { prober } = proberAt(await node(url, name), {
        mailboxFor: () => new CountedMailbox(name, looks),
      })
      await running(prober)
      probers.push(prober)
      await eventually(() => (looks.get('one') ?? 0) > 1, 'looks of the first')
    }
    const so = looks.get('one') ?? 0
    await eventually(() => (looks.get('one') ?? 0) > so + 5, 'more looks of the first')
    expect(looks.get('two')).toBeUndefined()
    await probers[0]?.stop()
    await eventually(() => (looks.get('two') ?? 0) > 1, 'looks of the second')
  })

  /** Leases of a node whose way to the database can be cut. */
  class CutOff implements SeedLeases {
    readonly lasts: number
    readonly #leases: SeedLeases
    cut = false
    constructor(leases: SeedLeases) {
      this.#leases = leases
      this.lasts = leases.lasts
    }
    take(seed: string): Promise<boolean> {
      return this.cut ? new Promise(() => undefined) : this.#leases.take(seed)
    }
    giveBack(seed: string): Promise<void> {
      return this.cut ? Promise.reject(new Error('cut')) : this.#leases.giveBack(seed)
    }
  }

  test('a node that cannot renew its lease stops looking, before another may begin', async () => {
    const url = await server.newDatabase()
    const looks = new Map<string, number>()
    const one = await node(url, 'one')
    const leases = new CutOff(one.leases)
    const first = proberAt(one, {
      leases,
      mailboxFor: () => new CountedMailbox('one', looks),
    })
    await running(first.prober)
    await eventually(() => (looks.get('one') ?? 0) > 1, 'looks of the first')
    let atTakeover = -1
    class Second extends CountedMailbox {
      override async read(): ReturnType<ScriptedMailbox['read']> {
        if (atTakeover < 0) atTakeover = looks.get('one') ?? 0
        return super.read()
      }
    }
    const second = proberAt(await node(url, 'two'), {
      mailboxFor: () => new Second('two', looks),
    })
    await running(second.prober)
    leases.cut = true
    await eventually(() => (looks.get('two') ?? 0) > 5, 'looks of the second')
    expect(looks.get('one')).toBe(atTakeover)
    expect(first.events.filter(event => event.kind === 'probe-fault')).toMatchObject([
      { part: 'seed example-1', cause: 'its lease: no answer within 0.2 s' },
    ])
    leases.cut = false
  })

  test('the verdict of a canary comes back from the node that looks at its seed', async () => {
    const url = await server.newDatabase()
    const mailbox = new ScriptedMailbox()
    const looking = proberAt(await node(url, 'one'), { mailboxFor: () => mailbox })
    await running(looking.prober)
    await eventually(
      async () => (await server.ask(url, 'select 1 from seed_lease')).length > 0,
      'a lease',
    )
    const sending = proberAt(await node(url, 'two'), { submit: QUEUED, tokenKey: KEY })
    await running(sending.prober)
    const stages: string[] = []
    const record = await sending.prober.runOnce(PROBE.name, {
      onStage: stage => {
        stages.push(stage.kind)
        if (stage.kind === 'submitted') {
          void sending.history.undecided().then(([canary]) => {
            mailbox.put.push(found(`X-Reference: ${canary?.token}\r\n`))
          })
        }
      },
    })
    expect(record.verdict).toMatchObject({ kind: 'arrived', placement: 'inbox' })
    expect(stages).toEqual(['begun', 'submitted', 'verdict'])
    expect(looking.events.filter(event => event.kind === 'verdict')).toHaveLength(1)
    expect(sending.events.filter(event => event.kind === 'verdict')).toEqual([])
  })
})

describe.skipIf(missingPostgres())('while the database restarts', () => {
  test('looking stops and goes on by itself, and the canary gets its verdict', async () => {
    const server = await startPostgres({ durable: true })
    onTestFinished(() => server.stop())
    const database = new Postgres(await server.newDatabase(), { connections: 3 })
    const history = await PostgresHistory.open(database)
    onTestFinished(() => history.close())
    const mailbox = new ScriptedMailbox()
    const { prober, events } = proberOf({
      seeds: [SEED],
      mailboxFor: () => mailbox,
      submit: QUEUED,
      history,
      leases: new PostgresLeases(database, { node: 'one', lasts: 600 }),
    })
    await running(prober)
    const run = prober.runOnce(PROBE.name)
    const [canary] = await eventually(async () => {
      const undecided = await history.undecided()
      return undecided[0]?.queueId ? undecided : undefined
    }, 'a submitted canary')
    await server.down()
    await eventually(() => events.find(({ kind }) => kind === 'probe-fault'), 'a fault')
    await expect(history.undecided()).rejects.toMatchObject({ name: 'DatabaseUnavailable' })
    await server.up()
    await server.crash()
    mailbox.put.push(found(`X-Reference: ${canary?.token}\r\n`))
    expect((await run).verdict).toMatchObject({ kind: 'arrived' })
  })
})
