import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

import { expect, it } from 'vitest'

import { WireClient, type Endpoint } from '../conformance/wire-client.ts'
import { run, type Running } from '../relay/submission/fixture.ts'
import { eventually } from '../support/server-process.ts'
import { submitDuring } from './submit-during.ts'

type Places = Pick<Running, 'client' | 'session' | 'starttls' | 'implicit'>

async function raw(endpoint: Endpoint): Promise<Socket> {
  const socket = connect(endpoint)
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

async function plain(endpoint: Endpoint): Promise<WireClient> {
  const client = await WireClient.connect(endpoint)
  await client.reply()
  return client
}

async function inTransaction(session: Running['session']): Promise<WireClient> {
  const client = await session()
  await client.command('MAIL FROM:<alice@example.org>')
  await client.command('RCPT TO:<bob@example.net>')
  return client
}

async function inData(session: Running['session'], ...said: string[]): Promise<WireClient> {
  const client = await inTransaction(session)
  await client.command('DATA')
  for (const octets of said) await client.write(octets)
  return client
}

/** How far a client goes before it falls silent; what it drips afterwards, octet by octet, if anything. */
const PHASES: readonly (readonly [
  name: string,
  arrive: (places: Places) => Promise<Socket | WireClient>,
  drip?: string,
])[] = [
  ['after connecting', ({ starttls }) => raw(starttls)],
  ['before the handshake', ({ implicit }) => raw(implicit)],
  [
    'within the handshake',
    async ({ implicit }) => {
      const socket = await raw(implicit)
      // A record is announced.
      socket.write(Buffer.from([0x16, 3, 1, 2, 0]))
      return socket
    },
    'x',
  ],
  ['after the greeting', ({ starttls }) => plain(starttls)],
  ['within EHLO', ({ starttls }) => plain(starttls), 'EHLO '],
  [
    'after STARTTLS',
    async ({ starttls }) => {
      const client = await plain(starttls)
      await client.command('EHLO client.example.org')
      await client.command('STARTTLS')
      return client
    },
  ],
  ['after EHLO', ({ client }) => client()],
  [
    'within the response to AUTH',
    async ({ client }) => {
      const made = await client()
      await made.command('AUTH PLAIN')
      return made
    },
    'A',
  ],
  ['after the login', ({ session }) => session()],
  ['within MAIL', ({ session }) => session(), 'MAIL'],
  ['after RCPT', ({ session }) => inTransaction(session)],
  ['after 354', ({ session }) => inData(session)],
  ['within the header', ({ session }) => inData(session, 'From: <alice@'), 'a'],
  ['within the body', ({ session }) => inData(session, 'A: b\r\n\r\nx'), 'x\r\n'],
  ['before the last LF', ({ session }) => inData(session, 'A: b\r\n\r\nx\r\n.\r')],
]

it('a client that falls silent or drips holds nothing for longer than its time, in any phase', async () => {
  const running = await run({
    limits: {
      commandTime: 500,
      timeBeforeLogin: 1_500,
      handshakeTime: 500,
      rateWindow: 500,
      minimumRate: 1_000,
    },
  })
  const { session, store } = running
  const ends = PHASES.map(async ([name, arrive, drip]) => {
    const client = await arrive(running)
    const socket = client instanceof WireClient ? client.socket : client
    // A socket nobody reads never shows its end.
    socket.resume()
    // A reset is a close too.
    const closed = socket.closed ? Promise.resolve() : once(socket, 'close').catch(() => undefined)
    let at = 0
    const dripping = setInterval(() => {
      if (drip !== undefined && socket.writable) socket.write(drip[at++ % drip.length] ?? '')
    }, 50)
    const late = AbortSignal.timeout(20_000)
    await Promise.race([
      closed,
      once(late, 'abort').then(() => Promise.reject(new Error(`${name} still holds its place`))),
    ]).finally(() => clearInterval(dripping))
  })
  // Meanwhile somebody works.
  const worker = await session()
  const submitted = await submitDuring(worker, Promise.all(ends))
  expect(store.messages).toHaveLength(submitted)
  await eventually(() => store.open.size === 0 || undefined, 'all bodies to be forgotten')
})

it('one that never reads its replies is cut off as well', async () => {
  const running = await run({ limits: { commandTime: 500, connectionsPerNetwork: 1 } })
  const deaf = await running.session()
  const { socket } = deaf
  socket.pause()
  socket.on('error', () => undefined)
  const flood = Buffer.from('HELP\r\n'.repeat(100_000))
  for (let n = 0; n < 20 && !socket.writableNeedDrain; n++) socket.write(flood)
  const greeted = async (): Promise<number> => {
    const next = await WireClient.connect(running.implicit)
    const { code } = await next.reply()
    next.destroy()
    return code
  }
  expect(await greeted()).toBe(421)
  await eventually(
    async () => ((await greeted()) === 220 ? true : undefined),
    'the place of the deaf client to be free',
  )
  socket.destroy()
})
