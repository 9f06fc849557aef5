import { execFile } from 'node:child_process'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { Daemon } from '../support/daemon.ts'
import { startDnsmasq, type Dnsmasq } from '../support/dnsmasq.ts'
import { startDovecot, type Dovecot } from '../support/dovecot.ts'
import { ssha } from '../support/password.ts'
import { freePort } from '../support/ports.ts'
import { postfixNeedsRoot, startPostfix, type Postfix } from '../support/postfix.ts'
import { makeScratch } from '../support/scratch.ts'
import { eventually, missing } from '../support/server-process.ts'
import { RELAY_NAME, Site } from '../support/site.ts'
import { startSlapd, type Slapd } from '../support/slapd.ts'

const run = promisify(execFile)

/*
 * Everything real: slapd knows who may send, swaks, curl and Python submit, dnsmasq says where mail goes, one Postfix
 * keeps it, another hands it to Dovecot, and the prober reads Dovecot.
 */
const skip =
  missing('slapd', 'postfix', 'dovecot', 'dnsmasq', 'swaks', 'curl', 'python3') ??
  postfixNeedsRoot()

const PASSWORD = 'canary-demo'
const SIEVE = `require ["fileinto", "mailbox"];
if header :contains "To" "spam@" { fileinto "Junk"; stop; }
if header :contains "To" "other@" { fileinto :create "Newsletters"; stop; }
if header :contains "To" "lost@" { discard; stop; }
`

