import type { Check, Probe } from '../check.ts'

/** The exchange of AUTH: the first part of section A. */
export const AUTH: readonly Check[] = [
  {
    id: 'A01',
    statement: 'AUTH is not offered in clear text',
    source: 'RFC 4954 4, 6',
    level: 'SN',
    async run(probe) {
      needClearText(probe)
      const client = await probe.plain()
      const offered = probe.extensions(await client.command('EHLO client.example.org'))
      // A client that sees it may send the password before anybody can tell it not to.
      probe.must(!offered.has('AUTH'), `AUTH ${offered.get('AUTH')}`)
    },
  },
  {
    id: 'A02',
    statement: 'AUTH PLAIN before TLS is answered 538 5.7.11, the password not looked at',
    source: 'RFC 4954 6',
    level: 'S',
    async run(probe) {
      needClearText(probe)
      const client = await probe.plain()
      await client.command('EHLO client.example.org')
      const { login, password } = probe.options
      const right = await client.logIn(login, password)
      probe.expect(right, [538, 504, 530], 'right password')
      probe.expect(await client.logIn(login, 'x'), [right.code], 'wrong password')
      probe.should(right.text.startsWith('538 5.7.11 '), right.text)
    },
  },
  {
    id: 'A03',
    statement: 'PLAIN is offered within TLS',
    source: 'RFC 4954 4',
    level: 'M',
    async run(probe) {
      const client = await probe.secured()
      const offered = probe.extensions(await client.command('EHLO client.example.org'))
      probe.must(offered.get('AUTH')?.split(' ').includes('PLAIN') === true, 'not offered')
    },
  },
  {
    id: 'A04',
    statement: 'An unknown mechanism is answered 504 5.5.4',
    source: 'RFC 4954 4',
    level: 'M',
    async run(probe) {
      const client = await probe.greeted()
      for (const mechanism of ['XYZZY', 'constructor', '__proto__']) {
        probe.expect(await client.command(`AUTH ${mechanism}`), [504], mechanism)
      }
      const answer = await client.command('AUTH XYZZY')
      probe.should(answer.text.startsWith('504 5.5.4'), answer.text)
    },
  },
  {
    id: 'A05',
    statement: 'An empty challenge is "334 " with its blank',
    source: 'RFC 4954 4',
    level: 'M',
    async run(probe) {
      const client = await probe.greeted()
      const challenge = await client.command('AUTH PLAIN')
      probe.must(challenge.text === '334 ', JSON.stringify(challenge.text))
    },
  },
  {
    id: 'A06',
    statement: '"*" ends the exchange with 501',
    source: 'RFC 4954 4',
    level: 'M',
    async run(probe) {
      const client = await probe.greeted()
      await client.command('AUTH PLAIN')
      probe.expect(await client.command('*'), [501], '*')
      await client.command('AUTH LOGIN')
      probe.expect(await client.command('*'), [501], '* for the user')
      probe.expect(await client.command('NOOP'), [250], 'NOOP')
    },
  },
  {
    id: 'A07',
    statement: 'What is not base64 by the letter is answered 501',
    source: 'RFC 4954 4',
    level: 'M',
    async run(probe) {
      const { login, password } = probe.options
      const tokens = ['', login].map(zid =>
        Buffer.from(`${zid}\0${login}\0${password}`).toString('base64'),
      )
      const token = tokens.find(text => text.endsWith('=')) ?? tokens[0] ?? ''
      const bad = [
        `${token.slice(0, 8)}!${token.slice(8)}`,
        `${token.slice(0, 8)}${token.slice(8)}=`,
        `${token}AAAA=AAAA`,
        ...(token.endsWith('=') ? [token.replace(/=+$/, ''), `${token}QUJD`] : []),
      ]
      for (const text of bad) {
        for (const initial of [true, false]) {
          const client = await probe.greeted()
          if (!initial) await client.command('AUTH PLAIN')
          const answer = await client.command(initial ? `AUTH PLAIN ${text}` : text)
          probe.expect(
            answer,
            [501],
            `${initial ? 'initial response' : 'response'} ${bad.indexOf(text)}`,
          )
          client.destroy()
        }
      }
    },
  },
  {
    id: 'A08',
    statement: 'The initial response "=" is the empty string',
    source: 'RFC 4954 4',
    level: 'M',
    async run(probe) {
      const client = await probe.greeted()
      const answer = await client.command('AUTH PLAIN =')
      probe.must(answer.code !== 334, 'asks for what it was given')
      probe.must(answer.code >= 500, answer.text)
      probe.expect(await client.command('NOOP'), [250], 'NOOP')
    },
  },
  {
    id: 'A09',
    statement:
      'A response as long as PLAIN can be is taken, and one of 12,288 octets; a longer one is answered 500 5.5.6',
    source: 'RFC 4954 4',
    level: 'M',
    async run(probe) {
      const client = await probe.greeted()
      // RFC 4616 section 2: three strings of at most 255 octets.
      const longest = Buffer.from(['a', 'b', 'c'].map(c => c.repeat(255)).join('\0'))
      await client.command('AUTH PLAIN')
      const plain = await client.command(longest.toString('base64'))
      probe.must(plain.code !== 500 && plain.code !== 421, `the longest of PLAIN: ${plain.text}`)
      await client.command('AUTH PLAIN')
      const taken = await client.command(Buffer.alloc(12_288, 'AAAA'))
      probe.must(taken.code !== 421, `12,288: ${taken.text}`)
      await client.command('AUTH PLAIN')
      const longer = await client.command(Buffer.alloc(24_000, 'AAAA')).catch(() => undefined)
      probe.must(longer !== undefined, 'closed for a longer one')
      probe.must(longer?.code === 500, `24,000: ${longer?.text}`)
      const usable = await client.command('NOOP').catch(() => undefined)
      probe.must(usable?.code === 250, 'unusable afterwards')
      probe.should(longer?.text.startsWith('500 5.5.6') === true, longer?.text ?? '')
      // "Considered to be sufficient" in section 4 is no demand on one that has no long mechanism.
      probe.should(taken.code !== 500, `12,288: ${taken.text}`)
    },
  },
  {
    id: 'A10',
    statement: 'Wrong passwords and unknown logins are answered 535 5.7.8, both alike',
    source: 'RFC 4954 6',
    level: 'S',
    async run(probe) {
      const client = await probe.greeted()
      const wrong = await client.logIn(probe.options.login, 'not-the-password')
      const unknown = await client.logIn('nobody-at-all', 'not-the-password')
      probe.expect(wrong, [535], 'wrong password')
      probe.must(wrong.text === unknown.text, `tells them apart: ${unknown.text}`)
      probe.should(wrong.text.startsWith('535 5.7.8 '), wrong.text)
    },
  },
  {
    id: 'A11',
    statement: 'A second AUTH is answered 503',
    source: 'RFC 4954 4',
    level: 'M',
    async run(probe) {
      const client = await probe.session()
      const { login, password } = probe.options
      probe.expect(await client.logIn(login, password), [503], 'second AUTH')
      probe.expect(await client.command('AUTH PLAIN'), [503], 'AUTH without response')
    },
  },
  {
    id: 'A12',
    statement: 'AUTH within a transaction is answered 503',
    source: 'RFC 4954 4',
    level: 'M',
    async run(probe) {
      const client = await probe.greeted()
      const mail = await client.command(`MAIL FROM:<${probe.options.sender}>`)
      // Where mail needs a login the only transaction there is belongs to one that has come.
      const open = mail.code === 250 ? client : await probe.transaction()
      probe.expect(await open.command('AUTH PLAIN'), [503], 'AUTH')
    },
  },
  {
    id: 'A13',
    statement:
      'Without a login MAIL, RCPT, DATA and VRFY are answered 530 5.7.0; NOOP, RSET and QUIT work',
    source: 'RFC 6409 4.3, RFC 4954 6',
    level: 'M',
    async run(probe) {
      const client = await probe.greeted()
      const mail = await client.command(`MAIL FROM:<${probe.options.sender}>`)
      const rcpt = await client.command('RCPT TO:<a@example.org>')
      probe.must(rcpt.code >= 500, `RCPT: ${rcpt.text}`)
      probe.must(mail.code >= 500, `refuses RCPT, but not MAIL: ${mail.text}`)
      probe.expect(await client.command('DATA'), [530, 503], 'DATA')
      probe.expect(await client.command('NOOP'), [250], 'NOOP')
      probe.expect(await client.command('RSET'), [250], 'RSET')
      const vrfy = await client.command('VRFY x')
      probe.should(vrfy.code === 530, `VRFY: ${vrfy.text}`)
      probe.should(mail.text.startsWith('530 5.7.0 '), mail.text)
      probe.expect(await client.command('QUIT'), [221], 'QUIT')
    },
  },
]

function needClearText(probe: Probe): void {
  probe.need(probe.options.endpoint.tls === 'starttls', 'the port knows no clear text')
}
