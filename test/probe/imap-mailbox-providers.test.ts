import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import { type Authority, createAuthority } from '../../src/base/certificate.ts'
import { Secret } from '../../src/base/secret.ts'
import { Account } from '../../src/demo/imap/account.ts'
import {
  type Fault,
  GMAIL,
  HOTMAIL,
  PLAIN,
  type Quirks,
  YAHOO,
} from '../../src/demo/imap/quirks.ts'
import { ImapServer } from '../../src/demo/imap/server.ts'
import { MAX_MESSAGES } from '../../src/probe/imap-folder.ts'
import { ImapMailbox } from '../../src/probe/imap-mailbox.ts'
import { eventually } from '../support/server-process.ts'

const never = new AbortController().signal
let authority: Authority

beforeAll(async () => {
  authority = await createAuthority('test authority')
})

async function simulated(quirks: Quirks): Promise<{
  readonly server: ImapServer
  readonly account: Account
  readonly mailbox: ImapMailbox
}> {
  const account = new Account('seed@example.net', 'canary-demo', quirks.folders)
  const certificate = await authority.issue(['imap.example.net', '127.0.0.1'])
  const server = new ImapServer({
    host: '127.0.0.1',
    port: 0,
    certificate,
    quirks,
    accounts: [account],
    clock: Date.now,
  })
  await server.start()
  const mailbox = new ImapMailbox({
    account: {
      host: '127.0.0.1',
      port: server.port,
      ca: authority.certificate,
      servername: 'imap.example.net',
      username: 'seed@example.net',
      credential: async () => ({ kind: 'password', password: new Secret('canary-demo') }),
    },
    idle: true,
    ipv4Only: true,
    junkFolder: '',
    junkNames: [],
    retryAfter: { least: 10, most: 20 },
    readWithin: 700,
    clock: Date.now,
    random: Math.random,
  })
  onTestFinished(async () => {
    await mailbox.close()
    await server.stop()
  })
  return { server, account, mailbox }
}

function put(account: Account, folder: string, subject: string, tab = ''): void {
  const raw = Buffer.from(`Subject: ${subject}\r\n\r\nbody\r\n`)
  account.get(folder)?.append({ raw, internalDate: Date.now(), tab })
}

const PROVIDERS = [
  [GMAIL, '[Gmail]/Spam'],
  [HOTMAIL, 'Junk'],
  [YAHOO, 'Bulk'],
  [PLAIN, 'Junk'],
] as const

describe.each(PROVIDERS.map(([quirks, junk]) => [quirks.name, quirks, junk] as const))(
  'a mailbox at a provider like %s',
  (_, quirks, junk) => {
    test('INBOX and junk are read, and what is new is found once', async () => {
      const { account, mailbox } = await simulated(quirks)
      put(account, 'INBOX', 'one')
      put(account, junk, 'two')
      const first = await mailbox.read([], 0, 'main', never)
      expect(first).toMatchObject({ complete: true, detail: '' })
      expect(first.messages.map(found => found.placement)).toEqual(['inbox', 'spam'])
      const again = await mailbox.read(first.cursors, 0, 'main', never)
      expect(again).toMatchObject({ complete: true, messages: [] })
      put(account, junk, 'three')
      const third = await mailbox.read(again.cursors, 0, 'all', never)
      expect(third.messages.map(found => found.folder)).toEqual([junk])
      expect(account.mailboxes.flatMap(box => box.messages.flatMap(m => [...m.flags]))).toEqual([])
    })

    // What takes a deadline to notice is noticed in the same way everywhere.
    const slow: readonly Fault[] = quirks === PLAIN ? ['hang', 'throttled'] : []
    test.each<Fault>(['unreadable', 'drop', 'not-connected', 'limit', ...slow])(
      'when it fails by "%s" we are blind and lose nothing',
      async fault => {
        const { server, account, mailbox } = await simulated(quirks)
        const first = await mailbox.read([], 0, 'main', never)
        expect(first.complete).toBe(true)
        put(account, 'INBOX', 'one')
        server.suffer(fault)
        const blind = await mailbox.read(first.cursors, 0, 'main', never)
        expect(blind).toMatchObject({ complete: false, blindness: 'unreadable', messages: [] })
        expect(blind.detail).not.toBe('')
        expect(blind.cursors).toEqual(first.cursors)
        server.suffer('none')
        const seeing = await eventually(async () => {
          const reading = await mailbox.read(blind.cursors, 0, 'main', never)
          return reading.complete ? reading : undefined
        }, 'a complete reading')
        expect(seeing.messages).toHaveLength(1)
      },
    )
  },
)

