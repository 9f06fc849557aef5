import { once } from 'node:events'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'

import type { Check, Probe } from '../check.ts'

/** TLS: section T. */
export const TLS: readonly Check[] = [
  {
    id: 'T01',
    statement: 'TLS from the first octet, or STARTTLS offered',
    source: 'RFC 8314 3.3, RFC 3207 3',
    level: 'M',
    async run(probe) {
      const client = await probe.plain()
      const offered = probe.extensions(await client.command('EHLO client.example.org'))
      const implicit = probe.options.endpoint.tls === 'implicit'
      probe.must(implicit || offered.has('STARTTLS'), 'STARTTLS is not offered')
    },
  },
  {
    id: 'T02',
    statement: 'STARTTLS with an argument is answered 501',
    source: 'RFC 3207 4',
    level: 'M',
    async run(probe) {
      needStartTls(probe)
      const client = await probe.plain()
      await client.command('EHLO client.example.org')
      probe.expect(await client.command('STARTTLS now'), [501], 'STARTTLS now')
      const nul = await client.command('STARTTLS\u0000')
      probe.should(nul.code >= 500, `STARTTLS with NUL: ${nul.text}`)
    },
  },
  {
    id: 'T03',
    statement: 'STARTTLS is neither offered nor taken within TLS',
    source: 'RFC 3207 4.2',
    level: 'MN',
    async run(probe) {
      const client = await probe.secured()
      const offered = probe.extensions(await client.command('EHLO client.example.org'))
      probe.must(!offered.has('STARTTLS'), 'offered')
      const answer = await client.command('STARTTLS')
      probe.must(answer.code >= 500, `taken: ${answer.text}`)
    },
  },
  {
    id: 'T04',
    statement: 'What is sent along with STARTTLS is never executed',
    source: 'RFC 3207 4.2',
    level: 'M',
    async run(probe) {
      needStartTls(probe)
      const mail = `EHLO injected.example\r\nMAIL FROM:<${probe.options.sender}>\r\n`
      for (const injected of ['NOOP\r\n', mail, 'NOOP', 'NOOP\r\n'.repeat(300)]) {
        for (const apart of [false, true]) await injectWithStartTls(probe, injected, apart)
      }
    },
  },
  {
    id: 'T05',
    statement: 'What was said before TLS is forgotten: MAIL and AUTH need a new EHLO',
    source: 'RFC 3207 4.2',
    level: 'M',
    async run(probe) {
      needStartTls(probe)
      const client = await probe.plain()
      await client.command('EHLO client.example.org')
      await client.startTls()
      const login = await client.logIn(probe.options.login, probe.options.password)
      probe.expect(login, [503, 235], 'AUTH')
      const answer = await client.command(`MAIL FROM:<${probe.options.sender}>`)
      probe.expect(answer, [503, 530, 250], 'MAIL')
      // Where nothing ever needs a greeting, none was remembered.
      probe.should(login.code === 503, `AUTH without EHLO: ${login.text}`)
      probe.should(answer.code !== 250, `MAIL without EHLO: ${answer.text}`)
    },
  },
  {
    id: 'T06',
    statement: 'TLS below 1.2 is refused',
    source: 'RFC 8996 4, 5, RFC 8997 3',
    level: 'MN',
    async run(probe) {
      for (const version of ['TLSv1', 'TLSv1.1'] as const) {
        const socket = await rawForTls(probe)
        const tls = connectTls({
          socket,
          rejectUnauthorized: false,
          minVersion: version,
          maxVersion: version,
          ciphers: 'DEFAULT:@SECLEVEL=0',
        })
        const reached = await once(tls, 'secureConnect').then(
          () => true,
          () => false,
        )
        tls.destroy()
        probe.must(!reached, `${version} is taken`)
      }
    },
  },
  {
    id: 'T07',
    statement: 'Without a certificate STARTTLS is answered 454',
    source: 'RFC 3207 4',
    level: 'p',
    run: probe => Promise.resolve().then(() => probe.inconclusive('has a certificate')),
  },
  {
    id: 'T08',
    statement: 'Before TLS all but NOOP, EHLO, STARTTLS and QUIT is answered 530',
    source: 'RFC 3207 4',
    level: 'S',
    async run(probe) {
      needStartTls(probe)
      const client = await probe.plain()
      await client.command('EHLO client.example.org')
      const mail = await client.command(`MAIL FROM:<${probe.options.sender}>`)
      probe.expect(mail, [530], 'MAIL')
      probe.expect(await client.command('NOOP'), [250], 'NOOP')
      for (const command of ['RCPT TO:<a@example.org>', 'DATA', 'VRFY x', 'RSET']) {
        const answer = await client.command(command)
        probe.should(answer.code === 530, `${command}: ${answer.text}`)
      }
      probe.expect(await client.command('QUIT'), [221], 'QUIT')
    },
  },
  {
    id: 'T09',
    statement:
      'Fifty STARTTLS in a row, a garbled handshake and half-open sockets leave the server alive',
    source: 'policy',
    level: 'p',
    async run(probe) {
      if (probe.options.endpoint.tls === 'starttls') {
        const nested = await probe.plain()
        await nested.write('STARTTLS\r\n'.repeat(50))
        const garbled = await probe.plain()
        await garbled.command('EHLO client.example.org')
        await garbled.command('STARTTLS')
        await garbled.write(Buffer.alloc(4_096, 0x16))
        const half = await probe.plain()
        await half.command('STARTTLS')
        half.end()
      } else {
        const garbled = connect(probe.options.endpoint)
        await once(garbled, 'connect')
        garbled.on('error', () => undefined)
        garbled.end(Buffer.alloc(4_096, 0x16))
      }
      probe.expect(await (await probe.greeted()).command('NOOP'), [250], 'NOOP of another client')
    },
  },
]

