import { once } from 'node:events'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'

import { createTransport } from 'nodemailer'
import { SMTPServer } from 'smtp-server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { Secret } from '../../src/base/secret.ts'
import { Daemon } from '../support/daemon.ts'
import { type Dovecot, startDovecot } from '../support/dovecot.ts'
import { ssha } from '../support/password.ts'
import { freePort } from '../support/ports.ts'
import { postfixNeedsRoot, startPostfix, type Postfix } from '../support/postfix.ts'
import { missingPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts'
import { makeScratch } from '../support/scratch.ts'
import { eventually, missing } from '../support/server-process.ts'
import { RELAY_NAME, Site } from '../support/site.ts'

const SEED = 'seed@mail.example.net'
const PASSWORD = 'canary-demo'
const EVERY = 500

interface Row {
  readonly scheduled_at: number
  readonly label: string
}

describe.skipIf(missing('dovecot') ?? missingPostgres())('two probers over one database', () => {
  let folder: string
  let database: PostgresServer
  let url: Secret
  let provider: Dovecot
  let origin: SMTPServer
  const taken: string[] = []
  const nodes: Daemon[] = []

  beforeAll(async () => {
    folder = await makeScratch()
    database = await startPostgres()
    url = await database.newDatabase()
    const home = join(folder, 'mail.example.net')
    await mkdir(home, { mode: 0o755 })
    provider = await startDovecot({
      folder: home,
      name: 'mail.example.net',
      users: { [SEED]: PASSWORD },
    })
    origin = new SMTPServer({
      disabledCommands: ['STARTTLS', 'AUTH'],
      onData(stream, _session, done) {
        // A node that is killed in the middle of its message has sent none.
        deliver(stream, done).catch(() => stream.destroy())
      },
    })
    origin.listen(0, '127.0.0.1')
    await once(origin.server, 'listening')
    await writeFile(join(folder, 'password'), `${PASSWORD}\n`, { mode: 0o600 })
    await writeFile(join(folder, 'url'), `${url.reveal()}\n`, { mode: 0o600 })
    await writeFile(join(folder, 'ca.pem'), provider.ca)
  })

  afterAll(async () => {
    for (const node of nodes) await node.stop()
    origin.close()
    await provider.stop()
    await database.stop()
    await rm(folder, { recursive: true, force: true })
  })

  async function deliver(stream: Readable, done: () => void): Promise<void> {
    const message = await buffer(stream)
    taken.push(/^Message-ID: (.*)$/im.exec(message.toString())?.[1] ?? '')
    await provider.deliver(SEED, message)
    done()
  }

  async function start(name: string): Promise<Daemon> {
    const admin = await freePort()
    const file = join(folder, `${name}.yaml`)
    await writeFile(
      file,
      `state: ${join(folder, name)}
admin: {listen: "127.0.0.1:${admin}"}
store: {postgres: {url_file: ${folder}/url, connections: 4}}
origins:
  relay:
    submission: {host: 127.0.0.1, port: ${(origin.server.address() as AddressInfo).port}, tls: none}
    from: canary@example.org
providers: {own: {imap_host: ${provider.ip}, imap_port: ${provider.imapsPort}}}
seeds:
  own-1:
    provider: own
    address: ${SEED}
    imap: {ca: ${folder}/ca.pem, server_name: mail.example.net}
    password_file: ${folder}/password
probes:
  - {name: everyone, origins: [relay], seeds: [own-1], every: 1s, jitter: 0s, deadline: 60s}
imap: {poll_every: 1s, retry_after: 1s}
`,
    )
    const node = Daemon.start(['run', '--probes', file])
    nodes.push(node)
    await node.ready(admin)
    return node
  }

  const canaries = (): Promise<Row[]> =>
    database.ask<Row>(url, 'select scheduled_at, label from canary order by id')

  async function holder(): Promise<string | undefined> {
    const rows = await database.ask<{ node: string }>(
      url,
      'select node from seed_lease where ends_at > clock_timestamp()',
    )
    return rows[0]?.node
  }

  test('each canary is sent once, and a killed node’s seed is looked at by the other', async () => {
    const first = await start('one')
    const before = await eventually(holder, 'a node that looks at the seed')
    await start('two')
    const inboxes = (rows: readonly Row[]): number =>
      rows.filter(({ label }) => label === 'inbox').length
    await eventually(async () => inboxes(await canaries()) >= 4 || undefined, 'four verdicts')
    expect(await holder()).toBe(before)

    first.signal('SIGKILL')
    await first.ended
    const killedAt = Date.now()
    const after = await eventually(
      async () => {
        const node = await holder()
        return node !== before ? node : undefined
      },
      'another node that looks at the seed',
      40_000,
    )
    expect(after).not.toBe(before)
    const later = await eventually(
      async () => {
        const rows = (await canaries()).filter(row => row.scheduled_at > killedAt + EVERY)
        return inboxes(rows) >= 3 ? rows : undefined
      },
      'verdicts of canaries that were sent after the kill',
      40_000,
    )
    expect(later.every(({ label }) => label === 'inbox' || label === '')).toBe(true)
    expect(new Set(taken).size).toBe(taken.length)
    const said = nodes.map(node => node.output).join('\n')
    expect(said).not.toContain(url.reveal())
    expect(said).not.toContain('postgres://')
  })
})

const skipRelays = missing('postfix') ?? postfixNeedsRoot() ?? missingPostgres()

describe.skipIf(skipRelays)('two relays over one database', () => {
  const scratch: string[] = []
  const sites: Site[] = []
  let database: PostgresServer
  let keeper: Postfix

  beforeAll(async () => {
    database = await startPostgres({ durable: true })
    const url = await database.newDatabase()
    keeper = await startPostfix(await folderOf(), { domains: ['example.net'] })
    for (let i = 0; i < 2; i++) {
      const folder = await folderOf()
      const site = await Site.create(folder)
      const passwords = join(folder, 'passwords')
      await writeFile(passwords, `alice:${ssha(PASSWORD)}\n`)
      await site.configure({
        store: `{postgres: {url_file: ${await site.secret('database-url', url.reveal())}}}`,
        directory: `  domains: [example.org]\n  export_file: {path: ${passwords}}`,
        delivery: `  smarthost: {host: ${keeper.address}, port: ${keeper.port}, tls: none}\n  retry: [1s]`,
      })
      sites.push(site)
    }
  })

  afterAll(async () => {
    for (const site of sites) await site.stop()
    await keeper.stop()
    await database.stop()
    for (const folder of scratch) await rm(folder, { recursive: true, force: true })
  })

  async function folderOf(): Promise<string> {
    const folder = await makeScratch()
    scratch.push(folder)
    return folder
  }

  /** Sends until told to stop; what was answered with 250 is in the ledger. */
  async function send(site: Site, ledger: string[], over: AbortSignal): Promise<void> {
    const transport = createTransport({
      host: '127.0.0.1',
      port: site.ports.submissions,
      secure: true,
      pool: true,
      maxConnections: 1,
      maxMessages: Infinity,
      auth: { user: 'alice', pass: PASSWORD },
      tls: { ca: site.certificates.caPem, servername: RELAY_NAME },
    })
    for (let n = 0; !over.aborted; n++) {
      const subject = `ledger-${site.ports.submissions}-${ledger.length}-${n}-${Date.now()}`
      const mail = { from: 'alice@example.org', to: 'bob@example.net', subject, text: 'hello' }
      await transport.sendMail(mail).then(
        () => ledger.push(subject),
        // A relay or a database that is away: it will be back.
        () => new Promise(resolve => setTimeout(resolve, 20)),
      )
    }
    transport.close()
  }

  test('a node is killed and the database crashes under load, and nothing accepted is lost', async () => {
    const [one, two] = sites as [Site, Site]
    await Promise.all([one.start(), two.start()])
    const ledgers: [string[], string[]] = [[], []]
    const over = new AbortController()
    const load = Promise.all(
      sites.flatMap((site, i) => [1, 2].map(() => send(site, ledgers[i as 0 | 1], over.signal))),
    )
    const more = async (i: 0 | 1): Promise<void> => {
      const enough = ledgers[i].length + 20
      await eventually(() => ledgers[i].length >= enough, `more accepted by node ${i + 1}`)
    }
    await Promise.all([more(0), more(1)])
    one.daemon?.signal('SIGKILL')
    await one.daemon?.ended
    await more(1)
    await database.crash()
    await more(1)
    await one.start()
    await Promise.all([more(0), more(1)])
    over.abort()
    await load
    const accepted = ledgers.flat()
    const seen = await eventually(
      async () => {
        const subjects = (await keeper.messages()).map(
          raw => /^Subject: (.*)$/m.exec(String(raw))?.[1] ?? '',
        )
        const delivered = new Set(subjects)
        return accepted.every(subject => delivered.has(subject)) ? subjects : undefined
      },
      'every accepted message at the next hop',
      40_000,
    )
    // At least once, and twice only what was under way when the process died or the database did not answer.
    expect(seen.length - new Set(seen).size).toBeLessThanOrEqual(100)
    await eventually(
      async () => (await two.metric('mailcanary_relay_queue_messages')) === 0 || undefined,
      'an empty queue',
    )
    expect(one.said + two.said).not.toContain('postgres://')

    const list = ['queue', 'list', '--relay', one.relayFile]
    expect(await Daemon.run(list)).toMatchObject({ code: 0 })
    await one.stop()
    const refused = await Daemon.run(list)
    expect(refused.code).toBe(1)
    expect(refused.output).toContain('its queue is in a database: ask on a node that runs')
  })
})
