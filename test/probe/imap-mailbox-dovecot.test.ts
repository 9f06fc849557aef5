import { execFileSync } from 'node:child_process'
import { chmod, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import { MINUTE } from '../../src/base/clock.ts'
import { Secret } from '../../src/base/secret.ts'
import { ImapMailbox, type ImapMailboxOptions } from '../../src/probe/imap-mailbox.ts'
import type { Reading } from '../../src/probe/mailbox.ts'
import { type Dovecot, startDovecot } from '../support/dovecot.ts'
import { makeScratch } from '../support/scratch.ts'
import { eventually, missing } from '../support/server-process.ts'
import { seedOf } from './world.ts'

const never = new AbortController().signal

/** A program that delivers one message: what is read waits for it. */
const DELIVER = `
import { createTransport } from 'nodemailer'
const { PORT: port, USER: user } = process.env
const lmtp = createTransport({ host: '127.0.0.1', port, lmtp: true, secure: false, ignoreTLS: true })
await lmtp.sendMail({ envelope: { from: '', to: [user] }, raw: 'Subject: second\\r\\n\\r\\nbody\\r\\n' })
`

describe.skipIf(missing('dovecot'))('a mailbox on a real IMAP server', () => {
  let scratch: string
  let dovecot: Dovecot
  const users = Array.from({ length: 16 }, (_, i) => `seed-${i}@mail.example.net`)
  let next = 0

  beforeAll(async () => {
    scratch = await makeScratch()
    dovecot = await startDovecot({
      folder: scratch,
      name: 'mail.example.net',
      users: Object.fromEntries(users.map(user => [user, 'canary-demo'])),
    })
  })
  afterAll(async () => {
    await dovecot.stop()
    await rm(scratch, { recursive: true, force: true })
  })

  /** A fresh account, and its mailbox. */
  function account(changes: Partial<ImapMailboxOptions> = {}): {
    readonly user: string
    readonly mailbox: ImapMailbox
    readonly maildir: string
  } {
    const user = users[next++] ?? ''
    const mailbox = new ImapMailbox({
      account: { ...seedOf(dovecot).imap, username: user },
      idle: true,
      ipv4Only: false,
      junkFolder: '',
      junkNames: [],
      retryAfter: { least: 20, most: 50 },
      clock: Date.now,
      random: Math.random,
      ...changes,
    })
    onTestFinished(() => mailbox.close())
    return { user, mailbox, maildir: join(dovecot.mail, user, 'Maildir') }
  }

  function subjects(reading: Reading): readonly string[] {
    return reading.messages.map(found => /^Subject: (.*)$/m.exec(found.header)?.[1]?.trim() ?? '')
  }

  test('what is new is found once, in INBOX and junk, and nothing is marked as read', async () => {
    const { user, mailbox, maildir } = account()
    await dovecot.deliver(user, 'Subject: one\r\n\r\nbody\r\n')
    await dovecot.deliver(user, 'Subject: two\r\nX-Spam: yes\r\n\r\nbody\r\n')
    const first = await mailbox.read([], 0, 'main', never)
    expect(first).toMatchObject({ complete: true, detail: '' })
    expect(subjects(first)).toEqual(['one', 'two'])
    expect(first.messages.map(found => found.placement)).toEqual(['inbox', 'spam'])
    expect(first.messages[0]?.header).not.toContain('body')

    const second = await mailbox.read(first.cursors, 0, 'main', never)
    expect(second).toMatchObject({ complete: true, messages: [] })
    await dovecot.deliver(user, 'Subject: three\r\n\r\nbody\r\n')
    expect(subjects(await mailbox.read(second.cursors, 0, 'main', never))).toEqual(['three'])

    // EXAMINE leaves even \Recent alone: a Maildir keeps in new/ what no SELECT has seen.
    expect(await readdir(join(maildir, 'new'))).toHaveLength(2)
    expect(await readdir(join(maildir, 'cur'))).toEqual([])
  })

  test('other folders are read when everything is to be read', async () => {
    const { user, mailbox } = account()
    await dovecot.deliver(user, 'Subject: filed\r\nX-Folder: other\r\n\r\nbody\r\n')
    expect(subjects(await mailbox.read([], 0, 'main', never))).toEqual([])
    const all = await mailbox.read([], 0, 'all', never)
    expect(all.messages.map(found => [found.folder, found.placement])).toEqual([
      ['Newsletters', 'other'],
    ])
  })

  test('another folder that cannot be opened makes nobody blind', async () => {
    const { user, mailbox, maildir } = account()
    await dovecot.deliver(user, 'Subject: filed\r\nX-Folder: other\r\n\r\nbody\r\n')
    await dovecot.deliver(user, 'Subject: one\r\n\r\nbody\r\n')
    await chmod(join(maildir, '.Newsletters'), 0)
    const reading = await mailbox.read([], 0, 'all', never)
    expect(reading).toMatchObject({ complete: true, detail: '' })
    expect(subjects(reading)).toEqual(['one'])
  })

  test('without a cursor what is old is passed over', async () => {
    const { user, mailbox } = account()
    await dovecot.deliver(user, 'Subject: old\r\n\r\nbody\r\n')
    const later = Date.now() + 2 * 60 * MINUTE
    const reading = await mailbox.read([], later, 'main', never)
    expect(reading).toMatchObject({ complete: true, messages: [] })
    expect(reading.cursors.find(cursor => cursor.folder === 'INBOX')?.uidNext).toBe(2)
  })

  test('a header section is cut at 64 KiB', async () => {
    const { user, mailbox } = account()
    const field = `X-Long: ${'x'.repeat(900)}\r\n`
    await dovecot.deliver(user, `Subject: long\r\n${field.repeat(200)}\r\nbody\r\n`)
    const reading = await mailbox.read([], 0, 'main', never)
    expect(reading.complete).toBe(true)
    expect(reading.messages[0]?.header).toHaveLength(64 * 1024)
  })

  test('after UIDVALIDITY has changed a look finds everything and is not complete, the next one is', async () => {
    const { user, mailbox, maildir } = account()
    await dovecot.deliver(user, 'Subject: before\r\n\r\nbody\r\n')
    const first = await mailbox.read([], 0, 'main', never)
    await mailbox.close()
    for (const file of await readdir(maildir)) {
      if (file.startsWith('dovecot')) await rm(join(maildir, file))
    }
    const uidlist = `3 V7 N1 G${'0123456789abcdef'.repeat(2)}\n`
    await writeFile(join(maildir, 'dovecot-uidlist'), uidlist)
    await dovecot.deliver(user, 'Subject: after\r\n\r\nbody\r\n')
    const changed = await eventually(async () => {
      const reading = await mailbox.read(first.cursors, Date.now(), 'main', never)
      return reading.blindness === undefined ? reading : undefined
    }, 'the next sign-in')
    expect(changed).toMatchObject({ complete: false, detail: 'UIDVALIDITY changed' })
    expect(subjects(changed).toSorted()).toEqual(['after', 'before'])
    expect(await mailbox.read(changed.cursors, 0, 'main', never)).toMatchObject({
      complete: true,
      messages: [],
    })
  })

  test('mail that comes while INBOX is being read is news: the server says so only once', async () => {
    const { user, mailbox } = account({
      // Asked between two commands of one reading, which goes on when this has delivered.
      wantsSource: () => {
        execFileSync(process.execPath, ['--input-type=module', '-e', DELIVER], {
          env: { ...process.env, PORT: String(dovecot.lmtpPort), USER: user },
        })
        return true
      },
    })
    await dovecot.deliver(user, 'Subject: first\r\n\r\nbody\r\n')
    const first = await mailbox.read([], 0, 'main', never)
    expect(subjects(first)).toEqual(['first'])
    await mailbox.waitForNews(10 * MINUTE, never)
    expect(subjects(await mailbox.read(first.cursors, 0, 'main', never))).toEqual(['second'])
  })

  test('new mail ends the wait for news', async () => {
    const { user, mailbox } = account()
    await mailbox.read([], 0, 'main', never)
    const news = mailbox.waitForNews(10 * MINUTE, never)
    await dovecot.deliver(user, 'Subject: news\r\n\r\nbody\r\n')
    await news
  })

  test('a server that hangs is noticed by our own deadline, and read again when it is back', async () => {
    const { user, mailbox } = account({ readWithin: 400 })
    await dovecot.deliver(user, 'Subject: one\r\n\r\nbody\r\n')
    const before = new Set(await dovecot.imapPids())
    const first = await mailbox.read([], 0, 'main', never)
    const own = (await dovecot.imapPids()).filter(pid => !before.has(pid))
    expect(own).toHaveLength(1)
    for (const pid of own) process.kill(pid, 'SIGSTOP')
    onTestFinished(() => own.forEach(pid => process.kill(pid, 'SIGKILL')))
    const blind = await mailbox.read(first.cursors, 0, 'main', never)
    expect(blind).toMatchObject({ complete: false, blindness: 'unreadable' })
    expect(blind.cursors).toEqual(first.cursors)
    await dovecot.deliver(user, 'Subject: two\r\n\r\nbody\r\n')
    const again = await eventually(async () => {
      const reading = await mailbox.read(first.cursors, 0, 'main', never)
      return reading.complete ? reading : undefined
    }, 'a reading that is complete')
    expect(subjects(again)).toEqual(['two'])
  })

  test('only what is named is deleted', async () => {
    const { user, mailbox } = account()
    for (const subject of ['one', 'two'])
      await dovecot.deliver(user, `Subject: ${subject}\r\n\r\nx\r\n`)
    const reading = await mailbox.read([], 0, 'main', never)
    const one = reading.messages[0]
    expect(await mailbox.remove('INBOX', 'another', [one?.uid ?? 0], never)).toBe(0)
    expect(await mailbox.remove('INBOX', one?.uidValidity ?? '', [one?.uid ?? 0], never)).toBe(1)
    expect(subjects(await mailbox.read([], 0, 'main', never))).toEqual(['two'])
  })

  test('a wrong password is a matter of signing in, and is not tried again at once', async () => {
    let signIns = 0
    const mailbox = new ImapMailbox({
      account: {
        ...seedOf(dovecot).imap,
        username: users[0] ?? '',
        credential: async () => {
          signIns++
          return { kind: 'password', password: new Secret('wrong') }
        },
      },
      idle: true,
      ipv4Only: false,
      junkFolder: '',
      junkNames: [],
      retryAfter: { least: MINUTE, most: 30 * MINUTE },
      clock: Date.now,
      random: Math.random,
    })
    const first = await mailbox.read([], 0, 'main', never)
    expect(first).toMatchObject({ complete: false, blindness: 'sign-in' })
    expect(first.detail).toContain('AUTHENTICATIONFAILED')
    const second = await mailbox.read([], 0, 'main', never)
    expect(second).toMatchObject({ complete: false, blindness: 'sign-in' })
    expect(second.detail).toMatch(/next sign-in in \d+m/)
    expect(signIns).toBe(1)
    expect(JSON.stringify([first, second])).not.toContain(users[0])
  })

  test('a certificate of another name is never trusted', async () => {
    const mailbox = new ImapMailbox({
      account: { ...seedOf(dovecot).imap, servername: 'other.example.net' },
      idle: true,
      ipv4Only: false,
      junkFolder: '',
      junkNames: [],
      retryAfter: { least: MINUTE, most: MINUTE },
      clock: Date.now,
      random: Math.random,
    })
    const reading = await mailbox.read([], 0, 'main', never)
    expect(reading).toMatchObject({ complete: false, blindness: 'unreadable' })
    expect(reading.detail).toContain('altnames')
  })

  test('a junk folder that is configured and does not exist is our fault, and INBOX is read', async () => {
    const { user, mailbox } = account({ junkFolder: 'Gone' })
    await dovecot.deliver(user, 'Subject: one\r\n\r\nbody\r\n')
    const reading = await mailbox.read([], 0, 'main', never)
    expect(reading).toMatchObject({ complete: false, blindness: 'no-junk-folder' })
    expect(subjects(reading)).toEqual(['one'])
  })
})
