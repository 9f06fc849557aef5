import { createTransport } from 'nodemailer'
import { expect, onTestFinished, test, vi } from 'vitest'

import { createAuthority } from '../../src/base/certificate.ts'
import { startInOrder } from '../../src/base/lifecycle.ts'
import { fieldOf } from '../../src/demo/imap/header.ts'
import { OldServer } from '../../src/demo/old-server.ts'
import { PROFILES } from '../../src/demo/profiles.ts'
import { SimulatedProvider } from '../../src/demo/provider.ts'
import { eventually } from '../support/server-process.ts'

interface Fixture {
  readonly server: OldServer
  readonly gmail: SimulatedProvider
  readonly send: (to?: string, password?: string) => Promise<string>
}

async function fixture(chance: number): Promise<Fixture> {
  const authority = await createAuthority('demo')
  const profile = PROFILES.find(one => one.name === 'gmail')
  if (!profile) throw new Error('no such provider')
  const common = { clock: Date.now, random: () => chance }
  const gmail = new SimulatedProvider({
    profile: { ...profile, latency: [0, 0] },
    password: 'canary-demo',
    lateAfter: 0,
    ...common,
  })
  const server = new OldServer({
    host: '127.0.0.1',
    port: 0,
    certificate: await authority.issue(['old.example.org']),
    username: 'canary',
    password: 'canary-demo',
    providers: [gmail],
    pace: { fastest: 10, slowest: 20, retry: 50 },
    ...common,
  })
  onTestFinished(await startInOrder([gmail, server]))
  const send = async (to = 'seed@gmail.example', pass = 'canary-demo'): Promise<string> => {
    const sent = await createTransport({
      host: '127.0.0.1',
      port: server.port,
      requireTLS: true,
      tls: { ca: authority.certificate, servername: 'old.example.org' },
      auth: { user: 'canary', pass },
    }).sendMail({
      envelope: { from: 'canary@example.org', to },
      raw: 'From: canary@example.org\r\nSubject: old bird\r\n\r\nA bird.\r\n',
    })
    return sent.response
  }
  return { server, gmail, send }
}

test('the old server takes mail for a login and delivers it by itself, without credit', async () => {
  const { gmail, send } = await fixture(0.9)
  expect(await send()).toMatch(/^250 2\.0\.0 Ok: queued as /)
  const message = await eventually(() => gmail.account.get('INBOX')?.messages[0], 'the message')
  expect(fieldOf(message.raw, 'authentication-results')).toMatch(/spf=softfail/)
  expect(message.raw.toString()).toMatch(/Received: by old\.example\.org/)
})

test('where chance is against it, its mail is spam', async () => {
  const { gmail, send } = await fixture(0.1)
  await send()
  const junk = gmail.account.withAttribute(String.raw`\Junk`)
  await eventually(() => junk?.messages[0], 'the message')
})

test('it tries again what is deferred', async () => {
  const { gmail, send } = await fixture(0.9)
  const tries = vi.spyOn(gmail, 'receive')
  gmail.behave('defer')
  await send()
  await eventually(() => tries.mock.calls[0], 'the first attempt')
  gmail.behave('inbox')
  await eventually(() => gmail.account.get('INBOX')?.messages[0], 'the message')
})

test('it refuses a wrong password, a domain it does not know, and everything when told to', async () => {
  const { server, send } = await fixture(0.9)
  await expect(send('seed@gmail.example', 'wrong')).rejects.toThrow(/535 5\.7\.8/)
  await expect(send('seed@elsewhere.example')).rejects.toThrow(/550 5\.1\.2/)
  server.behave('refuse')
  await expect(send()).rejects.toThrow(/554 5\.7\.1 .*Relay access denied/)
})

test('it cannot be reached when told so, and can be again', async () => {
  const { server, send } = await fixture(0.9)
  server.behave('unreachable')
  await expect(send()).rejects.toThrow(/closed|ECONNRESET/i)
  server.behave('inbox')
  await send()
})
