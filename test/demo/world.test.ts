import { once, type EventEmitter } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

import { ImapFlow } from 'imapflow'
import { Client } from 'ldapts'
import { createTransport } from 'nodemailer'
import { expect, onTestFinished, test } from 'vitest'

import type { Behaviour } from '../../src/demo/behaviour.ts'
import type { IncidentEvent } from '../../src/demo/director.ts'
import { DemoWorld, type DemoWorldOptions } from '../../src/demo/world.ts'
import type { Resolver } from '../../src/relay/transport/resolver.ts'
import { eventually } from '../support/server-process.ts'

async function world(more: Partial<DemoWorldOptions> = {}): Promise<DemoWorld> {
  const demo = new DemoWorld({
    portBase: 'any',
    report: () => undefined,
    clock: Date.now,
    random: () => 0,
    script: { healthyStart: Infinity },
    ...more,
  })
  await demo.start()
  onTestFinished(() => demo.stop())
  return demo
}

async function deliver(demo: DemoWorld, to: string, id: string): Promise<string> {
  const resolver: Resolver = demo.resolver
  const answer = await resolver.mx(to.split('@')[1] ?? '')
  const host = answer.kind === 'mx' ? answer.hosts[0]?.host : undefined
  const found = await resolver.addresses(host ?? '')
  if (host === undefined || found.kind !== 'addresses') throw new Error('no such domain')
  const transport = createTransport({
    host: found.endpoints[0]?.address,
    port: found.endpoints[0]?.port,
    name: 'relay.example.org',
    requireTLS: true,
    tls: { ca: demo.ca, servername: host },
  })
  const sent = await transport.sendMail({
    envelope: { from: 'canary@example.org', to },
    raw: `From: canary@example.org\r\nTo: ${to}\r\nSubject: ${id}\r\nMessage-ID: <${id}@example.org>\r\n\r\nA bird.\r\n`,
  })
  return sent.response
}

async function imap(demo: DemoWorld, name: string): Promise<ImapFlow> {
  const seed = demo.providers.find(provider => provider.name === name)
  if (!seed) throw new Error('no such provider')
  const flow = new ImapFlow({
    host: '127.0.0.1',
    port: seed.imapPort,
    secure: true,
    servername: seed.imapHost,
    tls: { ca: demo.ca },
    auth: { user: seed.username, pass: seed.password.reveal() },
    logger: false,
  })
  flow.on('error', () => undefined)
  onTestFinished(() => flow.close())
  await flow.connect()
  return flow
}

/** Folder of a message in the account, once it is there. */
async function folderOf(demo: DemoWorld, name: string, id: string): Promise<string> {
  const flow = await imap(demo, name)
  return eventually(async () => {
    for (const entry of await flow.list()) {
      if (entry.flags.has(String.raw`\Noselect`) || entry.flags.has(String.raw`\All`)) continue
      const opened = await flow.mailboxOpen(entry.path, { readOnly: true })
      if (opened.exists === 0) continue
      const found = await flow.fetchAll('1:*', { headers: true })
      if (found.some(one => String(one.headers).includes(`<${id}@example.org>`))) return entry.path
    }
    return undefined
  }, id)
}

async function failure(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    value => `no failure: ${String(value)}`,
    (error: unknown) => (error as Error).message,
  )
}

test('mail to anybody at example.net and example.org arrives in one account', async () => {
  const demo = await world()
  await deliver(demo, 'bob@example.net', 'net')
  await deliver(demo, 'alice@example.org', 'org')
  expect(await folderOf(demo, 'other', 'net')).toBe('INBOX')
  expect(await folderOf(demo, 'other', 'org')).toBe('INBOX')
})

test('a name outside the demo does not exist', async () => {
  const demo = await world()
  expect(await demo.resolver.mx('gmail.com')).toStrictEqual({ kind: 'nonexistent' })
  expect(await demo.resolver.mx('GMAIL.example.')).toMatchObject({ kind: 'mx' })
  expect(await demo.resolver.addresses('mx1.google.com')).toStrictEqual({ kind: 'none' })
})

test('stopping hangs up on everybody, at whatever point they are, and frees every port', async () => {
  const demo = await world()
  const flow = await imap(demo, 'gmail')
  const ldap = new Client({ url: demo.ldap.url })
  await ldap.bind(demo.ldap.bindDn, demo.ldap.bindPassword.reveal())
  const [seed] = demo.providers
  const callers = await Promise.all([
    talkTo(seed?.mxPort, []),
    talkTo(seed?.mxPort, ['EHLO relay.example.org\r\n']),
    // In the middle of a handshake: the length of a ClientHello, and no more of it.
    talkTo(seed?.mxPort, [
      'EHLO relay.example.org\r\n',
      'STARTTLS\r\n',
      '\u0016\u0003\u0001\u0000',
    ]),
    talkTo(demo.oldServer.port, ['EHLO relay.example.org\r\n', 'STARTTLS\r\n', '\u0016']),
    talkTo(seed?.imapPort, ['\u0016\u0003\u0001\u0000']),
  ])
  const gone = Promise.all([flow, ...callers].map(closing))
  const ports = demo.providers.flatMap(provider => [provider.imapPort, provider.mxPort])
  await demo.stop()
  for (const socket of callers) socket.resume()
  await gone
  await ldap.unbind().catch(() => undefined)
  for (const port of ports) {
    const server = createServer().listen(port, '127.0.0.1')
    await once(server, 'listening')
    server.close()
  }
})

/** `once` would reject where the end is an error; here every end will do. */
function closing(socket: EventEmitter): Promise<void> {
  return new Promise(resolve => socket.once('close', () => resolve()))
}

/** Connects and says these things, each but the first after an answer. */
async function talkTo(port: number | undefined, lines: readonly string[]): Promise<Socket> {
  const socket = connect(port ?? 0, '127.0.0.1')
  socket.on('error', () => undefined)
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  for (const line of lines) {
    if (!line.startsWith('\u0016')) await once(socket, 'data')
    else if (lines.length > 1) await once(socket, 'data')
    socket.write(line, 'latin1')
  }
  // From here on it neither reads nor hears the end: such a client must not hold up anybody.
  socket.pause()
  return socket
}

test('a port that is taken is named, with the way out', async () => {
  const taken = createServer().listen(12_995, '127.0.0.1')
  await once(taken, 'listening')
  onTestFinished(() => void taken.close())
  const demo = new DemoWorld({
    portBase: 10_000,
    report: () => undefined,
    clock: Date.now,
    random: () => 0,
  })
  expect(await failure(demo.start())).toMatch(
    /^port 12995 \(IMAP of yahoo\) is in use: .*--port-base/,
  )
})

test('incidents begin and end as scripted, and are told of', async () => {
  const events: IncidentEvent[] = []
  const demo = await world({
    report: event => events.push(event),
    script: {
      healthyStart: 50,
      incidents: [
        { provider: 'gmail', behaviour: 'spam', begins: 0, ends: 400, what: 'spam at gmail' },
      ],
    },
  })
  await eventually(() => events.length >= 2 || undefined, 'the end of the incident')
  expect(events.slice(0, 2).map(event => [event.kind, event.provider, event.what])).toStrictEqual([
    ['incident-began', 'gmail', 'spam at gmail'],
    ['incident-ended', 'gmail', 'spam at gmail'],
  ])
  expect(demo.incidents((events[0]?.at ?? 0) + 5).map(one => one.behaviour)).toStrictEqual([
    'spam' satisfies Behaviour,
  ])
})