test('Gmail’s tab is a label of INBOX, not a folder', async () => {
  const { account, mailbox } = await simulated(GMAIL)
  put(account, 'INBOX', 'one', 'promotions')
  put(account, 'INBOX', 'two')
  const reading = await mailbox.read([], 0, 'all', never)
  expect(reading.messages.map(found => [found.placement, found.tab])).toEqual([
    ['inbox', 'promotions'],
    ['inbox', undefined],
  ])
})

test('folders that were numbered anew are read again, and decide nothing', async () => {
  const { account, mailbox } = await simulated(PLAIN)
  put(account, 'INBOX', 'one')
  const first = await mailbox.read([], 0, 'main', never)
  account.get('INBOX')?.renumber()
  const changed = await mailbox.read(first.cursors, 0, 'main', never)
  expect(changed).toMatchObject({ complete: false, detail: 'UIDVALIDITY changed' })
  expect(changed.messages).toHaveLength(1)
})

test('a full folder is read in parts, and complete is only the last', async () => {
  const { account, mailbox } = await simulated(PLAIN)
  for (let i = 0; i < MAX_MESSAGES + 10; i++) put(account, 'INBOX', `number ${i}`)
  const first = await mailbox.read([], 0, 'main', never)
  expect(first).toMatchObject({ complete: false, detail: 'more to read' })
  expect(first.messages).toHaveLength(MAX_MESSAGES)
  const second = await mailbox.read(first.cursors, 0, 'main', never)
  expect(second.complete).toBe(true)
  expect(second.messages).toHaveLength(10)
})

test('a reading that is given up says so and leaves no connection', async () => {
  const { server, mailbox } = await simulated(PLAIN)
  server.suffer('hang')
  const stop = new AbortController()
  const reading = mailbox.read([], 0, 'main', stop.signal)
  stop.abort()
  expect(await reading).toMatchObject({ complete: false, blindness: 'prober-stopped' })
})

test('what Gmail shows in All Mail because it is in the inbox is no mail in another folder', async () => {
  const { account, mailbox } = await simulated(GMAIL)
  const show = (subject: string, labels: readonly string[]): void => {
    const raw = Buffer.from(`Subject: ${subject}\r\n\r\nbody\r\n`)
    account.get(GMAIL.allMail)?.append({ raw, internalDate: Date.now(), labels })
  }
  // It came between our looks at INBOX and at All Mail: the next look finds it where it is.
  show('in the inbox', [String.raw`\Inbox`])
  show('moved by a filter', ['Newsletters'])
  const { messages } = await mailbox.read([], 0, 'all', never)
  expect(messages.map(({ placement, header }) => [placement, header.trim()])).toEqual([
    ['other', 'Subject: moved by a filter'],
  ])
})

test('what is moved into junk while everything is read is seen, in one or the other', async () => {
  const { account, mailbox } = await simulated(PLAIN)
  const inbox = account.get('INBOX')
  const junk = account.get('Junk')
  if (!inbox || !junk) throw new Error('no such folder')
  put(account, 'INBOX', 'one')
  // UIDNEXT is the last that EXAMINE tells: junk has looked empty by then.
  const uidNext = junk.uidNext
  Object.defineProperty(junk, 'uidNext', {
    get: () => {
      if (inbox.messages.length > 0) {
        inbox.remove(new Set([1]))
        put(account, 'Junk', 'one')
      }
      return uidNext
    },
  })
  const { messages, complete } = await mailbox.read([], 0, 'all', never)
  expect(complete).toBe(true)
  expect(messages.map(({ placement }) => placement)).toContain('inbox')
})
