import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { Status } from '../../src/web/browser/status-data.ts'
import { WireClient } from '../conformance/wire-client.ts'
import { Daemon } from '../support/daemon.ts'
import { startDovecot, type Dovecot } from '../support/dovecot.ts'
import { ssha } from '../support/password.ts'
import { postfixNeedsRoot, startPostfix, type Postfix } from '../support/postfix.ts'
import { makeScratch } from '../support/scratch.ts'
import { eventually, missing } from '../support/server-process.ts'
import { RELAY_NAME, Site } from '../support/site.ts'
import { addPerson, startSlapd, type Slapd } from '../support/slapd.ts'

const PASSWORD = 'canary-demo'
const skip = missing('slapd', 'postfix', 'dovecot') ?? postfixNeedsRoot()

/*
 * What has changed in the files is taken by a daemon that runs: over the built program, with a session that is open all the
 * while, a canary on its way, and a directory by LDAP.
 */
describe.skipIf(skip)('the configuration read again', () => {
  let folder: string
  let home: string
  let site: Site
  let slapd: Slapd
  let dovecot: Dovecot
  let provider: Postfix
  let probesFile: string
  let bindPassword: string
  /** Logged in before the first test, and never again. */
  let session: WireClient
  let retry = '15m'

  beforeAll(async () => {
    folder = await makeScratch()
    home = await makeScratch()
    site = await Site.create(folder)
    probesFile = join(folder, 'probes.yaml')
    slapd = await startSlapd({
      people: ['alice', 'canary'].map(uid => ({ uid, mailPassword: ssha(PASSWORD) })),
    })
    dovecot = await startDovecot({
      folder: home,
      name: 'imap.gmail.test',
      users: { 'one@gmail.test': PASSWORD, 'two@gmail.test': PASSWORD },
    })
    provider = await startPostfix(folder, {
      domains: ['gmail.test'],
      deliver: { lmtp: { host: dovecot.ip, port: dovecot.lmtpPort } },
    })
    await writeFile(join(folder, 'ldap-ca.pem'), slapd.ca)
    await writeFile(join(folder, 'imap-ca.pem'), dovecot.ca)
    bindPassword = await site.secret('ldap', slapd.bindPassword)
    await configure()
    await writeFile(probesFile, await probes(['one']))
    await site.start('--probes', probesFile)
    session = await loggedIn('alice')
  })

  afterAll(async () => {
    await site.stop()
    await Promise.all([slapd.stop(), dovecot.stop(), provider.stop()])
    await Promise.all([folder, home].map(path => rm(path, { recursive: true, force: true })))
  })

  function configure(more = ''): Promise<void> {
    return site.configure({
      directory: `  domains: [example.org]
  sync_every: 1h
${more}  ldap:
    url: ${slapd.ldapsUrl}
    ca: ${join(folder, 'ldap-ca.pem')}
    server_name: ldap.test
    bind_dn: ${slapd.bindDn}
    bind_password_file: ${bindPassword}
    base: ${slapd.peopleDn}`,
      delivery: `  retry: [${retry}]
  smarthost: {host: ${provider.address}, port: ${provider.port}, tls: none}`,
    })
  }

  async function probes(seeds: readonly string[], origin = 'relay'): Promise<string> {
    const password = await site.secret('canary', PASSWORD)
    const rows = seeds.map(
      name => `  ${name}:
    provider: dovecot
    address: ${name}@gmail.test
    imap: {ca: ${join(folder, 'imap-ca.pem')}, server_name: imap.gmail.test}
    password_file: ${password}`,
    )
    return `state: ${site.state}
admin: {listen: "127.0.0.1:${site.ports.admin}"}
origins:
  ${origin}:
    submission:
      {host: 127.0.0.1, port: ${site.ports.submissions}, server_name: ${RELAY_NAME}, ca: ${site.certificates.ca}, username: canary, password_file: ${password}}
    from: canary@example.org
    trace: local
seeds:
${rows.join('\n')}
providers:
  dovecot: {imap_host: ${dovecot.ip}, imap_port: ${dovecot.imapsPort}, mx_suffixes: [.gmail.test]}
probes:
  - {name: everyone, origins: [${origin}], seeds: [${seeds.join(', ')}], cron: "0 0 1 1 *", deadline: 60s}
imap: {poll_every: 1s, retry_after: 1s}
`
  }

  async function loggedIn(login: string): Promise<WireClient> {
    const { submissions: port } = site.ports
    const client = await WireClient.greeted({ host: '127.0.0.1', port, tls: 'implicit' })
    expect((await client.logIn(login, PASSWORD)).code).toBe(235)
    return client
  }

  const reload = (): ReturnType<typeof Daemon.run> =>
    Daemon.run(['reload', '--relay', site.relayFile, '--probes', probesFile])

  const queue = (...words: string[]): ReturnType<typeof Daemon.run> =>
    Daemon.run(['queue', ...words, '--state', site.state])

  async function metrics(name: string): Promise<string[]> {
    const text = await (await fetch(`http://127.0.0.1:${site.ports.admin}/metrics`)).text()
    return text.split('\n').filter(line => line.startsWith(name))
  }

  async function page(): Promise<Status> {
    const url = `http://127.0.0.1:${site.ports.admin}/api/status?range=15m`
    return (await (await fetch(url)).json()) as Status
  }

  test('without a change there is nothing to take', async () => {
    expect(await reload()).toMatchObject({
      code: 0,
      output: 'nothing has changed in the configuration',
    })
  })

  test('another set of seeds and origins: a canary on its way keeps its verdict, page and metrics follow', async () => {
    const up = 'mailcanary_seed_up{provider="dovecot",seed="two"}'
    expect(await metrics(up)).toEqual([])
    await queue('hold', '--domain', 'gmail.test', '--yes')
    const watched = Daemon.start(['probe', 'relay/one', '--state', site.state])
    await watched.line(/accepted by the origin as/)

    await writeFile(probesFile, await probes(['one', 'two']))
    site.daemon?.signal('SIGHUP')
    await site.daemon?.line(/probes\.yaml: seeds\.two, probes changed: taken/)
    await watched.ended

    await eventually(async () => ((await metrics(up))[0] === `${up} 1` ? true : undefined), up)
    expect((await page()).seeds.map(({ seed }) => seed)).toEqual(['one', 'two'])
    await queue('release', '--domain', 'gmail.test', '--yes')
    const inbox =
      'mailcanary_canaries_total{origin="relay",provider="dovecot",seed="one",verdict="inbox"}'
    await eventually(
      async () => ((await metrics(inbox))[0] === `${inbox} 1` ? true : undefined),
      'the verdict of the canary that was on its way',
    )
    expect(await Daemon.run(['probe', 'relay/two', '--state', site.state])).toMatchObject({
      code: 0,
    })
    expect(await metrics(inbox)).toEqual([`${inbox} 1`])
  })

  test('what was taken out is in no metric and in no list, and what stays keeps its numbers', async () => {
    await writeFile(probesFile, await probes(['two'], 'mx'))
    expect(await reload()).toMatchObject({ code: 0 })
    const series = (await metrics('mailcanary_')).join('\n')
    expect(series).not.toMatch(/seed="one"|origin="relay"/)
    expect(series).toContain('mailcanary_canaries_total{origin="mx",provider="dovecot",seed="two"')
    expect(series).toContain('mailcanary_detector_alarm{origin="mx",provider="dovecot"')
    expect((await page()).seeds.map(({ seed }) => seed)).toEqual(['two'])
    const { output } = await Daemon.run(['probe', 'list', '--state', site.state])
    expect(output).toContain('mx/two')
    expect(output).not.toContain('relay/')
  })

  test('a wrong file changes nothing, and all that is wrong is in the log and at the terminal', async () => {
    const right = await readFile(probesFile, 'utf8')
    await writeFile(
      probesFile,
      right.replace('deadline: 60s', 'deadline: soon').replace('[two]', '[three]'),
    )
    site.daemon?.signal('SIGHUP')
    await site.daemon?.line(/the configuration is wrong, and the one in force stays:/)
    await site.daemon?.line(/probes\.yaml:\d+:\d+: probes\.0\.deadline: /)
    const told = await reload()
    expect(told.code).toBe(1)
    expect(told.output).toMatch(/probes\.yaml:\d+:\d+: probes\.0\.deadline: /)
    expect(await metrics('mailcanary_config_last_reload_successful')).toEqual([
      'mailcanary_config_last_reload_successful 0',
    ])
    expect((await page()).seeds.map(({ seed }) => seed)).toEqual(['two'])
    expect(await Daemon.run(['probe', 'mx/two', '--state', site.state])).toMatchObject({ code: 0 })

    await writeFile(probesFile, right)
    expect(await reload()).toMatchObject({ code: 0 })
    expect(await metrics('mailcanary_config_last_reload_successful')).toEqual([
      'mailcanary_config_last_reload_successful 1',
    ])
  })

  test('another password for LDAP is used at once, and logins work all the while', async () => {
    slapd.modify(
      `dn: ${slapd.bindDn}\nchangetype: modify\nreplace: userPassword\nuserPassword: another\n\n`,
    )
    slapd.modify(addPerson({ uid: 'bob', mailPassword: ssha(PASSWORD) }))
    const sync = await Daemon.run(['directory', 'sync', '--state', site.state])
    expect(sync.output).toMatch(/ldap/)
    expect(sync.code).toBe(1)

    await writeFile(bindPassword, 'another\n', { mode: 0o600 })
    const told = await reload()
    expect(told).toMatchObject({ code: 0 })
    expect(told.output).toMatch(/relay\.yaml: directory\.ldap\.bind_password changed: taken/)
    await site.daemon?.line(/ldap: 3 accounts, 1 changed/)
    await loggedIn('bob')
    expect((await session.command('RSET')).code).toBe(250)
  })

  test('a source that cannot be read leaves the directory as it is', async () => {
    const before = await readFile(site.relayFile, 'utf8')
    const nowhere = join(folder, 'nowhere')
    await configure(`  export_file: {path: ${nowhere}}\n`)
    const told = await reload()
    expect(told.code).toBe(1)
    expect(told.output).toMatch(/the directory stays as it is: export-file could not be read/)
    expect((await session.command('RSET')).code).toBe(250)
    const ready = await fetch(`http://127.0.0.1:${site.ports.admin}/readyz`)
    expect(ready.status).toBe(200)

    await writeFile(nowhere, `carol:${ssha(PASSWORD)}\n`)
    expect(await reload()).toMatchObject({ code: 0 })
    await loggedIn('carol')
    await writeFile(site.relayFile, before)
    expect(await reload()).toMatchObject({ code: 0 })
  })

  test('what only a restart can change is said, at every reading until it comes', async () => {
    retry = '1m'
    await configure('  senders: {press@example.org: [alice]}\n')
    for (let i = 0; i < 2; i++) {
      const { output, code } = await reload()
      expect(code).toBe(0)
      expect(output).toMatch(
        /relay\.yaml: delivery\.retry changed: takes effect at the next restart/,
      )
      expect(/directory\.senders\S* changed: taken/.test(output)).toBe(i === 0)
    }
    const alice = await loggedIn('alice')
    expect((await alice.command('MAIL FROM:<press@example.org>')).code).toBe(250)
  })

  test('the session of the beginning sends its mail after all of this', async () => {
    for (const line of ['MAIL FROM:<alice@example.org>', 'RCPT TO:<two@gmail.test>']) {
      expect((await session.command(line)).code).toBe(250)
    }
    expect((await session.command('DATA')).code).toBe(354)
    const mail = 'From: alice@example.org\r\nSubject: of the beginning\r\n\r\nHello\r\n.'
    expect((await session.command(mail)).code).toBe(250)
    expect((await session.command('QUIT')).code).toBe(221)
    // No port was opened anew.
    expect(site.said.match(/submissions listens on/g)).toHaveLength(1)
  })
})
