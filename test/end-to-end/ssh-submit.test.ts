import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { isId } from '../../src/base/id.ts'
import { Home, instructions } from '../support/mail-clients.ts'
import { postfixNeedsRoot, startPostfix, type Postfix } from '../support/postfix.ts'
import { makeScratch } from '../support/scratch.ts'
import { eventually, missing } from '../support/server-process.ts'
import { Site } from '../support/site.ts'
import { startSlapd, type Slapd } from '../support/slapd.ts'
import { ACCOUNT, finished, Sshd, sshdNeeds } from '../support/sshd.ts'

// Git looks for its commands beside its own folder, not on the PATH.
const GIT_SEND_EMAIL = '../lib/git-core/git-send-email'
const skip =
  missing('slapd', 'slapadd', 'ldapmodify', 'postfix', 'sshd', 'ssh', 'mutt', GIT_SEND_EMAIL) ??
  postfixNeedsRoot() ??
  sshdNeeds()

const MESSAGE = `From: Alice <alice@example.org>
To: bob@example.net
Bcc: secret@example.net
Subject: by key

Hello
.
..dots
`

const PATCH = `From 0123456789 Mon Sep 17 00:00:00 2001
From: Alice <alice@example.org>
Date: Mon, 23 Nov 2026 12:00:00 +0000
Subject: [PATCH] by git

---
 x | 1 +
`

