import { onTestFinished } from 'vitest'

import { createAuthority, type CertificatePair } from '../../../src/base/certificate.ts'
import { ServerIdentities } from '../../../src/base/server-tls.ts'
import type { LoginResult, Principal } from '../../../src/directory/principal.ts'
import type { RelayEvent } from '../../../src/relay/events.ts'
import { SubmissionServer, type SubmissionOptions } from '../../../src/relay/submission/server.ts'
import { WireClient, type Endpoint } from '../../conformance/wire-client.ts'
import { MemoryQueueStore } from '../../support/memory-queue-store.ts'

export const PASSWORD = 'canary-demo'
export const ALICE: Principal = {
  login: 'alice',
  addresses: ['alice@example.org', 'press@example.org'],
}

const authority = createAuthority('mailcanary test authority')
let pair: Promise<CertificatePair> | undefined

export async function certificate(): Promise<CertificatePair> {
  pair ??= authority.then(a => a.issue(['relay.example.org', 'localhost', '127.0.0.1']))
  return await pair
}

export async function trusted(): Promise<string> {
  return (await authority).certificate
}

/** A directory of one. */
export function onlyAlice(login: string, password: string): Promise<LoginResult> {
  return Promise.resolve(
    login === 'alice' && password === PASSWORD
      ? { kind: 'accepted', principal: ALICE }
      : { kind: 'refused' },
  )
}

export interface Running {
  readonly server: SubmissionServer
  readonly store: MemoryQueueStore
  readonly events: RelayEvent[]
  readonly accepted: string[]
  readonly implicit: Endpoint
  readonly starttls: Endpoint
  /** A client within TLS that has said EHLO and logged in as alice. */
  session(endpoint?: Endpoint): Promise<WireClient>
  client(endpoint?: Endpoint): Promise<WireClient>
}

/** A submission server of its own for one test, stopped when the test has finished. */
export async function run(options: Partial<SubmissionOptions> = {}): Promise<Running> {
  const running = await launch(options)
  onTestFinished(() => running.server.stop())
  return running
}

/** The same; the caller stops it. */
export async function launch(options: Partial<SubmissionOptions> = {}): Promise<Running> {
  const store = new MemoryQueueStore()
  const events: RelayEvent[] = []
  const accepted: string[] = []
  const server = new SubmissionServer({
    hostname: 'relay.example.org',
    listeners: [
      { name: 'submissions', host: '127.0.0.1', port: 0, tls: 'implicit' },
      { name: 'submission', host: '127.0.0.1', port: 0, tls: 'starttls' },
    ],
    identities: new ServerIdentities([await certificate()]),
    authenticate: onlyAlice,
    ready: () => undefined,
    store,
    onAccepted: id => accepted.push(id),
    report: event => events.push(event),
    clock: Date.now,
    grace: 5_000,
    workers: Number(process.env['MAILCANARY_TEST_WORKERS'] ?? 0),
    ...options,
  })
  await server.start()
  const endpoint = (name: string, tls: Endpoint['tls']): Endpoint => {
    const found = server.listening.find(listener => listener.name === name)
    return { host: '127.0.0.1', port: found?.port ?? 0, tls }
  }
  const implicit = endpoint('submissions', 'implicit')
  const clients: WireClient[] = []
  const client = async (where = implicit): Promise<WireClient> => {
    const made = await WireClient.greeted(where)
    clients.push(made)
    return made
  }
  return {
    server,
    store,
    events,
    accepted,
    implicit,
    starttls: endpoint('submission', 'starttls'),
    client,
    async session(where = implicit) {
      const made = await client(where)
      const answer = await made.logIn('alice', PASSWORD)
      if (answer.code !== 235) throw new Error(`no login: ${answer.text}`)
      return made
    },
  }
}

export const MESSAGE = [
  'From: Alice <alice@example.org>',
  'To: bob@example.net',
  'Subject: hello',
  'Date: Mon, 23 Nov 2026 12:00:00 +0000',
  'Message-ID: <one@example.org>',
  '',
  'Hello Bob',
  '',
].join('\r\n')

/** MAIL, RCPT, DATA, content; answers the last reply. */
export async function submit(
  client: WireClient,
  options: {
    readonly from?: string
    readonly to?: readonly string[]
    readonly content?: string | Buffer
  } = {},
): Promise<string> {
  const { from = '<alice@example.org>', to = ['<bob@example.net>'], content = MESSAGE } = options
  const mail = await client.command(`MAIL FROM:${from}`)
  if (mail.code !== 250) return mail.text
  for (const recipient of to) {
    const rcpt = await client.command(`RCPT TO:${recipient}`)
    if (rcpt.code !== 250) return rcpt.text
  }
  const data = await client.command('DATA')
  if (data.code !== 354) return data.text
  await client.write(Buffer.concat([Buffer.from(content), Buffer.from('.\r\n')]))
  return (await client.reply()).text
}
