import { expect, test } from 'vitest'

import { consignment, MESSAGE, resolverOf } from './consignment.ts'
import { deliver, start, told } from './delivery.ts'

test('a message is delivered whole, and the outcome carries the words of the host', async () => {
  const server = await start()
  const outcomes = await deliver(resolverOf([['mx1.example.net', server.port]]))
  expect(outcomes).toEqual([
    {
      kind: 'delivered',
      reply: { code: 250, enhanced: '2.0.0', text: 'Queued' },
      host: 'mx1.example.net',
      tls: '',
      class: 'none',
      dsn: false,
    },
  ])
  expect(server.messages[0]?.data.toString()).toBe(MESSAGE)
  expect(server.commands.slice(0, 4)).toEqual([
    'EHLO relay.example.org',
    'MAIL FROM:<alice@example.org>',
    'RCPT TO:<bob@example.net>',
    'DATA',
  ])
})

test.each([true, false])(
  'each recipient has an outcome of its own (pipelining %s)',
  async pipelining => {
    const server = await start({
      offers: pipelining ? ['PIPELINING'] : [],
      deeds: { RCPT: ['250 OK', '550 5.1.1 Who?', '450 4.2.1 Too fast', '250 OK'] },
    })
    const recipients = ['a', 'b', 'c', 'd'].map(name => `${name}@example.net`)
    const outcomes = await deliver(
      resolverOf([['mx1.example.net', server.port]]),
      consignment({ recipients }),
    )
    expect(told(outcomes)).toEqual([
      'delivered 250 2.0.0 Queued',
      'bounced 550 5.1.1 Who?',
      'deferred 450 4.2.1 Too fast',
      'delivered 250 2.0.0 Queued',
    ])
    expect(server.messages).toHaveLength(1)
  },
)

test('of too many recipients the rest is deferred, and no other host is asked for them', async () => {
  const [first, second] = [
    await start({ deeds: { RCPT: ['250 OK', '452 4.5.3 Too many recipients'] } }),
    await start(),
  ]
  const recipients = ['a@example.net', 'b@example.net', 'c@example.net']
  const outcomes = await deliver(
    resolverOf([
      ['mx1.example.net', first.port],
      ['mx2.example.net', second.port],
    ]),
    consignment({ recipients }),
  )
  expect(outcomes.map(({ kind }) => kind)).toEqual(['delivered', 'deferred', 'deferred'])
  expect(second.connections).toBe(0)
})

test('more than a hundred recipients take several transactions on one connection', async () => {
  const server = await start({
    offers: ['PIPELINING'],
    deeds: { DOT: ['250 one', '250 two', '451 no'] },
  })
  const recipients = Array.from({ length: 2_301 }, (_, i) => `u${i}@example.net`)
  const outcomes = await deliver(
    resolverOf([['mx1.example.net', server.port]]),
    consignment({ recipients }),
  )
  expect(server.connections).toBe(1)
  expect(server.messages.map(({ rcpt }) => rcpt.length)).toEqual([
    ...Array.from({ length: 23 }, () => 100),
    1,
  ])
  expect(outcomes).toHaveLength(2_301)
  expect(outcomes[150]).toMatchObject({ kind: 'delivered', reply: { text: 'two' } })
  expect(outcomes[2_300]).toMatchObject({ kind: 'deferred', reply: { text: 'no' } })
})

test('the code decides between now and never, even where the enhanced code disagrees', async () => {
  const server = await start({ deeds: { MAIL: ['421 5.7.32 Not aligned'] } })
  const [outcome] = await deliver(resolverOf([['mx1.example.net', server.port]]))
  expect(outcome?.kind).toBe('deferred')
})

test('DSN parameters go to each recipient as they were asked for, and only where offered', async () => {
  const mail = consignment({
    recipients: [
      { address: 'a@example.net', notify: ['success', 'delay'], orcpt: 'rfc822;a@example.com' },
      { address: 'b@example.net', notify: [] },
      { address: 'c@example.net' },
    ],
    ret: 'headers',
    envid: 'QQ314159',
  })
  const [with_, without] = [await start({ offers: ['DSN'] }), await start()]
  const offered = await deliver(resolverOf([['mx1.example.net', with_.port]]), mail)
  expect(with_.messages[0]).toMatchObject({
    mail: 'MAIL FROM:<alice@example.org> RET=HDRS ENVID=QQ314159',
    rcpt: [
      'RCPT TO:<a@example.net> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a@example.com',
      'RCPT TO:<b@example.net> NOTIFY=NEVER',
      'RCPT TO:<c@example.net>',
    ],
  })
  expect(offered[0]).toMatchObject({ kind: 'delivered', dsn: true })
  const [plain] = await deliver(resolverOf([['mx1.example.net', without.port]]), mail)
  expect(without.commands.filter(line => /NOTIFY|ORCPT|RET=|ENVID/.test(line))).toEqual([])
  expect(plain).toMatchObject({ kind: 'delivered', dsn: false })
})

test.each([
  [{ smtputf8: true }, '5.6.7'],
  [{ recipients: ['böb@example.net'] }, '5.6.7'],
  [{ eightBit: true }, '5.6.3'],
  [{ size: 1_001 }, '5.3.4'],
] as const)('what a host does not offer is not forced on it: %j', async (message, enhanced) => {
  const server = await start({ offers: ['SIZE 1000'] })
  const outcomes = await deliver(
    resolverOf([['mx1.example.net', server.port]]),
    consignment(message),
  )
  expect(outcomes[0]).toMatchObject({ kind: 'bounced', reply: { code: 0, enhanced } })
  expect(server.commands.filter(line => line.startsWith('MAIL'))).toEqual([])
})

test('the next host may offer what the first does not', async () => {
  const [first, second] = [await start(), await start({ offers: ['8BITMIME', 'SMTPUTF8', 'SIZE'] })]
  const outcomes = await deliver(
    resolverOf([
      ['mx1.example.net', first.port],
      ['mx2.example.net', second.port],
    ]),
    consignment({ eightBit: true, smtputf8: true }),
  )
  expect(outcomes[0]).toMatchObject({ kind: 'delivered', host: 'mx2.example.net' })
  expect(second.messages[0]?.mail).toBe(
    `MAIL FROM:<alice@example.org> SIZE=${MESSAGE.length} BODY=8BITMIME SMTPUTF8`,
  )
})
