import { describe, expect, test } from 'vitest'

import { consignment, resolverOf } from './consignment.ts'
import { directMx, never, start, told } from './delivery.ts'

test('messages for one host share a connection, one after the other, with RSET between', async () => {
  const server = await start({ deeds: { RCPT: ['250 OK', '550 5.1.1 Who?', '250 OK'] } })
  const transport = directMx(resolverOf([['mx1.example.net', server.port]]))
  const kinds: string[] = []
  for (const name of ['a', 'b', 'c']) {
    const recipients = [`${name}@example.net`]
    const outcomes = await transport.deliver(consignment({ recipients }), never)
    kinds.push(...outcomes.map(({ kind }) => kind))
  }
  expect(kinds).toEqual(['delivered', 'bounced', 'delivered'])
  expect(server.connections).toBe(1)
  expect(server.commands.filter(line => line === 'RSET')).toHaveLength(2)
  expect(server.messages.map(({ rcpt }) => rcpt)).toEqual([
    ['RCPT TO:<a@example.net>'],
    ['RCPT TO:<c@example.net>'],
  ])
})

test('after its number of messages a connection is ended', async () => {
  const server = await start()
  const transport = directMx(resolverOf([['mx1.example.net', server.port]]), {
    pool: { messages: 2 },
  })
  for (let i = 0; i < 5; i++) await transport.deliver(consignment(), never)
  expect(server.connections).toBe(3)
  expect(server.messages).toHaveLength(5)
})

test('what a provider bears goes before our own numbers: messages a connection, and connections, idle ones too', async () => {
  const server = await start()
  const hosts = ['mx1.big.example', 'mx2.big.example', 'mx.example.net']
  const resolver = resolverOf([['mx1.example.net', server.port]])
  const transport = directMx(
    {
      ...resolver,
      mx: async domain => ({ kind: 'mx', hosts: [{ host: domain, preference: 10 }] }),
      addresses: () => resolver.addresses('mx1.example.net'),
    },
    {
      pool: {
        limitsOf: host =>
          host.endsWith('.big.example')
            ? { site: 'big', connections: 1, messages: 3 }
            : { site: host, connections: 5, messages: 20 },
      },
    },
  )
  for (const domain of [...hosts, ...hosts]) {
    await transport.deliver(consignment({ domain, recipients: [`bob@${domain}`] }), never)
  }
  // mx1, then mx2 in its place, mx1 again, mx2 again; the other host keeps its one.
  expect(server.connections).toBe(5)
  await expect.poll(() => server.open).toBe(2)
  const domain = 'mx2.big.example'
  for (let i = 0; i < 4; i++) {
    await transport.deliver(consignment({ domain, recipients: [`bob@${domain}`] }), never)
  }
  // Three over each: one was there already, the third of the four is the first of the next.
  expect(server.connections).toBe(6)
  expect(server.messages).toHaveLength(10)
})

test('where PIPELINING is offered a message takes two turns, with what asks whether the connection works', async () => {
  const server = await start({ offers: ['PIPELINING'] })
  const transport = directMx(resolverOf([['mx1.example.net', server.port]]))
  await transport.deliver(consignment(), never)
  const before = server.segments
  await transport.deliver(consignment(), never)
  expect(server.commands.slice(-4).map(line => line.slice(0, 4))).toEqual([
    'RSET',
    'MAIL',
    'RCPT',
    'DATA',
  ])
  // The commands, and the message.
  expect(server.segments - before).toBe(2)
})

test.each([
  ['asks for the message all the same', '354 Go on', 1],
  ['refuses it', '503 5.5.1 No valid recipients', 1],
  ['goes', { close: '' }, 2],
] as const)(
  'where all recipients are refused and the server %s at DATA, their words stand and nobody gets anything',
  async (_, deed, connections) => {
    const server = await start({
      offers: ['PIPELINING'],
      deeds: { RCPT: ['550 5.1.1 Who?', '450 4.2.1 Later', '250 OK'], DATA: [deed, '354 Go on'] },
    })
    const transport = directMx(resolverOf([['mx1.example.net', server.port]]))
    const recipients = ['a@example.net', 'b@example.net']
    const outcomes = await transport.deliver(consignment({ recipients }), never)
    expect(told(outcomes)).toEqual(['bounced 550 5.1.1 Who?', 'deferred 450 4.2.1 Later'])
    const [outcome] = await transport.deliver(consignment(), never)
    expect(outcome?.kind).toBe('delivered')
    expect(server.connections).toBe(connections)
    expect(server.messages.filter(({ rcpt }) => rcpt.length > 0)).toHaveLength(1)
    const empty = server.messages.find(({ rcpt }) => rcpt.length === 0)
    expect(empty?.data ?? Buffer.alloc(0)).toHaveLength(0)
  },
)

describe.each([
  ['dies', { close: '' }],
  ['is cut', { reset: true }],
  ['is ended by the server with a word', '421 4.4.2 Idle for too long'],
  ['is of no use any more', '503 5.5.1 Bad sequence'],
] as const)('an idle connection that %s costs nothing', (_, deed) => {
  test.each([[[]], [['PIPELINING']]])('where %j is offered', async offers => {
    const server = await start({ offers, deeds: { RSET: deed } })
    const transport = directMx(resolverOf([['mx1.example.net', server.port]]))
    // Two of them, and two that lie idle.
    await Promise.all([1, 2].map(() => transport.deliver(consignment(), never)))
    const [outcome] = await transport.deliver(consignment(), never)
    expect(outcome?.kind).toBe('delivered')
    expect(server.connections).toBe(3)
    expect(server.messages).toHaveLength(3)
  })
})

test('an idle connection on which the server has spoken is not used again', async () => {
  const server = await start({
    deeds: { DOT: { raw: '250 2.0.0 Queued\r\n250 2.0.0 OK\r\n' } },
  })
  const transport = directMx(resolverOf([['mx1.example.net', server.port]]))
  await transport.deliver(consignment(), never)
  await transport.deliver(consignment(), never)
  expect(server.connections).toBe(2)
})

test('an idle connection is ended after its time, politely', async () => {
  const server = await start()
  const transport = directMx(resolverOf([['mx1.example.net', server.port]]), {
    pool: { idleTime: 30 },
  })
  await transport.deliver(consignment(), never)
  await expect.poll(() => server.commands.at(-1)).toBe('QUIT')
  await expect.poll(() => server.open).toBe(0)
})

test('closing the transport ends the idle connections, also where nobody answers', async () => {
  const server = await start({ deeds: { QUIT: { stall: true } } })
  const transport = directMx(resolverOf([['mx1.example.net', server.port]]))
  await transport.deliver(consignment(), never)
  await transport.close()
  expect(server.commands.at(-1)).toBe('QUIT')
  await expect.poll(() => server.open).toBe(0)
})

test('being told to stop ends a delivery at once and leaves no connection', async () => {
  const server = await start({ deeds: { MAIL: { stall: true } } })
  const stop = new AbortController()
  const delivery = directMx(resolverOf([['mx1.example.net', server.port]])).deliver(
    consignment(),
    stop.signal,
  )
  await expect.poll(() => server.commands.some(line => line.startsWith('MAIL'))).toBe(true)
  stop.abort()
  expect((await delivery)[0]).toMatchObject({ kind: 'deferred', indeterminate: false })
  await expect.poll(() => server.open).toBe(0)
})
