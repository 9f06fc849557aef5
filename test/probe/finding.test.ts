import { beforeAll, describe, expect, test, type TestContext } from 'vitest'

import { type Authority, createAuthority } from '../../src/base/certificate.ts'
import { Secret } from '../../src/base/secret.ts'
import { Account } from '../../src/demo/imap/account.ts'
import type { Mailbox as Folder } from '../../src/demo/imap/mailbox.ts'
import { type Fault, PLAIN, type Quirks } from '../../src/demo/imap/quirks.ts'
import { ImapServer } from '../../src/demo/imap/server.ts'
import type { HistoryStore } from '../../src/probe/history.ts'
import { ImapMailbox } from '../../src/probe/imap-mailbox.ts'
import { labelOf, type Verdict } from '../../src/probe/model.ts'
import type { Prober } from '../../src/probe/prober.ts'
import type { Seed } from '../../src/probe/seed.ts'
import { eventually } from '../support/server-process.ts'
import { PROBE, PROVIDER, proberOf, SEED_ADDRESS } from './world.ts'

/*
 * Whatever an IMAP server does, no verdict is wrong: a canary that is there is never missing, one that is not there has
 * never arrived, and where we could not see we say so. Each trouble is met by one canary that arrives and one that does
 * not.
 */

let authority: Authority

beforeAll(async () => {
  authority = await createAuthority('test authority')
})

interface World {
  readonly server: ImapServer
  readonly account: Account
  readonly prober: Prober
  readonly history: HistoryStore
  readonly inbox: Folder
  readonly junk: Folder
  /** The canary that arrives, as the provider got it: hand it over wherever it is to be. */
  readonly arrival: Promise<Buffer>
  readonly verdictOf: (probe: 'kept' | 'lost') => Promise<Verdict | undefined>
  /** Resolves when the mailbox has been read to its end once more. */
  readonly looked: () => Promise<void>
  /** Resolves when a look has failed since the test began. */
  readonly blindLook: () => Promise<void>
}

const put = (folder: Folder, raw: Buffer): void => {
  folder.append({ raw, internalDate: Date.now() })
}

const empty = (folder: Folder): void =>
  folder.remove(new Set(folder.messages.map(({ uid }) => uid)))

/** Lets the prober's cursor go on, so that it would pass over what is numbered from 1 again. */
async function filled({ inbox, looked }: World): Promise<void> {
  for (let i = 0; i < 5; i++) put(inbox, Buffer.from('Subject: x\r\n\r\nx\r\n'))
  await looked()
}

interface Terms {
  readonly deadline: number
  /** The deadline of the canary that arrives, where it is another: a slow machine must not make it late. */
  readonly patience?: number
  /** The most one reading may take. */
  readonly readWithin?: number
  readonly quirks?: Quirks
  /** Tests run beside each other: each cleans up after itself. */
  readonly context: Pick<TestContext, 'onTestFinished'>
}

