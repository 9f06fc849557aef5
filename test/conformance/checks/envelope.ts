import type { Check } from '../check.ts'

/** Envelope, order and addresses: the first part of section E. */
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
      for (const refused of [
        `MAIL FROM:<${sender}> SMTPUTF8 RET=BOGUS`,
        'MAIL FROM:<nobody-at-all@example.invalid> SMTPUTF8',
      ]) {
        const answer = await client.command(refused)
        probe.need(answer.code >= 500, answer.text)
        probe.expect(await client.command(`RCPT TO:<${recipient}>`), [503], 'RCPT after it')
        probe.expect(await client.command(`MAIL FROM:<${sender}>`), [250], 'MAIL after it')
        const rcpt = await client.command('RCPT TO:<bücher@example.org>')
        probe.must(rcpt.code >= 500, `SMTPUTF8 is left: ${rcpt.text}`)
        await client.command('RSET')
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
    id: 'E11',
    statement: '<postmaster> needs no domain, in any case',
    source: 'RFC 5321 4.1.1.3, 4.5.1',
    level: 'M',
    async run(probe) {
      const client = await probe.session()
      await client.command(`MAIL FROM:<${probe.options.sender}>`)
      for (const name of ['postmaster', 'POSTMASTER', 'Postmaster']) {
        probe.expect(await client.command(`RCPT TO:<${name}>`), [250], name)
      }
    },
  },
  {
    id: 'E12',
    statement: 'A source route is understood and dropped',
    source: 'RFC 5321 4.1.1.3',
    level: 'M',
    async run(probe) {
      const marker = probe.marker()
      const client = await probe.session()
      const { sender, recipient } = probe.options
      await client.command(`MAIL FROM:<${sender}>`)
      const answer = await client.command(`RCPT TO:<@a.example,@b.example:${recipient}>`)
      probe.expect(answer, [250], 'source route')
      await client.command('DATA')
      await client.write(`${probe.header(marker)}\r\nx\r\n.\r\n`)
      probe.expect(await client.reply(), [250], 'end of data')
      if (!probe.options.stored) return
      const { recipients } = probe.stored(marker)
      probe.must(recipients.join() === recipient, `stored for ${recipients.join()}`)
    },
  },
  {
    id: 'E13',
    statement: 'The case of a local part is kept, and makes another recipient',
    source: 'RFC 5321 2.4',
    level: 'M',
    async run(probe) {
      const marker = probe.marker()
      const client = await probe.session()
      const domain = probe.options.recipient.replace(/.*@/, '')
      await client.command(`MAIL FROM:<${probe.options.sender}>`)
      for (const local of ['Foo', 'foo']) {
        probe.expect(await client.command(`RCPT TO:<${local}@${domain}>`), [250], local)
      }
      probe.need(probe.options.stored !== undefined, 'nobody can look behind this server')
      await client.command('DATA')
      await client.write(`${probe.header(marker)}\r\nx\r\n.\r\n`)
      probe.expect(await client.reply(), [250], 'end of data')
      const { recipients } = probe.stored(marker)
      probe.must(recipients.join() === `Foo@${domain},foo@${domain}`, `kept ${recipients.join()}`)
    },
  },
  {
    id: 'E14',
    statement: 'An unqualified domain is answered 554 5.5.4, or completed',
    source: 'RFC 6409 4.2',
    level: 'M',
    async run(probe) {
      const client = await probe.session()
      await client.command(`MAIL FROM:<${probe.options.sender}>`)
      const answer = await client.command('RCPT TO:<bob@unqualified>')
      probe.should(answer.code >= 500, `perhaps completed: ${answer.text}`)
      probe.should(answer.text.startsWith('554 5.5.4'), answer.text)
    },
  },
  {
    id: 'E15',
    statement: 'Controls in an address are refused; quoted local parts are taken',
    source: 'RFC 5321 4.1.2',
    level: 'M',
    async run(probe) {
      const client = await probe.session()
      const domain = probe.options.recipient.replace(/.*@/, '')
      await client.command(`MAIL FROM:<${probe.options.sender}>`)
      for (const control of ['\0', '\u0001', '\u001b', '\u007f']) {
        const answer = await client.command(`RCPT TO:<a${control}b@${domain}>`)
        probe.must(answer.code >= 500, `control ${control.codePointAt(0)}: ${answer.text}`)
      }
      for (const local of ['"a b"', '"a@b"', String.raw`"a\"b"`, '"a>b"']) {
        probe.expect(await client.command(`RCPT TO:<${local}@${domain}>`), [250], local)
      }
    },
  },
  {
    id: 'E16',
    statement: 'An address outside ASCII without SMTPUTF8 is refused with 5.6.7',
    source: 'RFC 6531 3.5',
    level: 'M',
    async run(probe) {
      const client = await probe.session()
      await client.command(`MAIL FROM:<${probe.options.sender}>`)
      for (const address of ['bücher@example.org', 'bob@bücher.example']) {
        const answer = await client.command(`RCPT TO:<${address}>`)
        probe.must(answer.code >= 500, `${address}: ${answer.text}`)
        probe.should(/^55[03] 5\.6\.7 /.test(answer.text), answer.text)
      }
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
      probe.should(/^55[03] 5\.7\.1 /.test(mail.text), `MAIL: ${mail.text}`)
      const foreign = probe
        .header(probe.marker())
        .replace(/^From: .*$/m, 'From: <nobody-at-all@example.invalid>')
      const data = await probe.deliver(client, `${foreign}\r\nx\r\n.\r\n`)
      probe.should(/^55[03] 5\.7\.1 /.test(data.text), `From: ${data.text}`)
    },
  },
  {
    id: 'E19',
    statement: 'A line of 512 octets is taken; a longer one is answered 500',
    source: 'RFC 5321 4.5.3.1.4, 4.3.2',
    level: 'M',
    async run(probe) {
      const client = await probe.session()
      probe.expect(await client.command(`NOOP ${'x'.repeat(505)}`), [250], '512 octets')
      for (const length of [600, 5_000, 100_000]) {
        const answer = await client.command(`NOOP ${'x'.repeat(length)}`)
        probe.expect(answer, [500], `${length} octets`)
        probe.expect(await client.command('NOOP'), [250], 'NOOP')
      }
    },
  },
]