function needStartTls(probe: Probe): void {
  probe.need(probe.options.endpoint.tls === 'starttls', 'the port has no STARTTLS')
}

async function rawForTls(probe: Probe): ReturnType<typeof connectedSocket> {
  if (probe.options.endpoint.tls === 'implicit') return connectedSocket(probe)
  const client = await probe.plain()
  await client.command('EHLO client.example.org')
  const answer = await client.command('STARTTLS')
  probe.need(answer.code === 220, answer.text)
  client.socket.removeAllListeners('data')
  return client.socket
}

async function connectedSocket(probe: Probe): Promise<ReturnType<typeof connect>> {
  const socket = connect(probe.options.endpoint)
  await once(socket, 'connect')
  return socket
}

/** The server must either break the connection off, or answer what is said within TLS and nothing else. */
async function injectWithStartTls(probe: Probe, injected: string, apart: boolean): Promise<void> {
  const client = await probe.plain()
  await client.command('EHLO client.example.org')
  if (apart) {
    await client.write('STARTTLS\r\n')
    await client.write(injected)
  } else await client.write(`STARTTLS\r\n${injected}`)
  probe.expect(await client.reply(), [220], 'STARTTLS')
  probe.must(client.unread === '', `answered before TLS: ${client.unread}`)
  try {
    await client.handshake()
  } catch (error) {
    // Clear text in the middle of the handshake is the answer to what was injected.
    probe.must(
      !String(error).includes('wrong version number'),
      `answered before TLS: ${String(error)}`,
    )
    return
  }
  const ehlo = await client.command('EHLO client.example.org').catch(() => undefined)
  if (ehlo === undefined) return
  probe.must(ehlo.lines.length > 1, `answered within TLS what was sent before: ${ehlo.text}`)
  const next = await client.command('HELO client.example.org')
  probe.must(next.code === 250 && next.lines.length === 1, `one reply too many: ${next.text}`)
  probe.must((await client.command('DATA')).code >= 500, 'a transaction was open')
}
