import type { Check, Probe } from '../check.ts'
import type { WireClient } from '../wire-client.ts'

/** What is an address, and whose: the second part of section E. */
export const ADDRESSES: readonly Check[] = [
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
      const { recipients } = await probe.stored(marker)
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
      const { recipients } = await probe.stored(marker)
      const kept = recipients.toSorted().join()
      probe.must(kept === `Foo@${domain},foo@${domain}`, `kept ${kept}`)
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
      if (answer.code < 400 && probe.options.stored) {
        const [kept = ''] = await keptRecipients(probe, client)
        probe.must(kept.includes('.'), `passed on as ${kept}`)
      }
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
      let taken = ''
      for (const control of ['\0', '\u0001', '\u001b', '\u007f']) {
        const answer = await client.command(`RCPT TO:<a${control}b@${domain}>`)
        if (answer.code < 400) taken += control
      }
      if (taken !== '' && probe.options.stored) {
        // Section 4.1.2: they must not be used; to take them is one thing, to pass them on another.
        const kept = (await keptRecipients(probe, client)).join()
        probe.must(!/\p{Cc}/u.test(kept), `passed on ${JSON.stringify(kept)}`)
        await client.command(`MAIL FROM:<${probe.options.sender}>`)
      }
      for (const local of ['"a b"', '"a@b"', String.raw`"a\"b"`, '"a>b"']) {
        probe.expect(await client.command(`RCPT TO:<${local}@${domain}>`), [250], local)
      }
      probe.should(taken === '', `takes ${JSON.stringify(taken)}`)
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
]

/** Ends the open transaction with a message. @returns for whom it was kept */
async function keptRecipients(probe: Probe, client: WireClient): Promise<readonly string[]> {
  const marker = probe.marker()
  probe.expect(await client.command('DATA'), [354], 'DATA')
  await client.write(`${probe.header(marker)}\r\nx\r\n.\r\n`)
  probe.expect(await client.reply(), [250], 'end of data')
  return (await probe.stored(marker)).recipients
}