describe.skipIf(skip)('the whole path, between real servers', () => {
  let folder: string
  let site: Site
  let slapd: Slapd
  let dns: Dnsmasq
  let dovecot: Dovecot
  let keeper: Postfix
  let provider: Postfix

  beforeAll(async () => {
    folder = await makeScratch()
    site = await Site.create(folder)
    const people = ['alice', 'canary'].map(uid => ({ uid, mailPassword: ssha(PASSWORD) }))
    slapd = await startSlapd({ people })
    const users = ['inbox', 'spam', 'other', 'lost'].map(name => [`${name}@gmail.test`, PASSWORD])
    const home = await makeScratch()
    dovecot = await startDovecot({
      folder: home,
      name: 'imap.gmail.test',
      users: Object.fromEntries(users) as Record<string, string>,
      sieve: SIEVE,
    })
    const port = await freePort('127.0.0.41')
    const folders = [await makeScratch(), await makeScratch()] as const
    const mx1 = await site.certificates.issue('mx1.yahoo.test')
    keeper = await startPostfix(folders[0], {
      hostname: 'mx1.yahoo.test',
      domains: ['yahoo.test'],
      address: '127.0.0.41',
      port,
      tls: mx1,
    })
    provider = await startPostfix(folders[1], {
      hostname: 'mx1.gmail.test',
      domains: ['gmail.test'],
      address: '127.0.0.42',
      port,
      tls: await site.certificates.issue('mx1.gmail.test'),
      deliver: { lmtp: { host: dovecot.ip, port: dovecot.lmtpPort } },
    })
    dns = await startDnsmasq(folder, [
      'mx-host=yahoo.test,mx1.yahoo.test,5',
      'host-record=mx1.yahoo.test,127.0.0.41',
      'mx-host=gmail.test,mx1.gmail.test,5',
      'host-record=mx1.gmail.test,127.0.0.42',
    ])
    await writeFile(join(folder, 'ldap-ca.pem'), slapd.ca)
    await site.configure({
      directory: `  domains: [example.org]
  sync_every: 1s
  senders: {press@example.org: [alice]}
  ldap:
    url: ${slapd.ldapsUrl}
    ca: ${join(folder, 'ldap-ca.pem')}
    server_name: ldap.test
    bind_dn: ${slapd.bindDn}
    bind_password_file: ${await site.secret('ldap', slapd.bindPassword)}
    base: ${slapd.peopleDn}`,
      delivery: `  direct: {nameservers: ["${dns.server}"], port: ${port}, allow_loopback: true}`,
    })
    await writeFile(join(folder, 'probes.yaml'), await probes())
    await site.start('--probes', join(folder, 'probes.yaml'))
  })

  afterAll(async () => {
    await site.stop()
    await Promise.all([slapd.stop(), dns.stop(), dovecot.stop(), keeper.stop(), provider.stop()])
    await rm(folder, { recursive: true, force: true })
  })

  /** How swaks is told to log in over STARTTLS. */
  function swaks(login: string): string[] {
    const server = ['--server', '127.0.0.1', '--port', String(site.ports.submission), '--tls']
    return [...server, '--auth', 'PLAIN', '--auth-user', login, '--auth-password', PASSWORD]
  }

  async function probes(): Promise<string> {
    const password = await site.secret('canary', PASSWORD)
    await writeFile(join(folder, 'imap-ca.pem'), dovecot.ca)
    const seeds = ['inbox', 'spam', 'other', 'lost'].map(
      name => `  ${name}:
    provider: dovecot
    address: ${name}@gmail.test
    imap: {ca: ${join(folder, 'imap-ca.pem')}, server_name: imap.gmail.test}
    password_file: ${password}`,
    )
    return `state: ${site.state}
admin: {listen: "127.0.0.1:${site.ports.admin}"}
origins:
  relay:
    submission:
      {host: 127.0.0.1, port: ${site.ports.submissions}, server_name: ${RELAY_NAME}, ca: ${site.certificates.ca}, username: canary, password_file: ${password}}
    from: canary@example.org
    trace: local
seeds:
${seeds.join('\n')}
providers:
  dovecot: {imap_host: ${dovecot.ip}, imap_port: ${dovecot.imapsPort}, mx_suffixes: [.gmail.test]}
# Of those that are lost none is sent at the start: they are counted.
probes:
  - {name: all-folders, origins: [relay], seeds: [inbox, spam, other], every: 1d, deadline: 60s}
  - {name: losing, origins: [relay], seeds: [lost], cron: '0 0 29 2 *', deadline: 2s}
imap: {poll_every: 1s, retry_after: 1s}
`
  }

  const arrived = (subject: string): Promise<string> =>
    eventually(
      async () =>
        (await keeper.messages()).map(String).find(text => text.includes(`Subject: ${subject}\n`)),
      `${subject} in the mailbox of Postfix`,
    )

  test('a mail by swaks over STARTTLS arrives at Postfix, and through LMTP at Dovecot', async () => {
    const { stdout } = await run('swaks', [
      '--server',
      '127.0.0.1',
      '--port',
      String(site.ports.submission),
      '--tls',
      '--tls-ca-path',
      site.certificates.ca,
      '--auth',
      'PLAIN',
      '--auth-user',
      'alice',
      '--auth-password',
      PASSWORD,
      '--from',
      'alice@example.org',
      '--to',
      'bob@yahoo.test,inbox@gmail.test',
      '--header',
      'Subject: by swaks',
    ])
    expect(stdout).toMatch(/250 2\.0\.0 .*queued as [0-9A-Z]{16}/i)
    const text = await arrived('by swaks')
    const maildir = join(dovecot.mail, 'inbox@gmail.test', 'Maildir', 'new')
    await eventually(async () => {
      const names = await readdir(maildir).catch(() => [])
      const mails = await Promise.all(names.map(name => readFile(join(maildir, name), 'utf8')))
      return mails.find(mail => mail.includes('Subject: by swaks'))
    }, 'the same mail in the Maildir of Dovecot')
    expect(text).toContain('Return-Path: <alice@example.org>')
    // One Received of ours, with neither the client's address nor the login in it.
    expect(text.match(/^Received:/gm)).toHaveLength(2)
    expect(text.slice(text.lastIndexOf('Received:'), text.indexOf('\nDate:'))).not.toMatch(
      /127\.0\.0\.1|alice/,
    )
  })

  test('a mail by curl over implicit TLS arrives at Postfix', async () => {
    const file = join(folder, 'by-curl')
    await writeFile(
      file,
      'From: alice@example.org\r\nTo: bob@yahoo.test\r\nSubject: by curl\r\n\r\nHello\r\n',
    )
    await run('curl', [
      '--silent',
      '--show-error',
      '--cacert',
      site.certificates.ca,
      '--url',
      `smtps://localhost:${site.ports.submissions}`,
      '--user',
      `alice:${PASSWORD}`,
      '--mail-from',
      'alice@example.org',
      '--mail-rcpt',
      'bob@yahoo.test',
      '--upload-file',
      file,
    ])
    await arrived('by curl')
  })

  test('a mail by Python’s smtplib arrives at Postfix', async () => {
    const program = `
import smtplib, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[2])
with smtplib.SMTP('localhost', int(sys.argv[1])) as server:
    server.starttls(context=context)
    server.login('alice', '${PASSWORD}')
    server.sendmail('alice@example.org', ['bob@yahoo.test'],
        'From: Alice <alice@example.org>\\r\\nTo: bob@yahoo.test\\r\\nSubject: by smtplib\\r\\n\\r\\nHello\\r\\n')
`
    await run('python3', ['-c', program, String(site.ports.submission), site.certificates.ca])
    await arrived('by smtplib')
  })

  test('an address is for those to whom it was granted, and for nobody else', async () => {
    const send = (login: string): Promise<string> =>
      run('swaks', [
        ...swaks(login),
        '--from',
        'press@example.org',
        '--to',
        'bob@yahoo.test',
        '--header',
        `Subject: press by ${login}`,
      ]).then(
        ({ stdout }) => stdout,
        (error: { stdout: string }) => error.stdout,
      )
    expect(await send('alice')).toContain('250 2.0.0 queued as')
    expect(await send('canary')).toMatch(/550 5\.7\.1 .*canary@example\.org/)
    await arrived('press by alice')
  })

  test('canaries are seen in the inbox, in Junk by a Sieve rule, and in another folder', async () => {
    const { output, code } = await Daemon.run([
      'probe',
      'all-folders',
      '--probes',
      join(folder, 'probes.yaml'),
    ])
    expect(output).toMatch(/relay\/inbox {2}arrived in inbox after/)
    expect(output).toMatch(/relay\/spam {2}arrived in spam after/)
    expect(output).toMatch(/relay\/other {2}arrived in another folder after/)
    expect(output).toContain('taken by mx1.gmail.test: 250')
    expect(code).toBe(1)
  })

  test('one canary in the inbox is exit code 0', async () => {
    const probe = await Daemon.run(['probe', 'relay/inbox', '--state', site.state])
    expect(probe).toMatchObject({ code: 0 })
  })

  test('a canary that the provider takes and loses is missing, and the stage says so', async () => {
    const { output, code } = await Daemon.run(['probe', 'losing', '--state', site.state])
    expect(output).toContain('missing: not seen until the deadline, last stage provider-accepted')
    expect(code).toBe(1)
    expect(
      await site.metric('mailcanary_canaries_total', 'seed="lost",verdict="missing"'),
    ).toBeGreaterThan(0)
  })

  test('a mailbox that cannot be read gives unknown, never missing', async () => {
    const before = await site.metric('mailcanary_canaries_total', 'verdict="missing"')
    await dovecot.stop()
    try {
      const { output, code } = await Daemon.run(['probe', 'losing', '--state', site.state])
      expect(output).toContain('unknown: we could not see')
      expect(code).toBe(2)
      expect(await site.metric('mailcanary_canaries_total', 'verdict="missing"')).toBe(before)
    } finally {
      await dovecot.start()
    }
  })

  test('while LDAP is down every login goes on working', async () => {
    await slapd.stop()
    const failures = (): Promise<number> =>
      site.metric('mailcanary_directory_syncs_total', 'failed')
    await eventually(async () => ((await failures()) > 0 ? true : undefined), 'a failed sync')
    for (let i = 0; i < 20; i++) {
      await run('swaks', [
        '--server',
        '127.0.0.1',
        '--port',
        String(site.ports.submission),
        '--tls',
        '--auth',
        'LOGIN',
        '--auth-user',
        'alice',
        '--auth-password',
        PASSWORD,
        '--quit-after',
        'AUTH',
      ])
    }
    expect(await site.metric('mailcanary_relay_logins_total', 'result="refused"')).toBe(0)
    expect(await site.metric('mailcanary_relay_logins_total', 'result="unavailable"')).toBe(0)
  })

  test('started again without LDAP, the relay works from its snapshot', async () => {
    await site.stop()
    await site.start()
    await run('swaks', [
      '--server',
      '127.0.0.1',
      '--port',
      String(site.ports.submission),
      '--tls',
      '--auth',
      'PLAIN',
      '--auth-user',
      'alice',
      '--auth-password',
      PASSWORD,
      '--from',
      'alice@example.org',
      '--to',
      'bob@yahoo.test',
      '--header',
      'Subject: no LDAP at all',
    ])
    await arrived('no LDAP at all')
  })

  test('the metrics are what promtool wants them to be', async () => {
    const text = await (await fetch(`http://127.0.0.1:${site.ports.admin}/metrics`)).text()
    const check = run('promtool', ['check', 'metrics'])
    check.child.stdin?.end(text)
    const { stdout, stderr } = await check
    expect(stdout + stderr).toBe('')
  })

  test('neither a password nor an address is in what the daemon said', () => {
    const { said } = site
    expect(said).toContain('accepted')
    expect(said).not.toContain(PASSWORD)
    expect(said).not.toContain(slapd.bindPassword)
    expect(said).not.toMatch(/alice|bob@/)
  })
})
