import { describe, expect, test } from 'vitest'

import { consignment, resolverOf, TIMERS } from './consignment.ts'
import { deliver, directMx, never, start, told } from './delivery.ts'

describe('a fault before the final dot', () => {
  const silent = { stall: true } as const
  // The next host has to answer within it too, on a machine that is busy.
  const quick = 500
  test.each([
    ['GREETING', { timers: { ...TIMERS, greeting: quick } }, silent],
    ['EHLO', { timers: { ...TIMERS, command: quick } }, silent],
    ['MAIL', { timers: { ...TIMERS, mail: quick } }, silent],
    ['RCPT', { timers: { ...TIMERS, rcpt: quick } }, silent],
    ['DATA', { timers: { ...TIMERS, data: quick } }, silent],
    ['GREETING', {}, { close: '' }],
    ['EHLO', {}, { reset: true }],
    ['MAIL', {}, { close: '' }],
    ['RCPT', {}, { reset: true }],
    ['DATA', {}, { close: '421 4.3.2 Shutting down' }],
    ['GREETING', {}, '421 4.3.2 Busy'],
    ['GREETING', {}, '554 5.3.2 No mail here'],
    ['MAIL', {}, '451 4.3.0 Not now'],
    ['DATA', {}, '250 2.0.0 What do you want?'],
    ['EHLO', {}, { raw: 'HTTP/1.1 400 Bad Request\r\n\r\n' }],
    ['MAIL', {}, { raw: '250-one\r\n550 two\r\n' }],
  ] as const)(
    'at %s (%j, %j) makes the next host take the message',
    async (point, options, deed) => {
      const [first, second] = [await start({ deeds: { [point]: deed } }), await start()]
      const outcomes = await deliver(
        resolverOf([
          ['mx1.example.net', first.port],
          ['mx2.example.net', second.port],
        ]),
        consignment(),
        options,
      )
      expect(outcomes[0]).toMatchObject({ kind: 'delivered', host: 'mx2.example.net' })
      expect(first.messages).toEqual([])
      expect(second.messages).toHaveLength(1)
    },
  )

  test('within the message, the words of the host are the reason', async () => {
    const body = 'x'.repeat(70).concat('\r\n').repeat(40_000)
    const server = await start({ deeds: { BODY: { close: '552 5.3.4 Too big for me' } } })
    const outcomes = await deliver(
      resolverOf([['mx1.example.net', server.port]]),
      consignment({ body }),
    )
    expect(told(outcomes)).toEqual(['bounced 552 5.3.4 Too big for me'])
  })

  test('a body that cannot be read never gets a final dot, and is thrown', async () => {
    const server = await start()
    const mail = {
      ...consignment(),
      async *body() {
        yield Buffer.from('Subject: half\r\n')
        throw new Error('disk gone')
      },
    }
    const transport = directMx(resolverOf([['mx1.example.net', server.port]]))
    await expect(transport.deliver(mail, never)).rejects.toThrow('disk gone')
    expect(server.messages).toEqual([])
    // Nor is the connection used for anything else: all that is said on it would be body.
    await expect.poll(() => server.open).toBe(0)
  })

  test('a host that stops reading does not hold up the message for longer than the block timer', async () => {
    const server = await start({ deeds: { BODY: { stall: true } } })
    const body = 'x'.repeat(78).concat('\r\n').repeat(200_000)
    const outcomes = await deliver(
      resolverOf([['mx1.example.net', server.port]]),
      consignment({ body }),
      { timers: { ...TIMERS, block: 100 } },
    )
    expect(outcomes[0]).toMatchObject({ kind: 'deferred', class: 'network', indeterminate: false })
    expect(outcomes[0]?.reply.text).toContain('the message')
  })

  test('a reply too many makes all others doubtful: nothing more is said', async () => {
    const server = await start({
      deeds: { MAIL: { raw: '250 ok\r\n250 ok\r\n' }, RCPT: '550 5.1.1 Who?' },
    })
    const outcomes = await deliver(resolverOf([['mx1.example.net', server.port]]))
    expect(outcomes[0]).toMatchObject({ kind: 'deferred', class: 'other', indeterminate: false })
    expect(server.commands.filter(line => /^(RCPT|DATA)/.test(line))).toEqual([])
  })

  test('an acceptance before the message has been sent is none', async () => {
    const server = await start({
      deeds: { DATA: { raw: '354 Go on\r\n250 2.0.0 Queued\r\n' }, DOT: '550 5.7.1 Spam' },
    })
    const outcomes = await deliver(resolverOf([['mx1.example.net', server.port]]))
    expect(outcomes[0]?.kind).toBe('deferred')
  })
})

describe('after the final dot', () => {
  test.each([
    ['the connection is closed', {}, { close: '' }],
    ['the connection is cut', {}, { reset: true }],
    ['nothing is said', { timers: { ...TIMERS, final: 60 } }, { stall: true }],
    ['nonsense is said', {}, { raw: 'done\r\n' }],
    ['another question is asked', {}, '354 More?'],
  ] as const)('and %s: indeterminate, and nobody else gets a copy', async (_, options, deed) => {
    const [first, second] = [await start({ deeds: { DOT: deed } }), await start()]
    const outcomes = await deliver(
      resolverOf([
        ['mx1.example.net', first.port, second.port],
        ['mx2.example.net', second.port],
      ]),
      consignment(),
      options,
    )
    expect(outcomes[0]).toMatchObject({ kind: 'deferred', indeterminate: true })
    expect(first.messages).toHaveLength(1)
    expect(second.connections).toBe(0)
  })

  test('a refusal is one, and a bounce', async () => {
    const server = await start({ deeds: { DOT: '550 5.7.1 Spam' } })
    const outcomes = await deliver(resolverOf([['mx1.example.net', server.port]]))
    expect(told(outcomes)).toEqual(['bounced 550 5.7.1 Spam'])
  })

  test('the limit of the whole attempt no longer counts', async () => {
    const server = await start({ deeds: { DOT: { stall: true } } })
    const outcomes = await deliver(resolverOf([['mx1.example.net', server.port]]), consignment(), {
      totalTime: 300,
      timers: { ...TIMERS, final: 600 },
    })
    expect(outcomes[0]).toMatchObject({ indeterminate: true })
    expect(outcomes[0]?.reply.text).toContain('the final dot')
  })

  test('being told to stop leaves it indeterminate too', async () => {
    const server = await start({ deeds: { DOT: { stall: true } } })
    const stop = new AbortController()
    const delivery = directMx(resolverOf([['mx1.example.net', server.port]])).deliver(
      consignment(),
      stop.signal,
    )
    await expect.poll(() => server.messages.length).toBe(1)
    stop.abort()
    expect((await delivery)[0]).toMatchObject({ kind: 'deferred', indeterminate: true })
  })
})
