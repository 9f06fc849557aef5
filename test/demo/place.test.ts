import { createTransport } from 'nodemailer'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import { createAuthority, type Authority } from '../../src/base/certificate.ts'
import { startInOrder } from '../../src/base/lifecycle.ts'
import { fieldOf } from '../../src/demo/imap/header.ts'
import type { Mailbox, StoredMessage } from '../../src/demo/imap/mailbox.ts'
import { openPlace, type Place } from '../../src/demo/place.ts'
import { PROFILES } from '../../src/demo/profiles.ts'
import { parseReply } from '../../src/mail/reply.ts'

let authority: Authority

beforeAll(async () => {
  authority = await createAuthority('demo')
})

async function place(name: string, lateAfter = 0): Promise<Place> {
  const profile = PROFILES.find(one => one.name === name)
  if (!profile) throw new Error('no such provider')
  const opened = await openPlace({
    // Filed at once: what is tested here is where.
    profile: { ...profile, latency: [0, 0] },
    host: '127.0.0.1',
    mxPort: 0,
    imapPort: 0,
    authority,
    provider: { password: 'canary-demo', clock: Date.now, random: () => 0.99, lateAfter },
  })
  onTestFinished(await startInOrder(opened.parts))
  return opened
}

interface Sending {
  readonly to?: string
  readonly from?: string
  readonly header?: string
}

async function send(to: Place, id: string, more: Sending = {}): Promise<string> {
  const transport = createTransport({
    host: '127.0.0.1',
    port: to.mx.port,
    name: 'relay.example.org',
    requireTLS: true,
    tls: { ca: authority.certificate, servername: to.profile.mxHost },
  })
  const sent = await transport.sendMail({
    envelope: {
      from: more.from ?? 'canary@example.org',
      to: more.to ?? to.provider.seedAddress,
    },
    raw:
      `${more.header ?? ''}Received: from laptop by relay.example.org;\r\n\tMon, 23 Nov 2026 10:00:00 +0000\r\n` +
      `From: Canary <canary@example.org>\r\nTo: ${to.provider.seedAddress}\r\nSubject: ${id}\r\n` +
      `Message-ID: <${id}@example.org>\r\n\r\nA bird.\r\n`,
  })
  return sent.response
}

async function failure(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    value => `no failure: ${String(value)}`,
    (error: unknown) => (error as { response?: string }).response ?? String(error),
  )
}

/** Resolves with the next message that the account files, and its folder. */
function nextFiled(at: Place): Promise<{ folder: Mailbox; message: StoredMessage }> {
  return new Promise(resolve => {
    for (const folder of at.provider.account.mailboxes) {
      const unwatch = folder.watch(() => {
        const message = folder.messages.at(-1)
        if (message) resolve({ folder, message })
      })
      onTestFinished(() => unwatch())
    }
  })
}

describe.each([
  ['gmail', 'INBOX', '[Gmail]/Spam', 'Listen'],
  ['hotmail', 'INBOX', 'Junk', 'Archive'],
  ['yahoo', 'Inbox', 'Bulk', 'Newsletters'],
  ['other', 'INBOX', 'Junk', 'Lists'],
])('%s', (name, inbox, junk, other) => {
  test('files mail where it is told to', async () => {
    const at = await place(name)
    const folders: string[] = []
    for (const behaviour of ['inbox', 'spam', 'other', 'late', 'unreadable'] as const) {
      at.behave(behaviour)
      const filed = nextFiled(at)
      await send(at, behaviour)
      const { folder, message } = await filed
      expect(fieldOf(message.raw, 'subject')).toBe(behaviour)
      folders.push(folder.name)
    }
    expect(folders).toStrictEqual([inbox, junk, other, inbox, inbox])
  })

  test('takes mail with 250 and loses it', async () => {
    const at = await place(name)
    at.behave('lose')
    expect(await send(at, 'lost')).toMatch(/^250 /)
    at.behave('inbox')
    const filed = nextFiled(at)
    await send(at, 'found')
    await filed
    const subjects = at.provider.account.mailboxes
      .filter(mailbox => !mailbox.attributes.includes(String.raw`\All`))
      .flatMap(mailbox => mailbox.messages.map(message => fieldOf(message.raw, 'subject')))
    expect(subjects).toStrictEqual(['found'])
  })

  test('defers and refuses with whole replies', async () => {
    const at = await place(name)
    at.behave('defer')
    expect(parseReply(await failure(send(at, 'deferred')))?.code).toBe(421)
    at.behave('refuse')
    expect(parseReply(await failure(send(at, 'refused')))?.code).toBeGreaterThanOrEqual(550)
    at.behave('inbox')
    expect(parseReply(await send(at, 'taken'))?.code).toBe(250)
  })

  test('writes its results above everything that came with the message', async () => {
    const at = await place(name)
    const filed = nextFiled(at)
    await send(at, 'results', {
      header: 'Authentication-Results: mx.gmail.example; spf=fail (forged)\r\n',
    })
    const header = (await filed).message.raw.toString('latin1')
    const ours = header.indexOf('by relay.example.org')
    const results = header.indexOf('Authentication-Results:')
    expect(results).toBeGreaterThanOrEqual(0)
    expect(results).toBeLessThan(ours)
    expect(header.slice(0, ours)).toMatch(/spf=pass/)
    expect(header.slice(0, ours)).toMatch(/dmarc=pass/)
    expect(fieldOf((await filed).message.raw, 'return-path')).toMatch(/canary@example\.org/)
    // Every line of what it wrote is a field or the continuation of one.
    for (const line of header.slice(0, ours).split('\r\n'))
      expect(line).toMatch(/^(?:[\w-]+:|[ \t])/)
  })
})