describe.skipIf(skip)('submission with an SSH key', () => {
  let folder: string
  let socket: string
  let site: Site
  let slapd: Slapd
  let keeper: Postfix
  let sshd: Sshd

  beforeAll(async () => {
    folder = await makeScratch()
    socket = join(folder, 'run', 'submit.sock')
    site = await Site.create(folder)
    keeper = await startPostfix(await makeScratch(), { domains: ['example.net'] })
    sshd = await Sshd.start(folder, socket)
    const key = await sshd.key('alice')
    const shared = await sshd.key('shared')
    await sshd.key('stranger')
    slapd = await startSlapd({
      people: [
        // No password for mail at all: the key is enough.
        { uid: 'alice', attributes: { sshRSAAuthKey: key } },
        {
          uid: 'bob',
          mailPassword: '{SSHA}FXr60F00vGtdWWc3R2nJtFr2QIF0ZXN0c2FsdA==',
          attributes: { sshRSAAuthKey: [await sshd.key('bob', '-t', 'rsa', '-b', '2048'), shared] },
        },
        {
          uid: 'carol',
          attributes: {
            sshRSAAuthKey: [
              `command="/bin/sh" ${await sshd.key('options')}`,
              await sshd.key('weak', '-t', 'rsa', '-b', '1024'),
              shared,
            ],
          },
        },
      ],
    })
    await site.configure({
      directory: `  domains: [example.org]
  sync_every: 1s
  ldap:
    url: ${slapd.url}
    bind_dn: ${slapd.bindDn}
    bind_password_file: ${await site.secret('ldap', slapd.bindPassword)}
    base: ${slapd.peopleDn}`,
      delivery: `  smarthost: {host: ${keeper.address}, port: ${keeper.port}, tls: none}`,
      listen: `  ssh: {socket: ${socket}, group: ${ACCOUNT}}`,
      limits: `  per_login: {messages_per_hour: 4, over: hold}`,
    })
    await site.start()
  })

  afterAll(async () => {
    await sshd.stop()
    await site.stop()
    await slapd.stop()
    await keeper.stop()
    await rm(folder, { recursive: true, force: true })
  })

  function arrived(pattern: RegExp): Promise<string> {
    return eventually(
      async () => (await keeper.messages()).map(String).find(text => pattern.test(text)),
      `${pattern} at the next hop`,
    )
  }

  test('prints the queue id of what it submits as the owner of the key', async () => {
    const { code, stdout, stderr } = await sshd.ssh('alice', 'sendmail -t -oi', MESSAGE)
    expect(stderr).toBe('')
    expect(code).toBe(0)
    expect(isId(stdout.trim())).toBe(true)
    // The copy of the one who sees who else got it; the other is told so by its own server.
    const text = await arrived(/^Delivered-To: bob@[^]*by key/m)
    expect(text).toContain('\nHello\n.\n..dots\n')
    expect(text).toContain(`with ESMTPA id ${stdout.trim()};`)
    expect(text).not.toMatch(/secret|^Bcc/im)
  })

  test('is for this group only, and for no stranger', async () => {
    expect((await stat(socket)).mode & 0o777).toBe(0o660)
    const nobody = await finished(
      spawn('setpriv', [
        '--reuid=65534',
        '--regid=65534',
        '--clear-groups',
        process.execPath,
        'dist/main.js',
        'sendmail',
        '--as',
        'alice',
        '--socket',
        socket,
        'bob@example.net',
      ]),
      MESSAGE,
    )
    expect(nobody.code).toBe(77)
    expect(nobody.stderr).toContain('not in the group')
    expect(await sshd.ssh('stranger', 'sendmail -t', MESSAGE)).toMatchObject({ code: 255 })
  })

  test('knows no key with options, none that is weak, and none that two have', async () => {
    for (const key of ['options', 'weak', 'shared']) {
      expect(await sshd.ssh(key, 'sendmail -t', MESSAGE), key).toMatchObject({ code: 255 })
    }
    expect(await sshd.ssh('bob', 'sendmail --', '')).toMatchObject({ code: 64 })
  })

  test.each(['sendmail -t; id', 'sendmail --as bob -t', '/bin/sh -c sendmail'])(
    'runs nothing but a sendmail: %s',
    async command => {
      const { code, stdout, stderr } = await sshd.ssh('alice', command, MESSAGE)
      expect({ code, stdout }).toEqual({ code: 64, stdout: '' })
      expect(stderr).toMatch(/^sendmail: .+\n$/)
    },
  )

  test('opens no port and no terminal', async () => {
    const forward = spawn('ssh', [
      ...sshd.client('alice', '-N', '-o', 'ExitOnForwardFailure=yes', '-R', '0:127.0.0.1:22'),
    ])
    expect((await finished(forward)).code).toBe(255)
    const { stderr } = await finished(
      spawn('ssh', ['-tt', ...sshd.client('alice'), 'sendmail -t']),
      MESSAGE,
    )
    expect(stderr).toContain('PTY allocation request failed')
  })

  test('holds senders, recipients and content to what the submission port does', async () => {
    const foreign = MESSAGE.replace('alice@', 'bob@')
    expect(await sshd.ssh('alice', 'sendmail -t', foreign)).toMatchObject({
      code: 77,
      stderr:
        'sendmail: 550 5.7.1 Sender bob@example.org is not yours. You may send as alice@example.org\n',
    })
    expect(await sshd.ssh('alice', 'sendmail -t -f alice@example.org', foreign)).toMatchObject({
      code: 77,
      stderr:
        'sendmail: 550 5.7.1 From bob@example.org is not yours. You may send as alice@example.org\n',
    })
    expect(await sshd.ssh('alice', 'sendmail bob', MESSAGE)).toMatchObject({ code: 67 })
    expect(await sshd.ssh('alice', 'sendmail bob@nowhere', MESSAGE)).toMatchObject({ code: 68 })
    expect(await sshd.ssh('alice', 'sendmail -t', 'Subject: x\n\nnobody\n')).toMatchObject({
      code: 64,
    })
    const two = `From: alice@example.org\n${MESSAGE}`
    expect(await sshd.ssh('alice', 'sendmail -t', two)).toMatchObject({ code: 65 })
    const hostile = 'From: alice@example.org\rBcc: x@example.net\nTo: bob@example.net\n\n'
    expect(await sshd.ssh('alice', 'sendmail -t', hostile)).toMatchObject({ code: 65 })
  })

  test('takes text without a header, and knows who it is', async () => {
    const text = 'no header here\n.\nnot sent\n'
    expect((await sshd.ssh('alice', `sendmail -F "A. Lice" bob@example.net`, text)).code).toBe(0)
    const mail = await arrived(/no header here/)
    expect(mail).toMatch(/^From: "A. Lice" <alice@example.org>$/m)
    expect(mail).not.toContain('not sent')
  })

  test.each([
    ['With an SSH key', 'message.eml', MESSAGE.replace('by key', 'by hand'), /Subject: by hand/],
    ['With an SSH key: mutt', 'body.txt', 'Hello by mutt\n', /Hello by mutt/],
    ['With an SSH key: git send-email', '0001-x.patch', PATCH, /Subject: \[PATCH\] by git/],
  ])('works as docs/clients.md says: %s', async (section, file, text, pattern) => {
    const home = new Home(await mkdtemp(join(folder, 'home-')))
    const config = (await instructions('With an SSH key')).files.get('~/.ssh/config') ?? ''
    await home.write(
      '~/.ssh/config',
      config
        .replace('HostName relay.example.org', `HostName 127.0.0.1\nPort ${sshd.port}`)
        .replace('User submit', `User ${ACCOUNT}\nStrictHostKeyChecking no\nLogLevel ERROR`)
        .replace('~/.ssh/id_ed25519', sshd.keyFile('bob')),
    )
    const own = (said: string): string =>
      said
        .replaceAll('ssh submit', `ssh -F ${home.path('~/.ssh/config')} submit`)
        .replaceAll('alice@', 'bob@')
    const { files, command } = await instructions(section)
    for (const [path, content] of files) {
      if (path !== '~/.ssh/config') await home.write(path, own(content))
    }
    await home.write(`~/${file}`, own(text))
    expect(await home.run(own(command))).toMatchObject({ code: 0 })
    expect(await arrived(pattern)).toContain('<bob@example.org>')
  })

  test('sends no half of a message whose sender has gone', async () => {
    const taken = await site.metric('mailcanary_relay_messages_total', 'accepted')
    const refused = await site.metric('mailcanary_relay_logins_total', 'accepted')
    const child = spawn('ssh', [...sshd.client('bob'), 'sendmail -t -i'])
    child.stdin.write('From: bob@example.org\nTo: x@example.net\nSubject: half\n\nhalf a mes')
    await eventually(
      async () =>
        (await site.metric('mailcanary_relay_logins_total', 'accepted')) > refused
          ? true
          : undefined,
      'the login',
    )
    child.kill('SIGKILL')
    await once(child, 'close')
    // What comes after it on the same relay is a moment in which it would have been taken.
    const whole = 'From: bob@example.org\nTo: x@example.net\nSubject: whole\n\nwhole\n'
    expect((await sshd.ssh('bob', 'sendmail -t', whole)).code).toBe(0)
    expect(await site.metric('mailcanary_relay_messages_total', 'accepted')).toBe(taken + 1)
  })

  test('has the limits of the login: what is over is held, and has its id all the same', async () => {
    const before = await site.metric('mailcanary_relay_queue_messages', 'state="held"')
    for (let i = 0; i < 3; i++) {
      const answer = await sshd.ssh('alice', 'sendmail -t', MESSAGE)
      expect(answer.code).toBe(0)
      expect(isId(answer.stdout.trim())).toBe(true)
    }
    expect(await site.metric('mailcanary_relay_queue_messages', 'state="held"')).toBeGreaterThan(
      before,
    )
  })

  test('refuses a login that was locked, also on a connection of before', async () => {
    const control = join(folder, 'control')
    const master = spawn('ssh', [...sshd.client('alice', '-M', '-N', '-S', control)])
    await eventually(
      () =>
        stat(control).then(
          () => true,
          () => undefined,
        ),
      'a shared connection',
    )
    const again = (input: string) =>
      finished(spawn('ssh', [...sshd.client('alice', '-S', control), 'sendmail -t']), input)
    expect((await again(MESSAGE)).code).toBe(0)
    slapd.modify(
      `dn: uid=alice,${slapd.peopleDn}\nchangetype: modify\nadd: shadowExpire\nshadowExpire: 1\n`,
    )
    const locked = await eventually(async () => {
      const answer = await again(MESSAGE)
      return answer.code === 0 ? undefined : answer
    }, 'the lock to be seen')
    expect(locked).toMatchObject({
      code: 77,
      stdout: '',
      stderr: 'sendmail: 535 5.7.8 This login is locked, or unknown in the directory\n',
    })
    expect(await sshd.ssh('alice', 'sendmail -t', MESSAGE)).toMatchObject({ code: 255 })
    // What is away is no refusal.
    await site.stop()
    const away = await again(MESSAGE)
    expect(away.code).toBe(75)
    expect(away.stderr).toContain('does not run')
    // Not by a signal: where it comes just before ssh waits for its sockets, ssh waits on.
    const closed = once(master, 'close')
    await finished(spawn('ssh', sshd.client('alice', '-S', control, '-O', 'exit')))
    await closed
  })
})
