import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'

import { describe, expect, it, onTestFinished } from 'vitest'

import { createAuthority } from '../../../src/base/certificate.ts'
import { ServerIdentities } from '../../../src/base/server-tls.ts'
import { WireClient, type Endpoint } from '../../conformance/wire-client.ts'
import { MESSAGE, run, submit } from './fixture.ts'

const authority = createAuthority('mailcanary test authority')

async function identities(...names: readonly string[]): Promise<ServerIdentities> {
  const [first, ...further] = await Promise.all(
    names.map(async name => (await authority).issue([name])),
  )
  if (first === undefined) throw new Error('no name')
  return new ServerIdentities([first, ...further])
}

/** A handshake with one listener, by a client that trusts our authority and no other. */
async function handshake(endpoint: Endpoint, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connectTcp(endpoint)
  await once(socket, 'connect')
  if (endpoint.tls === 'starttls') {
    for (const line of ['', 'EHLO client.example.org\r\n', 'STARTTLS\r\n']) {
      socket.write(line)
      await once(socket, 'data')
    }
  }
  const secure = connect({ socket, ca: (await authority).certificate, ...options })
  onTestFinished(() => void secure.destroy())
  await once(secure, 'secureConnect')
  return secure
}

const servername = (name: string): ConnectionOptions => ({ servername: name })

/** The name in the certificate that a client was shown. */
const shown = (socket: TLSSocket): string => String(socket.getPeerCertificate().subject.CN)

describe.each(['implicit', 'starttls'] as const)('TLS of the %s listener', tls => {
  it('shows the certificate of the name that the client asks for, and the first otherwise', async () => {
    const names = ['relay.example.org', 'smtp.example.net', '*.example.com']
    const { [tls]: endpoint } = await run({ identities: await identities(...names) })
    expect(shown(await handshake(endpoint, servername('smtp.example.net')))).toBe(names[1])
    expect(shown(await handshake(endpoint, servername('SMTP.Example.NET')))).toBe(names[1])
    expect(shown(await handshake(endpoint, servername('mail.example.com')))).toBe(names[2])
    expect(shown(await handshake(endpoint, servername('relay.example.org')))).toBe(names[0])
    const unchecked = { rejectUnauthorized: false }
    const other = await handshake(endpoint, { ...unchecked, servername: 'other.example.org' })
    expect(shown(other)).toBe(names[0])
    expect(shown(await handshake(endpoint, unchecked))).toBe(names[0])
  })

  it('shows a renewed certificate from the next handshake on, and sessions that are open go on', async () => {
    const {
      server,
      session,
      store,
      [tls]: endpoint,
    } = await run({
      identities: await identities('relay.example.org'),
    })
    const client = await session(endpoint)
    const before = await handshake(endpoint, servername('relay.example.org'))
    const renewed = await identities('relay.example.org', 'smtp.example.net')
    server.useIdentities(renewed)
    const after = await handshake(endpoint, servername('relay.example.org'))
    const fingerprint = (socket: TLSSocket): string => socket.getPeerCertificate().fingerprint256
    expect(fingerprint(after)).not.toBe(fingerprint(before))
    expect(shown(await handshake(endpoint, servername('smtp.example.net')))).toBe(
      'smtp.example.net',
    )
    expect(await submit(client)).toMatch(/^250 /)
    expect(store.only.body.toString()).toContain(MESSAGE)
  })

  it('takes only suites with forward secrecy and authenticated encryption', async () => {
    const { [tls]: endpoint } = await run({ identities: await identities('relay.example.org') })
    const only = (ciphers: string): ConnectionOptions => ({
      ...servername('relay.example.org'),
      maxVersion: 'TLSv1.2',
      ciphers,
    })
    const good = await handshake(endpoint, only('ECDHE-ECDSA-AES128-GCM-SHA256'))
    expect(good.getCipher().name).toBe('ECDHE-ECDSA-AES128-GCM-SHA256')
    for (const weak of ['ECDHE-ECDSA-AES256-SHA', 'ECDHE-ECDSA-AES128-SHA256', 'ALL:!ECDHE']) {
      await expect(handshake(endpoint, only(weak))).rejects.toThrow()
    }
  })

  it('does not renegotiate', async () => {
    const { [tls]: endpoint } = await run({ identities: await identities('relay.example.org') })
    const socket = await handshake(endpoint, {
      ...servername('relay.example.org'),
      maxVersion: 'TLSv1.2',
    })
    const refused = new Promise<string>(resolve => {
      socket.on('error', (error: Error) => resolve(error.message))
      socket.renegotiate({}, error => resolve(error?.message ?? 'renegotiated'))
    })
    expect(await refused).toMatch(/no.renegotiation/i)
  })

  it('lets a client take up a session again', async () => {
    const { [tls]: endpoint } = await run({ identities: await identities('relay.example.org') })
    const first = await handshake(endpoint, servername('relay.example.org'))
    first.resume()
    const [session] = (await once(first, 'session')) as [Buffer]
    const second = await handshake(endpoint, { ...servername('relay.example.org'), session })
    expect(second.isSessionReused()).toBe(true)
  })
})

describe('ServerIdentities', () => {
  it('refuses a key that is of another certificate, and what is none', async () => {
    const pair = await (await authority).issue(['relay.example.org'])
    const other = await (await authority).issue(['relay.example.org'])
    expect(() => new ServerIdentities([{ ...pair, key: other.key }])).toThrow(
      'certificate and key cannot be used: the key does not belong to the certificate',
    )
    expect(() => new ServerIdentities([{ ...pair, key: 'no key' }])).toThrow(/cannot be used/)
    expect(() => new ServerIdentities([pair, { certificate: '', key: '' }])).toThrow(
      /cannot be used/,
    )
  })
})

describe('STARTTLS', () => {
  // CVE-2011-0411 and its relatives: what comes with STARTTLS in clear text must not be taken for what came within TLS.
  it.each([
    ['a command', 'NOOP\r\n'],
    ['a login', 'AUTH PLAIN AGFsaWNlAGNhbmFyeS1kZW1v\r\n'],
    ['half a command, to be ended within TLS', 'MAIL FROM:<alice@example.org> SI'],
    [
      'a transaction',
      'EHLO x\r\nMAIL FROM:<alice@example.org>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n',
    ],
    ['another STARTTLS', 'STARTTLS\r\n'],
  ])('forgets %s that was sent along with it', async (_, injected) => {
    const { starttls, store, events } = await run()
    const client = await WireClient.connect(starttls)
    await client.reply()
    await client.command('EHLO client.example.org')
    await client.write(`STARTTLS\r\n${injected}`)
    expect((await client.reply()).code).toBe(220)
    expect(client.unread).toBe('')
    await client.handshake()
    const ehlo = await client.command('EHLO client.example.org')
    expect(ehlo.lines.length).toBeGreaterThan(1)
    // Not 503: nobody has logged in.
    expect((await client.command('DATA')).code).toBe(530)
    expect((await client.command('NOOP')).code).toBe(250)
    expect(client.unread).toBe('')
    expect(store.messages).toEqual([])
    expect(events.filter(({ kind }) => kind === 'login')).toEqual([])
  })
})