test.each([
  ['gmail', 'defer', /^421 4\.7\.28 Gmail has detected an unusual rate/],
  ['gmail', 'refuse', /^550 5\.7\.1 \[127\.0\.0\.1\] Gmail has detected/],
  ['hotmail', 'defer', /^421 RP-001 \(mx1\.hotmail\.example\)/],
  ['hotmail', 'refuse', /^550 5\.7\.1 Unfortunately, messages from \[127\.0\.0\.1\].*\(S3140\)/],
  ['yahoo', 'defer', /^421 4\.7\.0 \[TSS04\] Messages from 127\.0\.0\.1/],
  ['yahoo', 'refuse', /^553 5\.7\.2 \[TSS09\]/],
] as const)('%s knows how to %s in its own words', async (name, behaviour, words) => {
  const at = await place(name)
  at.behave(behaviour)
  expect(await failure(send(at, 'bird'))).toMatch(words)
})

test('a provider takes mail for its seed alone, in any case, and refuses others as it really does', async () => {
  const gmail = await place('gmail')
  expect(await failure(send(gmail, 'bird', { to: 'nobody@gmail.example' }))).toMatch(
    /^550 5\.1\.1 The email account that you tried to reach does not exist/,
  )
  expect(await failure(send(gmail, 'bird', { to: 'seed@yahoo.example' }))).toMatch(/^550 5\.1\.1/)
  expect(await send(gmail, 'bird', { to: 'SEED@Gmail.example' })).toMatch(/^250 2\.0\.0 OK/)
  const yahoo = await place('yahoo')
  expect(await failure(send(yahoo, 'bird', { to: 'nobody@yahoo.example' }))).toMatch(
    /^554 .*doesn't have a yahoo\.com account \(nobody@yahoo\.example\)/,
  )
})

test('a host that no SPF record names fails the checks, and gets into spam more often', async () => {
  const at = await place('gmail')
  const filed = nextFiled(at)
  const client = { name: 'old.example.org', address: '127.0.0.1', tls: '', permitted: false }
  const raw = Buffer.from('From: canary@example.org\r\nSubject: old\r\n\r\n')
  at.provider.receive({
    client,
    reversePath: 'canary@example.org',
    recipients: ['seed@gmail.example'],
    raw,
  })
  const { message, folder } = await filed
  // Chance was kind (0.99).
  expect(folder.name).toBe('INBOX')
  expect(fieldOf(message.raw, 'authentication-results')).toMatch(/spf=softfail .*dmarc=fail/)
})

test('Gmail shows in All Mail what is in the inbox, under the same name, and no spam', async () => {
  const at = await place('gmail')
  const filed = nextFiled(at)
  await send(at, 'bird', { header: 'List-Unsubscribe: <mailto:stop@example.org>\r\n' })
  const { message } = await filed
  expect(message.tab).toBe('promotions')
  const all = at.provider.account.withAttribute(String.raw`\All`)
  expect(all?.messages.map(({ gmailId, labels }) => [gmailId, labels])).toStrictEqual([
    [message.gmailId, [String.raw`\Inbox`]],
  ])
})
