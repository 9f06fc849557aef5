import { once } from 'node:events'
import { createServer } from 'node:net'

import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'

import { createAuthority } from '../../src/base/certificate.ts'
import { Secret } from '../../src/base/secret.ts'
import type { Origin, SmtpOrigin } from '../../src/probe/origin.ts'
import { queueIdOf } from '../../src/probe/queue-id.ts'
import { submit, type Submission } from '../../src/probe/sender.ts'
import { freePort } from '../support/ports.ts'

let ca = ''
let pair = { certificate: '', key: '' }

beforeAll(async () => {
  const authority = await createAuthority('test authority')
  ca = authority.certificate
  pair = await authority.issue(['relay.example.org', '127.0.0.1'])
})
const open = new Set<SMTPServer>()
afterAll(async () => {
  await Promise.all([...open].map(server => new Promise<void>(resolve => server.close(resolve))))
})

async function serve(options: SMTPServerOptions): Promise<SmtpOrigin> {
  const server = new SMTPServer({
    key: pair.key,
    cert: pair.certificate,
    logger: false,
    disableReverseLookup: true,
    onAuth: (auth, _session, done) =>
      auth.password === 'canary-demo'
        ? done(null, { user: auth.username })
        : done(Object.assign(new Error('wrong'), { responseCode: 535 })),
    onData: (stream, _session, done) => {
      stream.on('end', () => done(null, 'queued as 0J5M2K8S1ABCDEFG')).resume()
    },
    ...options,
  })
  open.add(server)
  // What a client does to a connection is no concern of the server here.
  server.on('error', () => undefined)
  const port = await freePort()
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  return {
    name: 'relay',
    host: '127.0.0.1',
    port,
    tls: options.secure === true ? 'implicit' : 'starttls',
    ca,
    servername: 'relay.example.org',
    username: 'canary',
    password: new Secret('canary-demo'),
    from: 'canary@example.org',
  }
}

function send(
  origin: Origin,
  signal = new AbortController().signal,
  within = 10_000,
): Promise<Submission> {
  return submit({
    origin,
    to: 'seed@example.net',
    message: Buffer.from('Subject: x\r\n\r\nx\r\n'),
    signal,
    clock: () => 1234,
    within,
  })
}

test.each([true, false])(
  'a message is submitted with a login over TLS (implicit: %s)',
  async secure => {
    const origin = await serve({ secure })
    expect(await send(origin)).toEqual({ kind: 'submitted', at: 1234, queueId: '0J5M2K8S1ABCDEFG' })
  },
)

test('a login that is refused is the origin’s fault', async () => {
  const origin = await serve({ secure: true })
  expect(await send({ ...origin, password: new Secret('wrong') })).toMatchObject({
    kind: 'rejected',
    cause: 'login',
    reply: { code: 535 },
  })
})

test.each([
  [421, 'onConnect'],
  [450, 'onMailFrom'],
  [550, 'onRcptTo'],
] as const)('a %i at %s is refused, and the reply is kept', async (code, hook) => {
  const refuse = (_: unknown, __: unknown, done: (error: Error) => void): void =>
    done(Object.assign(new Error('not now'), { responseCode: code }))
  const onConnect = (_: unknown, done: (error: Error) => void): void => refuse(_, _, done)
  const origin = await serve({ secure: true, [hook]: hook === 'onConnect' ? onConnect : refuse })
  expect(await send(origin)).toMatchObject({ kind: 'rejected', cause: 'refused', reply: { code } })
})

test('a refusal after the final dot is refused', async () => {
  const origin = await serve({
    secure: true,
    onData: (stream, _session, done) => {
      const error = Object.assign(new Error('no'), { responseCode: 554 })
      stream.on('end', () => done(error)).resume()
    },
  })
  expect(await send(origin)).toMatchObject({
    kind: 'rejected',
    cause: 'refused',
    reply: { code: 554 },
  })
})

test('a certificate of another name is refused by us: tls', async () => {
  const origin = await serve({ secure: true })
  expect(await send({ ...origin, servername: 'other.example.org' })).toMatchObject({ cause: 'tls' })
})

test('a certificate nobody vouches for is refused by us: tls', async () => {
  const { ca: _, ...origin } = await serve({ secure: true })
  expect(await send(origin)).toMatchObject({ cause: 'tls' })
})

test('a server without STARTTLS never sees the password', async () => {
  const logins: string[] = []
  const origin = await serve({
    hideSTARTTLS: true,
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: (auth, _session, done) => {
      logins.push(auth.username ?? '')
      done(null, { user: 'x' })
    },
  })
  expect(await send(origin)).toMatchObject({ kind: 'rejected' })
  expect(logins).toEqual([])
})

test('nobody there is unreachable', async () => {
  const origin = await serve({ secure: true })
  expect(await send({ ...origin, port: await freePort() })).toMatchObject({
    kind: 'rejected',
    cause: 'unreachable',
    reply: { code: 0 },
  })
})

async function silent(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sockets: { destroy(): void }[] = []
  server.on('connection', socket => sockets.push(socket))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as { port: number }).port
}

test('a server that says nothing is a timeout', async () => {
  const origin = await serve({ secure: true })
  const port = await silent()
  expect(await send({ ...origin, port, tls: 'none' }, undefined, 200)).toMatchObject({
    kind: 'rejected',
    cause: 'timeout',
  })
})

test('a submission that is given up throws: nobody knows what became of it', async () => {
  const origin = await serve({ secure: true })
  const port = await silent()
  const gaveUp = new AbortController()
  const sending = send({ ...origin, port, tls: 'none' }, gaveUp.signal)
  gaveUp.abort(new Error('stopped'))
  await expect(sending).rejects.toThrow('stopped')
})

test.each([
  ['250 2.0.0 Ok: queued as 4XyZ1a2B3cz9', '4XyZ1a2B3cz9'],
  ['250 2.0.0 Ok: queued as B1A2C3D4E5', 'B1A2C3D4E5'],
  ['250 OK id=1tEabc-00000001ABC-1xyz', '1tEabc-00000001ABC-1xyz'],
  ['250 2.0.0 0J5M2K8S1ABCDEFG', '0J5M2K8S1ABCDEFG'],
  ['250 2.6.0 message accepted', ''],
  ['250 OK', ''],
  ['nonsense', ''],
])('the queue id in "%s" is "%s"', (reply, id) => {
  expect(queueIdOf(reply)).toBe(id)
})

test('a mail exchanger is spoken to without a login, by TLS where it offers that, whoever vouches for it', async () => {
  const secured: boolean[] = []
  const options: SMTPServerOptions = {
    authOptional: true,
    onMailFrom: (_, session, done) => {
      secured.push(session.secure)
      done()
    },
  }
  for (const more of [{}, { hideSTARTTLS: true, disabledCommands: ['STARTTLS'] }]) {
    const { name, host, port, from } = await serve({ ...options, ...more })
    const exchanger: SmtpOrigin = { name, host, port, from, tls: 'opportunistic' }
    expect(await send(exchanger)).toMatchObject({ kind: 'submitted' })
  }
  expect(secured).toEqual([true, false])
})
