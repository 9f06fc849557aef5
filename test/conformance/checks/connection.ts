import type { Check } from '../check.ts'

/** Greeting, lines and order of commands: the first part of section C. */
export const CONNECTION: readonly Check[] = [
  {
    id: 'C01',
    statement: 'The greeting is 220 with our own FQDN first, at most 512 octets',
    source: 'RFC 5321 4.2, 4.3.1, 4.5.3.1.5',
    level: 'M',
    async run(probe) {
      const client = await probe.connected()
      const greeting = await client.reply()
      probe.expect(greeting, [220], 'greeting')
      const name = greeting.text.slice(4).split(' ')[0] ?? ''
      probe.must(/^(?:[\w-]+\.)+[\w-]+$|^\[.+\]$/.test(name), `no FQDN: ${greeting.text}`)
      probe.must(
        greeting.lines.every(line => line.length <= 510),
        'longer than 512 octets',
      )
    },
  },
  {
    id: 'C02',
    statement: 'One reply a command, with the same code on all of its lines',
    source: 'RFC 5321 4.2, 4.3.2',
    level: 'M',
    async run(probe) {
      const client = await probe.greeted()
      for (const command of [
        'NOOP',
        'EHLO client.example.org',
        'RSET',
        'VRFY x',
        'HELP',
        'XYZZY',
      ]) {
        const answer = await client.command(command)
        const codes = new Set(answer.lines.map(line => line.slice(0, 3)))
        probe.must(codes.size === 1, `${command}: ${answer.lines.join(' / ')}`)
        probe.must(answer.code >= 200 && answer.code < 560, `${command}: ${answer.text}`)
      }
      probe.expect(await client.command('NOOP'), [250], 'NOOP after all')
    },
  },
  {
    id: 'C03',
    statement: 'EHLO is answered in several lines, HELO in one',
    source: 'RFC 5321 3.2, 4.1.1.1',
    level: 'M',
    async run(probe) {
      const client = await probe.plain()
      const ehlo = await client.command('EHLO client.example.org')
      probe.must(ehlo.code === 250 && ehlo.lines.length > 1, `EHLO: ${ehlo.text}`)
      const helo = await client.command('HELO client.example.org')
      probe.must(helo.code === 250 && helo.lines.length === 1, `HELO: ${helo.lines.join(' / ')}`)
    },
  },
  {
    id: 'C04',
    statement: 'Verbs, keywords and from: and to: in any case',
    source: 'RFC 5321 2.4',
    level: 'M',
    async run(probe) {
      const client = await probe.session()
      const { sender, recipient } = probe.options
      probe.expect(await client.command('eHlO client.example.org'), [250], 'eHlO')
      probe.expect(await client.command(`mAiL fRoM:<${sender}> sIzE=100`), [250], 'mAiL')
      probe.expect(await client.command(`rCpT tO:<${recipient}>`), [250], 'rCpT')
      probe.expect(await client.command('rSeT'), [250], 'rSeT')
    },
  },
  {
    id: 'C05',
    statement: 'A line that ends in a bare LF is not executed',
    source: 'RFC 5321 2.3.8, 4.1.1.4',
    level: 'MN',
    async run(probe) {
      const client = await probe.greeted()
      await client.write('NOOP\nQUIT\r\nNOOP\r\n')
      const first = await client.reply()
      probe.must(first.code >= 500, `executed: ${first.text}`)
      probe.expect(await client.reply(), [250], 'NOOP behind it')
    },
  },
  {
    id: 'C06',
    statement: 'A line without an end is not executed, also when the client hangs up',
    source: 'RFC 5321 2.4',
    level: 'M',
    async run(probe) {
      // The end of a TLS session is another matter than that of a connection.
      const client = await probe.plain()
      await client.write('NOOP')
      client.end()
      const said = await client.closed()
      probe.must(said === '' || said.startsWith('421'), `answered: ${said}`)
    },
  },
  {
    id: 'C07',
    statement: 'MAIL before EHLO or HELO is answered 503',
    source: 'RFC 5321 4.1.4',
    level: 'M',
    async run(probe) {
      const client = await probe.secured()
      const answer = await client.command(`MAIL FROM:<${probe.options.sender}>`)
      // The MUST of section 4.1.4 is the client's: a server may be more lenient.
      probe.expect(answer, [503, 530, 250], 'MAIL')
      probe.expect(await client.command('NOOP'), [250], 'NOOP')
      probe.should(answer.code === 503, answer.text)
    },
  },
  {
    id: 'C08',
    statement: 'NOOP, RSET, HELP and VRFY need no EHLO',
    source: 'RFC 5321 4.1.4',
    level: 'S',
    async run(probe) {
      const client = await probe.secured()
      for (const command of ['NOOP', 'RSET', 'HELP', 'VRFY x']) {
        const answer = await client.command(command)
        probe.should(answer.code !== 503, `${command}: ${answer.text}`)
      }
    },
  },
  {
    id: 'C09',
    statement: 'An unknown command is answered 500, and the connection stays',
    source: 'RFC 5321 3.8, 4.2.4',
    level: 'S',
    async run(probe) {
      const client = await probe.greeted()
      for (const verb of ['XYZZY', 'constructor', '']) {
        const answer = await client.command(verb)
        probe.must(answer.code === 500 || answer.code === 502, `${verb}: ${answer.text}`)
      }
      probe.expect(await client.command('NOOP'), [250], 'NOOP')
      // What does not even begin with a letter may be taken for an attack (section 7.8).
      const noVerb = await client.command('__proto__')
      probe.should(noVerb.code === 500 || noVerb.code === 502, noVerb.text)
    },
  },
  {
    id: 'C10',
    statement: 'A second EHLO forgets the transaction',
    source: 'RFC 5321 4.1.4',
    level: 'M',
    async run(probe) {
      const client = await probe.transaction()
      probe.expect(await client.command('EHLO client.example.org'), [250], 'EHLO')
      probe.expect(await client.command(`RCPT TO:<${probe.options.recipient}>`), [503], 'RCPT')
    },
  },
  {
    id: 'C11',
    statement: 'RSET is answered 250 and forgets the transaction',
    source: 'RFC 5321 4.1.1.5',
    level: 'M',
    async run(probe) {
      const client = await probe.transaction()
      probe.expect(await client.command('RSET'), [250], 'RSET')
      probe.expect(await client.command('DATA'), [503, 554], 'DATA')
      probe.expect(await client.command(`MAIL FROM:<${probe.options.sender}>`), [250], 'MAIL')
    },
  },
  {
    id: 'C12',
    statement: 'NOOP may have an argument; DATA, RSET and QUIT with one are answered 501',
    source: 'RFC 5321 4.1.1, 4.1.1.9',
    level: 'S',
    async run(probe) {
      const client = await probe.transaction()
      probe.expect(await client.command('NOOP with words'), [250], 'NOOP')
      for (const command of ['DATA now', 'RSET now', 'QUIT now']) {
        const answer = await client.command(command)
        probe.should(answer.code === 501, `${command}: ${answer.text}`)
      }
    },
  },
  {
    id: 'C13',
    statement: 'QUIT is answered 221; what is pipelined behind it is ignored',
    source: 'RFC 5321 4.1.1.10',
    level: 'M',
    async run(probe) {
      const client = await probe.greeted()
      await client.write('QUIT\r\nNOOP\r\nNOOP\r\n')
      probe.expect(await client.reply(), [221], 'QUIT')
      const rest = await client.closed()
      probe.must(rest === '', `answered behind QUIT: ${rest}`)
    },
  },
]
