import type { Check } from '../check.ts'
import { WireClient, WireClosed } from '../wire-client.ts'

/** Pipelining: section P. */
export const PIPELINING: readonly Check[] = [
  {
    id: 'P01',
    statement:
      'MAIL, three RCPT and DATA in one segment are answered in order; 354 if one recipient stands',
    source: 'RFC 2920 3.2',
    level: 'M',
    async run(probe) {
      const client = await probe.session()
      const { sender, recipient } = probe.options
      const marker = probe.marker()
      await client.write(
        `MAIL FROM:<${sender}>\r\nRCPT TO:<a..b@>\r\nRCPT TO:<${recipient}>\r\nRCPT TO:<c..d@>\r\nDATA\r\n`,
      )
      const codes: number[] = []
      for (let n = 0; n < 5; n++) codes.push((await client.reply()).code)
      const classes = codes.map(code => Math.floor(code / 100)).join()
      probe.must(classes === '2,5,2,5,3', codes.join())
      await client.write(`${probe.header(marker)}\r\nx\r\n.\r\n`)
      probe.expect(await client.reply(), [250], 'end of data')
    },
  },
  {
    id: 'P02',
    statement: 'Where all recipients are refused, so is DATA',
    source: 'RFC 2920 3.2',
    level: 'S',
    async run(probe) {
      const client = await probe.session()
      await client.write(`MAIL FROM:<${probe.options.sender}>\r\nRCPT TO:<a..b@>\r\nDATA\r\n`)
      probe.expect(await client.reply(), [250], 'MAIL')
      probe.must((await client.reply()).code >= 500, 'RCPT')
      probe.expect(await client.reply(), [503, 554], 'DATA')
    },
  },
  {
    id: 'P03',
    statement: 'A body and the next commands in one write work; input is flushed at STARTTLS only',
    source: 'RFC 2920 3.1, 3.2',
    level: 'MN',
    async run(probe) {
      const client = await probe.transaction()
      const { sender, recipient } = probe.options
      const marker = probe.marker()
      probe.expect(await client.command('DATA'), [354], 'DATA')
      await client.write(
        `${probe.header(marker)}\r\nx\r\n.\r\nMAIL FROM:<${sender}>\r\nRCPT TO:<${recipient}>\r\nNOOP\r\nRSET\r\nVRFY x\r\n`,
      )
      const codes: number[] = []
      for (let n = 0; n < 6; n++) codes.push((await client.reply()).code)
      probe.must(
        codes.slice(0, 5).every(code => code === 250),
        codes.join(),
      )
    },
  },
  {
    id: 'P04',
    statement: 'A client that talks before the greeting is turned away',
    source: 'RFC 5321 4.3.1',
    level: 'p',
    async run(probe) {
      const raw = await WireClient.connect({ ...probe.options.endpoint, tls: 'starttls' })
      if (probe.options.endpoint.tls === 'implicit') {
        raw.destroy()
        probe.inconclusive('in implicit TLS the handshake comes first')
      }
      await raw.write('EHLO early.example.org\r\n')
      const first = await raw.reply().finally(() => raw.destroy())
      probe.should(first.code === 421 || first.code === 554, first.text)
    },
  },
  {
    id: 'P05',
    statement: 'A body sent behind DATA before 354 is not taken',
    source: 'RFC 2920 3.1',
    level: 'p',
    async run(probe) {
      const marker = probe.marker()
      const client = await probe.transaction()
      await client.write(`DATA\r\n${probe.header(marker)}\r\nx\r\n.\r\n`)
      let answer = await client.reply()
      try {
        if (answer.code === 354) answer = await client.reply()
      } catch (error) {
        if (!(error instanceof WireClosed)) throw error
      }
      // Cut into segments it may look like a client that waited.
      probe.need(answer.code !== 250 || probe.options.cut === undefined, 'came in pieces')
      probe.should(answer.code !== 250, answer.text)
    },
  },
]
