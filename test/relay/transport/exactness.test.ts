import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import { SMTPServer } from 'smtp-server'
import { describe, expect, onTestFinished, test } from 'vitest'

import { consignment, resolverOf } from './consignment.ts'
import { deliver, directMx, never, start } from './delivery.ts'

const HEAD = 'Subject: exact\r\n\r\n'
const every = Buffer.from(
  Array.from({ length: 256 }, (_, i) => i).filter(i => i !== 10 && i !== 13),
)

/** Bodies with proper line ends: they have to arrive octet by octet. */
const CORPUS: Readonly<Record<string, Buffer>> = {
  'lines of dots': Buffer.from(`${HEAD}.\r\n..\r\n...\r\n.a\r\na.\r\n.\r\n`),
  'nothing but a dot': Buffer.from('.\r\n'),
  nothing: Buffer.alloc(0),
  'empty lines': Buffer.from(`${HEAD}\r\n\r\n\r\n`),
  'every octet that is no line end': Buffer.concat([Buffer.from(HEAD), every, Buffer.from('\r\n')]),
  'lines of 1000 octets': Buffer.from(`${HEAD}${`${'x'.repeat(998)}\r\n`.repeat(50)}`),
  'lines of 1000 octets that begin with a dot': Buffer.from(`${HEAD}.${'y'.repeat(997)}\r\n`),
  'a long line': Buffer.from(`${HEAD}${'z'.repeat(100_000)}\r\n`),
  'many lines of dots': Buffer.from('.......\r\n'.repeat(40_000)),
}

/** Somebody else's idea of a receiver. */
async function smtpServer(): Promise<{ port: number; bodies: Buffer[] }> {
  const bodies: Buffer[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    disableReverseLookup: true,
    logger: false,
    onData(stream, _session, callback) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        bodies.push(Buffer.concat(chunks))
        callback()
      })
    },
  })
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  onTestFinished(() => new Promise<void>(resolve => server.close(() => resolve())))
  return { port: (server.server.address() as AddressInfo).port, bodies }
}

describe('octets arrive as they were', () => {
  test.each(Object.keys(CORPUS))('%s', async name => {
    const body = CORPUS[name] ?? Buffer.alloc(0)
    const strict = await start({ offers: ['8BITMIME'] })
    const other = await smtpServer()
    for (const port of [strict.port, other.port]) {
      const transport = directMx(resolverOf([['mx1.example.net', port]]))
      for (const pieces of body.length < 2_000 ? [1, 7, 65_536] : [1_013, 65_536]) {
        const mail = consignment({ body, pieces, eightBit: true })
        const [outcome] = await transport.deliver(mail, never)
        expect(outcome?.kind).toBe('delivered')
      }
    }
    for (const { data } of strict.messages) expect(data.equals(body)).toBe(true)
    for (const data of other.bodies) expect(data.equals(body)).toBe(true)
    expect(other.bodies).toHaveLength(strict.messages.length)
  })

  test('a last line without its end gets one', async () => {
    const server = await start()
    const resolver = resolverOf([['mx1.example.net', server.port]])
    for (const body of ['no end', 'no end\r', 'dots\r\n.']) {
      await deliver(resolver, consignment({ body }))
    }
    expect(server.messages.map(({ data }) => data.toString())).toEqual([
      'no end\r\n',
      'no end\r\n',
      'dots\r\n.\r\n',
    ])
  })
})

describe('a body cannot speak as commands, to a strict receiver nor to a sloppy one', () => {
  const hidden = 'MAIL FROM:<ceo@example.org>\r\nRCPT TO:<victim@example.net>\r\nDATA\r\nx\r\n.\r\n'
  const ends = ['\n.\n', '\r.\r', '\r.\n', '\n.\r', '\n.\r\n', '\r\n.\n', '\r.\r\n', '\r\n.\r']
  const nul = ['\r\n\0.\r\n', '\r\n.\0\r\n', '\n..\r\n', '\r\n..\n', '\n.\r\r\n']
  test.each([...ends, ...nul])('%j', async end => {
    const servers = [await start(), await start({ sloppy: true })]
    for (const server of servers) {
      const transport = directMx(resolverOf([['mx1.example.net', server.port]]))
      for (const pieces of [1, 3, 65_536]) {
        const body = `${HEAD}hello${end}${hidden}`
        await transport.deliver(consignment({ body, pieces }), never)
      }
      expect(server.messages).toHaveLength(3)
      expect(server.commands.filter(line => line.includes('ceo@'))).toEqual([])
    }
  })

  test.each([
    { reversePath: 'a@example.org>\r\nRCPT TO:<x@example.net' },
    { reversePath: 'a@example.org\r\nQUIT' },
    { recipients: ['b@example.net>\r\nDATA'] },
    { recipients: ['b@example.net\nDATA'] },
    { recipients: ['b@example.net> NOTIFY=NEVER'] },
    { recipients: [{ address: 'b@example.net', orcpt: 'rfc822;b SIZE=1' }] },
    { envid: 'x\r\nQUIT' },
  ])('nor an envelope: %j', async envelope => {
    const server = await start({ offers: ['DSN'] })
    const mail = consignment(envelope)
    const outcomes = await deliver(resolverOf([['mx1.example.net', server.port]]), mail)
    expect(outcomes[0]?.kind).toBe('bounced')
    expect(server.commands.filter(line => !/^(EHLO|QUIT)/.test(line))).toEqual([])
  })
})