async function world({
  deadline,
  patience = deadline,
  readWithin = 5_000,
  quirks = PLAIN,
  context,
}: Terms): Promise<World> {
  const account = new Account(SEED_ADDRESS, 'canary-demo', quirks.folders)
  const server = new ImapServer({
    host: '127.0.0.1',
    port: 0,
    certificate: await authority.issue(['imap.example.net', '127.0.0.1']),
    quirks,
    accounts: [account],
    clock: Date.now,
  })
  await server.start()
  const seed: Seed = {
    name: 'example-1',
    provider: PROVIDER,
    address: SEED_ADDRESS,
    imap: {
      host: '127.0.0.1',
      port: server.port,
      ca: authority.certificate,
      servername: 'imap.example.net',
      username: SEED_ADDRESS,
      credential: async () => ({ kind: 'password', password: new Secret('canary-demo') }),
    },
    pollEvery: 80,
    othersEvery: 1_000_000,
  }
  let arrived: (raw: Buffer) => void = () => undefined
  const arrival = new Promise<Buffer>(resolve => {
    arrived = resolve
  })
  const { prober, history } = proberOf({
    seeds: [seed],
    origins: ['kept', 'lost'].map(name => ({
      name,
      host: '127.0.0.1',
      port: 1,
      tls: 'none',
      from: 'canary@example.org',
    })),
    probes: [
      { ...PROBE, name: 'kept', origin: 'kept', deadline: patience },
      { ...PROBE, name: 'lost', origin: 'lost', deadline },
    ],
    submit: async ({ origin, message, clock }) => {
      if (origin.name === 'kept') arrived(message)
      return { kind: 'submitted', at: clock(), queueId: '' }
    },
    mailboxFor: () =>
      new ImapMailbox({
        account: seed.imap,
        idle: true,
        ipv4Only: true,
        junkFolder: '',
        junkNames: [],
        retryAfter: { least: 10, most: 30 },
        readWithin,
        clock: Date.now,
        random: Math.random,
      }),
  })
  context.onTestFinished(async () => {
    await prober.stop()
    await server.stop()
  })
  await prober.start()
  const looked = async (): Promise<void> => {
    const since = Date.now()
    await eventually(async () => {
      const look = await history.lastLook(seed.name)
      return look?.complete === true && look.beganAt > since ? look : undefined
    }, 'a look')
  }
  if (account.get('Junk') !== undefined) await looked()
  return {
    server,
    account,
    prober,
    history,
    inbox: account.get('INBOX') as Folder,
    junk: (account.get('Junk') ?? account.get('INBOX')) as Folder,
    arrival,
    verdictOf: async probe => (await prober.runOnce(probe)).verdict,
    looked,
    async blindLook() {
      await eventually(async () => {
        const look = await history.lastLook(seed.name)
        return look?.complete === false ? look : undefined
      }, 'a look that fails')
    },
  }
}

/** Sends both canaries into a trouble. @returns what became of the one that arrived, and of the other */
async function meets(
  terms: Terms,
  trouble: (world: World, raw: Buffer) => Promise<void> | void,
): Promise<readonly [kept: string, lost: string, world: World]> {
  const it = await world(terms)
  const verdicts = Promise.all([it.verdictOf('kept'), it.verdictOf('lost')])
  const [[kept, lost]] = await Promise.all([
    verdicts,
    it.arrival.then(async raw => trouble(it, raw)),
  ])
  return [kept ? labelOf(kept) : '', lost ? labelOf(lost) : '', it]
}

const WITHOUT_JUNK: Quirks = {
  ...PLAIN,
  folders: PLAIN.folders.filter(({ name }) => name !== 'Junk'),
}

