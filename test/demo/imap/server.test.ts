import { ImapFlow, type ImapFlowOptions } from 'imapflow'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import { createAuthority, type Authority } from '../../../src/base/certificate.ts'
import { Account } from '../../../src/demo/imap/account.ts'
import { GMAIL, HOTMAIL, PLAIN, YAHOO, type Quirks } from '../../../src/demo/imap/quirks.ts'
import { ImapServer } from '../../../src/demo/imap/server.ts'
import { eventually } from '../../support/server-process.ts'

let authority: Authority

beforeAll(async () => {
  authority = await createAuthority('demo')
})

interface Fixture {
  readonly server: ImapServer
  readonly account: Account
  readonly client: (more?: Partial<ImapFlowOptions>) => ImapFlow
  readonly login: () => Promise<ImapFlow>
}

async function simulated(quirks: Quirks): Promise<Fixture> {
  const account = new Account('seed@example.net', 'canary-demo', quirks.folders)
  const server = new ImapServer({
    host: '127.0.0.1',
    port: 0,
    certificate: await authority.issue(['imap.example.net']),
    quirks,
    accounts: [account],
    clock: Date.now,
  })
  await server.start()
  onTestFinished(() => server.stop())
  const client = (more: Partial<ImapFlowOptions> = {}): ImapFlow => {
    const flow = new ImapFlow({
      host: '127.0.0.1',
      port: server.port,
      secure: true,
      servername: 'imap.example.net',
      tls: { ca: authority.certificate },
      auth: { user: 'seed@example.net', pass: 'canary-demo' },
      logger: false,
      ...more,
    })
    flow.on('error', () => undefined)
    onTestFinished(() => flow.close())
    return flow
  }
  const login = async (): Promise<ImapFlow> => {
    const flow = client()
    await flow.connect()
    return flow
  }
  return { server, account, client, login }
}

function message(id: string): Buffer {
  return Buffer.from(
    `Received: from a by b;\r\n\tMon, 23 Nov 2026 10:00:00 +0000\r\nFrom: Canary <canary@example.org>\r\n` +
      `To: seed@example.net\r\nSubject: canary ${id}\r\nMessage-ID: <${id}@example.org>\r\n\r\nA bird.\r\n`,
  )
}

async function caught(promise: Promise<unknown>): Promise<Record<string, unknown>> {
  try {
    await promise
  } catch (error) {
    return error as Record<string, unknown>
  }
  throw new Error('no error')
}

const PROFILES = [GMAIL, HOTMAIL, YAHOO, PLAIN]

describe.each(PROFILES.map(quirks => [quirks.name, quirks] as const))('%s', (_, quirks) => {
  test('shows its junk folder by attribute in LIST', async () => {
    const { login } = await simulated(quirks)
    const flow = await login()
    const listed = await flow.list()
    const junk = listed.filter(entry => entry.flags.has(String.raw`\Junk`)).map(entry => entry.path)
    expect(junk).toStrictEqual(
      quirks.folders.filter(row => row.attributes.includes(String.raw`\Junk`)).map(row => row.name),
    )
    expect(listed.some(entry => entry.path.toUpperCase() === 'INBOX')).toBe(true)
  })

  test('gives what is new from a UID on, read only and without marking it', async () => {
    const { login, account } = await simulated(quirks)
    const inbox = account.get('INBOX')
    for (const id of ['one', 'two', 'three']) {
      inbox?.append({ raw: message(id), internalDate: Date.UTC(2026, 10, 23, 10, 0, 7, 900) })
    }
    const flow = await login()
    const opened = await flow.mailboxOpen('INBOX', { readOnly: true })
    expect(opened).toMatchObject({ exists: 3, uidNext: 4, readOnly: true })
    const found = await flow.fetchAll(
      '2:*',
      { uid: true, internalDate: true, headers: true, flags: true },
      { uid: true },
    )
    expect(found.map(one => one.uid)).toStrictEqual([2, 3])
    expect(String(found[0]?.headers)).toContain('Message-ID: <two@example.org>')
    expect(String(found[0]?.headers)).not.toContain('A bird')
    // INTERNALDATE has whole seconds.
    expect(new Date(found[0]?.internalDate ?? 0).getTime()).toBe(Date.UTC(2026, 10, 23, 10, 0, 7))
    expect(found[0]?.flags?.size).toBe(0)
  })

  test('tells of a new message by IDLE exactly where it advertises IDLE', async () => {
    const { login, account } = await simulated(quirks)
    const flow = await login()
    expect(flow.capabilities.has('IDLE')).toBe(quirks.name !== 'yahoo')
    await flow.mailboxOpen('INBOX', { readOnly: true })
    const seen: number[] = []
    flow.on('exists', (event: { count: number }) => seen.push(event.count))
    if (quirks.name === 'yahoo') {
      account.get('INBOX')?.append({ raw: message('news'), internalDate: 0 })
      await flow.noop()
    } else {
      const idling = flow.idle()
      await eventually(() => flow.idling || undefined, 'IDLE')
      account.get('INBOX')?.append({ raw: message('news'), internalDate: 0 })
      await eventually(() => seen[0], 'the push')
      await flow.noop()
      await idling
    }
    expect(seen).toStrictEqual([1])
  })

  test('deletes by UID what it is told to and nothing else', async () => {
    const { login, account } = await simulated(quirks)
    const inbox = account.get('INBOX')
    for (const id of ['one', 'two', 'three']) inbox?.append({ raw: message(id), internalDate: 0 })
    inbox?.messages[2]?.flags.add(String.raw`\Deleted`)
    const flow = await login()
    await flow.mailboxOpen('INBOX')
    expect(await flow.messageDelete('2', { uid: true })).toBe(true)
    expect(inbox?.messages.map(one => one.uid)).toStrictEqual([1, 3])
  })

  test('refuses a wrong password in its own words', async () => {
    const { client } = await simulated(quirks)
    const error = await caught(
      client({ auth: { user: 'seed@example.net', pass: 'wrong' } }).connect(),
    )
    expect(error).toMatchObject({
      authenticationFailed: true,
      serverResponseCode: 'AUTHENTICATIONFAILED',
    })
  })

  test('says UNAVAILABLE at login while it cannot be read, and is well afterwards', async () => {
    const { client, login, server } = await simulated(quirks)
    const open = await login()
    const closed = new Promise(resolve => open.once('close', () => resolve('closed')))
    server.suffer('unreadable')
    expect(await closed).toBe('closed')
    const error = await caught(client().connect())
    expect(error).toMatchObject({ serverResponseCode: 'UNAVAILABLE' })
    server.suffer('none')
    await login()
  })

  test('hangs up, or says nothing at all, when told to', async () => {
    const { client, server } = await simulated(quirks)
    server.suffer('drop')
    await caught(client().connect())
    server.suffer('hang')
    const hanging = client({ greetingTimeout: 300, socketTimeout: 300, connectionTimeout: 300 })
    await caught(hanging.connect())
  })

  test('turns away one connection too many', async () => {
    const { login, client } = await simulated({ ...quirks, connections: 2 })
    await login()
    await login()
    const error = await caught(client().connect())
    if (quirks.tooManyConnections.answer === 'bye') {
      // It said OK to the login: nothing here is about the password.
      expect(error['authenticationFailed']).toBeUndefined()
    } else {
      expect(['ALERT', 'LIMIT']).toContain(error['serverResponseCode'])
    }
  })
})
