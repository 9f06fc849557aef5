import type { Check, Probe } from '../check.ts'
import { WireClosed } from '../wire-client.ts'

/** What is not CRLF.CRLF, by name. */
export const NOT_THE_END: readonly (readonly [string, string])[] = [
  ['LF.LF', '\n.\n'],
  ['CR.CR', '\r.\r'],
  ['CR.LF', '\r.\n'],
  ['LF.CR', '\n.\r'],
  ['LF.CRLF', '\n.\r\n'],
  ['CRLF.LF', '\r\n.\n'],
  ['CR.CRLF', '\r.\r\n'],
  ['CRLF.CR', '\r\n.\r'],
  ['CRLF NUL.CRLF', '\r\n\0.\r\n'],
  ['CRLF.NUL CRLF', '\r\n.\0\r\n'],
  ['CRLF..CRLF', '\r\n..\r\n'],
  ['CRLF. CRLF', '\r\n. \r\n'],
  ['LFCR.LFCR', '\n\r.\n\r'],
  ['CRCRLF.CRCRLF', '\r\r\n.\r\r\n'],
  ['LFLF.CRLF', '\n\n.\r\n'],
]

/** How the content gets to the server: section D, first part. */
export const TRANSFER: readonly Check[] = [
  {
    id: 'D01',
    statement: 'Only CRLF.CRLF ends the data',
    source: 'RFC 5321 4.1.1.4, 2.3.8',
    level: 'MN',
    async run(probe) {
      for (const [name, octets] of NOT_THE_END) await smuggle(probe, name, octets)
    },
  },
  {
    id: 'D01b',
    statement:
      'A dot directly behind 354 ends an empty message; two dots in a segment of their own do not',
    source: 'RFC 5321 4.1.1.4, 4.5.2',
    level: 'M',
    async run(probe) {
      const client = await probe.session()
      const empty = await probe.deliver(client, '.\r\n')
      probe.must(empty.code !== 250 || empty.lines.length === 1, empty.text)
      await probe.begin(client)
      probe.expect(await client.command('DATA'), [354], 'DATA')
      await client.write('..')
      await new Promise(setImmediate)
      await client.write('\r\nNOOP\r\n.\r\n')
      const first = await client.reply()
      await client.write('QUIT\r\n')
      const second = await client.reply()
      probe.must(second.code === 221, `${first.text} / ${second.text}`)
    },
  },
  {
    id: 'D02',
    statement: 'Bare CR and LF are refused or normalised; NUL passes',
    source: 'RFC 5321 2.3.8, 4.1.1.4',
    level: 'MN',
    async run(probe) {
      for (const bare of ['a\nb', 'a\rb', '\n..\r\n', '\r\r\n']) {
        const marker = probe.marker()
        const client = await probe.session()
        const answer = await probe.deliver(client, `${probe.header(marker)}\r\n${bare}\r\n.\r\n`)
        if (answer.code >= 400) continue
        const { content } = await probe.stored(marker)
        const kept = /\r(?!\n)|(?<!\r)\n/.test(content.toString('latin1'))
        probe.must(!kept, `${JSON.stringify(bare)} is kept as it is`)
      }
      const marker = probe.marker()
      const client = await probe.session()
      const nul = await probe.deliver(client, `${probe.header(marker)}\r\na\0b\r\n.\r\n`)
      probe.expect(nul, [250], 'NUL')
      if (probe.options.stored) {
        probe.must((await probe.stored(marker)).content.includes('a\0b'), 'NUL did not pass')
      }
    },
  },
  {
    id: 'D03',
    statement: 'Dots that stuff lines are removed, and no others',
    source: 'RFC 5321 4.5.2',
    level: 'M',
    async run(probe) {
      const marker = probe.marker()
      const client = await probe.session()
      const lines = ['..', '...', '..x', 'x.', 'x..x', '', '....']
      const content = lines.map(line => `${line}\r\n`).join('')
      const answer = await probe.deliver(client, `${probe.header(marker)}\r\n${content}.\r\n`)
      probe.expect(answer, [250], 'end of data')
      const expected = ['.', '..', '.x', 'x.', 'x..x', '', '...']
      const { content: stored } = await probe.stored(marker)
      const wanted = `\r\n\r\n${expected.map(line => `${line}\r\n`).join('')}`
      probe.must(stored.toString().endsWith(wanted), JSON.stringify(stored.toString().slice(-80)))
    },
  },
  {
    id: 'D04',
    statement: 'Lines of 1,000 octets are taken; longer ones are refused or wrapped, never cut',
    source: 'RFC 5321 4.5.3.1.6',
    level: 'M',
    async run(probe) {
      const client = await probe.session()
      const send = async (marker: string, line: string): Promise<number> =>
        (await probe.deliver(client, `${probe.header(marker)}\r\n${line}\r\n.\r\n`)).code
      const taken = probe.marker()
      probe.must((await send(taken, 'x'.repeat(998))) === 250, '1,000 octets are refused')
      // A stuffing dot does not count.
      const dotted = probe.marker()
      probe.must((await send(dotted, `..${'x'.repeat(997)}`)) === 250, 'stuffed line is refused')
      const longer = probe.marker()
      if ((await send(longer, 'y'.repeat(5_000))) >= 500) return
      const { content } = await probe.stored(longer)
      const kept = content.toString().replaceAll(/[^y]/g, '').length
      probe.must(kept >= 5_000, `${kept} of 5,000 octets are kept`)
      probe.should(!content.includes('y'.repeat(999)), 'taken as it is')
    },
  },
  {
    id: 'D05',
    statement: 'A message over the size is answered 552 5.3.4 at its end, and the session goes on',
    source: 'RFC 1870 6.3',
    level: 'p',
    async run(probe) {
      const client = await probe.session()
      const offered = probe.extensions(await client.command('EHLO client.example.org'))
      const limit = Number(offered.get('SIZE'))
      const reasonable = probe.options.drastic === true ? 100_000_000 : 1_000_000
      probe.need(limit > 0 && limit <= reasonable, 'the limit is too high to be tried')
      const line = `${'x'.repeat(998)}\r\n`
      const content = probe.header(probe.marker()) + '\r\n' + line.repeat(limit / 1_000 + 2)
      const answer = await probe.deliver(client, `${content}.\r\n`)
      probe.expect(answer, [552], 'end of data')
      probe.should(answer.text.startsWith('552 5.3.4'), answer.text)
      probe.expect(await client.command('NOOP'), [250], 'NOOP')
    },
  },
  {
    id: 'D06',
    statement: 'When the connection is lost within the data, nothing is queued',
    source: 'RFC 5321 4.1.1.10',
    level: 'M',
    async run(probe) {
      probe.need(probe.options.stored !== undefined, 'nobody can look behind this server')
      for (const end of ['', '\r\n', '\r\n.', '\r\n.\r']) {
        const marker = probe.marker()
        const client = await probe.transaction()
        probe.expect(await client.command('DATA'), [354], 'DATA')
        await client.write(`${probe.header(marker)}\r\nunfinished${end}`)
        client.end()
        await client.closed()
        const found = (await probe.options.stored?.(marker)) ?? []
        probe.must(found.length === 0, `stored when it ended in ${JSON.stringify(end)}`)
      }
    },
  },
  {
    id: 'D07',
    statement: 'What was refused after the final dot is not delivered later',
    source: 'RFC 5321 4.2.5',
    level: 'MN',
    async run(probe) {
      const client = await probe.session()
      const hops = 'Received: from a.example by b.example; Mon, 23 Nov 2026 12:00:00 +0000\r\n'
      // Which of these a server refuses is its own affair.
      for (const [top, body] of [
        ['', 'a\nb'],
        [hops.repeat(100), 'x'],
      ] as const) {
        const marker = probe.marker()
        const content = `${top}${probe.header(marker)}\r\n${body}\r\n.\r\n`
        const answer = await probe.deliver(client, content)
        if (answer.code < 400) continue
        probe.need(probe.options.stored !== undefined, 'nobody can look behind this server')
        const found = (await probe.options.stored?.(marker)) ?? []
        probe.must(found.length === 0, 'stored all the same')
        return
      }
      probe.inconclusive('nothing was refused')
    },
  },
]

/** What follows a false end must be content: then there is one reply to it, and QUIT is the next. */
async function smuggle(probe: Probe, name: string, octets: string): Promise<void> {
  const { sender, recipient } = probe.options
  const client = await probe.transaction()
  probe.expect(await client.command('DATA'), [354], 'DATA')
  const smuggled = `MAIL FROM:<${sender}>\r\nRCPT TO:<${recipient}>\r\nDATA\r\nSubject: smuggled\r\n\r\n`
  await client.write(`${probe.header(probe.marker())}\r\nx${octets}${smuggled}.\r\n`)
  const first = await client.reply()
  // Not before: some take whatever is pipelined behind a message for an attack.
  await client.write('QUIT\r\n')
  let second
  try {
    second = await client.reply()
  } catch (error) {
    // To break the connection off instead is safe.
    if (error instanceof WireClosed && first.code >= 400) return
    throw error
  }
  probe.must(second.code === 221, `${name} ends the data: ${first.text} / ${second.text}`)
  client.destroy()
}
