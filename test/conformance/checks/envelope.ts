import type { Check } from '../check.ts'

/** Envelope, order and limits: the first part of section E. */
export const ENVELOPE: readonly Check[] = [
  {
    id: 'E01',
    statement: 'RCPT before MAIL and DATA before RCPT are answered 503',
    source: 'RFC 5321 3.3, 4.1.4',
    level: 'M',
    async run(probe) {
      const client = await probe.session()
      probe.expect(await client.command(`RCPT TO:<${probe.options.recipient}>`), [503], 'RCPT')
      probe.expect(await client.command('DATA'), [503, 554], 'DATA')
      await client.command(`MAIL FROM:<${probe.options.sender}>`)
      probe.expect(await client.command('DATA'), [503, 554], 'DATA after MAIL')
    },
  },
  {
    id: 'E02',
    statement: 'A nested MAIL is answered 503, and the first one stays',
    source: 'RFC 5321 3.3, 4.1.4',
    level: 'M',
    async run(probe) {
      const client = await probe.transaction()
      probe.expect(await client.command(`MAIL FROM:<${probe.options.sender}>`), [503], 'nested')
      const marker = probe.marker()
      probe.expect(await client.command('DATA'), [354], 'DATA')
      await client.write(`${probe.header(marker)}\r\nx\r\n.\r\n`)
      probe.expect(await client.reply(), [250], 'end of data')
    },
  },
  {
    id: 'E03',
    statement: 'A refused MAIL leaves nothing behind',
    source: 'RFC 5321 4.1.4',
    level: 'M',
    async run(probe) {
      const client = await probe.session()
      const { sender, recipient } = probe.options
      await client.command(`MAIL FROM:<${sender}>`)
      const strict = await client.command('RCPT TO:<bücher@example.org>')
      await client.command('RSET')
      let tried = 0
      for (const refused of [
        `MAIL FROM:<${sender}> SMTPUTF8 RET=BOGUS`,
        'MAIL FROM:<nobody-at-all@example.invalid> SMTPUTF8',
      ]) {
        const answer = await client.command(refused)
        // A sender may also be refused later.
        if (answer.code < 500) {
          await client.command('RSET')
          continue
        }
        tried++
        probe.expect(await client.command(`RCPT TO:<${recipient}>`), [503], 'RCPT after it')
        probe.expect(await client.command(`MAIL FROM:<${sender}>`), [250], 'MAIL after it')
        const rcpt = await client.command('RCPT TO:<bücher@example.org>')
        probe.must(rcpt.code >= 500 || strict.code < 400, `SMTPUTF8 is left: ${rcpt.text}`)
        await client.command('RSET')
      }
      probe.need(tried > 0, 'no MAIL was refused')
      if (strict.code >= 500) return
      // Where such addresses are always taken, another parameter has to show it.
      probe.need(probe.options.stored !== undefined, 'takes such addresses without SMTPUTF8')
      for (const refused of [
        `MAIL FROM:<${sender}> BODY=8BITMIME RET=BOGUS`,
        'MAIL FROM:<nobody-at-all@example.invalid> BODY=8BITMIME',
      ]) {
        const answer = await client.command(refused)
        if (answer.code < 500) {
          await client.command('RSET')
          continue
        }
        const marker = probe.marker()
        const plain = await probe.deliver(client, `${probe.header(marker)}\r\nx\r\n.\r\n`)
        probe.need(plain.code === 250, plain.text)
        probe.must(!(await probe.stored(marker)).eightBit, 'BODY=8BITMIME is left')
      }
    },
  },
  {
    id: 'E10',
    statement: 'The null reverse path is taken from a login, or refused with 5.7.1',
    source: 'RFC 5321 4.5.5, RFC 6409 6.1',
    level: 'p',
    async run(probe) {
      const client = await probe.session()
      const answer = await client.command('MAIL FROM:<>')
      probe.must(answer.code === 250 || / 5\.7\.1 /.test(answer.text), answer.text)
    },
  },
  {
    id: 'E17',
    statement: 'A hundred recipients are taken; too many are answered 452 4.5.3',
    source: 'RFC 5321 4.5.3.1.8, 4.5.3.1.10',
    level: 'M',
    async run(probe) {
      const client = await probe.session()
      const domain = probe.options.recipient.replace(/.*@/, '')
      await client.command(`MAIL FROM:<${probe.options.sender}>`)
      for (let n = 1; n <= 2_000; n++) {
        const answer = await client.command(`RCPT TO:<conformance-${n}@${domain}>`)
        if (answer.code === 250) continue
        probe.must(n > 100, `recipient ${n}: ${answer.text}`)
        probe.must(answer.code === 452, `recipient ${n}: ${answer.text}`)
        probe.should(answer.text.startsWith('452 4.5.3'), answer.text)
        return
      }
      probe.should(false, 'two thousand are taken')
    },
  },
  {
    id: 'E18',
    statement: 'A sender that is not the login is answered 550 5.7.1',
    source: 'RFC 6409 6.1, 6.2',
    level: 'y',
    async run(probe) {
      const client = await probe.session()
      const mail = await client.command('MAIL FROM:<nobody-at-all@example.invalid>')
      // Some say at RCPT what they know at MAIL.
      const rcpt =
        mail.code === 250 ? await client.command(`RCPT TO:<${probe.options.recipient}>`) : mail
      await client.command('RSET')
      probe.should(/^55[03] 5\.7\.1 /.test(rcpt.text), `MAIL: ${rcpt.text}`)
      const foreign = probe
        .header(probe.marker())
        .replace(/^From: .*$/m, 'From: <nobody-at-all@example.invalid>')
      const data = await probe.deliver(client, `${foreign}\r\nx\r\n.\r\n`)
      probe.should(/^55[03] 5\.7\.1 /.test(data.text), `From: ${data.text}`)
    },
  },
  {
    id: 'E19',
    statement:
      'A line of 512 octets is taken; a longer one is answered 500 at some length, and the session goes on',
    source: 'RFC 5321 4.5.3.1.4, 4.3.2',
    level: 'M',
    async run(probe) {
      const client = await probe.session()
      probe.expect(await client.command(`NOOP ${'x'.repeat(505)}`), [250], '512 octets')
      let longest = 0
      // Section 4.5.3.1: what is longer than anybody has to take may be taken.
      for (const length of [600, 5_000, 100_000]) {
        const answer = await client.command(`NOOP ${'x'.repeat(length)}`).catch(() => undefined)
        const next = await client.command('NOOP').catch(() => undefined)
        probe.must(answer !== undefined && next?.code === 250, `${length} octets end the session`)
        if (answer?.code === 500) return
        probe.must(answer?.code === 250, `${length} octets: ${answer?.text}`)
        longest = length
      }
      probe.should(false, `${longest} octets are taken`)
    },
  },
]