describe.concurrent('a trouble that passes leaves no trace in a verdict', () => {
  interface Case {
    readonly name: string
    readonly expected: string
    readonly quirks?: Quirks
    readonly trouble: (world: World, raw: Buffer) => Promise<void> | void
  }

  test.for<Case>([
    {
      name: 'UIDVALIDITY changes before it arrives',
      expected: 'inbox',
      trouble: async (world, raw) => {
        await filled(world)
        empty(world.inbox)
        world.inbox.renumber()
        put(world.inbox, raw)
      },
    },
    {
      name: 'UIDVALIDITY changes after it arrived',
      expected: 'inbox',
      trouble: async (world, raw) => {
        await filled(world)
        empty(world.inbox)
        put(world.inbox, raw)
        world.inbox.renumber()
      },
    },
    {
      name: 'it arrives twice, and in junk as well',
      expected: 'inbox',
      trouble: ({ inbox, junk }, raw) => {
        for (const folder of [junk, inbox, inbox]) put(folder, raw)
      },
    },
    {
      name: 'it is moved into junk before anybody has looked',
      expected: 'spam',
      trouble: ({ inbox, junk }, raw) => {
        put(inbox, raw)
        empty(inbox)
        put(junk, raw)
      },
    },
    {
      name: 'mail comes and goes before it can be read',
      expected: 'inbox',
      trouble: async ({ inbox, looked }, raw) => {
        put(inbox, Buffer.from('Subject: x\r\n\r\nx\r\n'))
        empty(inbox)
        await looked()
        put(inbox, raw)
      },
    },
    {
      name: 'a folder is made later, and it lies there',
      expected: 'other',
      trouble: ({ account }, raw) => put(account.create('Newsletters'), raw),
    },
    {
      name: 'the junk folder is made later, and it lies there',
      expected: 'spam',
      quirks: WITHOUT_JUNK,
      trouble: ({ account }, raw) => put(account.create('Junk', [String.raw`\Junk`]), raw),
    },
  ])('$name', async ({ expected, quirks = PLAIN, trouble }, context) => {
    const [kept, lost] = await meets(
      { deadline: 2_000, patience: 20_000, quirks, context },
      trouble,
    )
    expect([kept, lost]).toEqual([expected, 'missing'])
  })

  test.for<Fault>([
    'unreadable',
    'hang',
    'drop',
    'not-connected',
    'limit',
    'crowded',
    'idle-closed',
    'phantom',
  ])(
    'the server suffers from "%s" while it arrives: the gap is caught up by UID',
    async (fault, context) => {
      const terms = { deadline: 3_000, patience: 20_000, readWithin: 700, context }
      const [kept, lost, { history }] = await meets(
        terms,
        async ({ server, inbox, looked }, raw) => {
          server.suffer('drop')
          server.suffer(fault)
          put(inbox, raw)
          await new Promise(resolve => setTimeout(resolve, 400))
          server.suffer('none')
          await looked()
        },
      )
      expect([kept, lost]).toEqual(['inbox', 'missing'])
      const [listed] = await history.list({ limit: 1, verdict: 'inbox' })
      const record = listed && (await history.find(listed.canary.id))
      // When it came, not when we could see it again.
      expect(record?.verdict).toMatchObject({ kind: 'arrived', arrivalSource: 'internaldate' })
      const [sighting] = record?.sightings ?? []
      expect(sighting?.arrivedAt).toBeLessThan(sighting?.seenAt ?? 0)
    },
  )
})

describe.concurrent('a trouble that lasts is blindness, and nothing else', () => {
  test.for<Fault>(['unreadable', 'hang', 'drop', 'not-connected', 'throttled', 'limit', 'crowded'])(
    'the server suffers from "%s" to the end',
    async (fault, context) => {
      const [kept, lost] = await meets(
        { deadline: 400, readWithin: 700, context },
        ({ server, inbox }, raw) => {
          server.suffer('drop')
          server.suffer(fault)
          put(inbox, raw)
        },
      )
      expect([kept, lost]).toEqual(['unknown', 'unknown'])
    },
  )

  test('without a junk folder what is in INBOX has arrived, and what is not is not missing', async context => {
    const terms = { deadline: 300, quirks: WITHOUT_JUNK, context }
    const [kept, lost] = await meets(terms, ({ inbox }, raw) => put(inbox, raw))
    expect([kept, lost]).toEqual(['inbox', 'unknown'])
  })
})

test('a move after the first sighting is recorded, and not judged again', async context => {
  const [kept, , { history, inbox, junk, looked }] = await meets(
    { deadline: 600, context },
    ({ inbox }, raw) => put(inbox, raw),
  )
  expect(kept).toBe('inbox')
  const raw = inbox.messages[0]?.raw ?? Buffer.alloc(0)
  empty(inbox)
  put(junk, raw)
  await looked()
  const [listed] = await history.list({ limit: 1, verdict: 'inbox' })
  const record = listed && (await history.find(listed.canary.id))
  expect(record?.sightings.map(({ placement }) => placement)).toEqual(['inbox', 'spam'])
  expect(record?.verdict).toMatchObject({ placement: 'inbox' })
})
