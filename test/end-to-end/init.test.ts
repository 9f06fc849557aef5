import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { testCertificates, type TestCertificates } from '../support/certificates.ts'
import { Daemon } from '../support/daemon.ts'
import { startDnsmasq, type Dnsmasq } from '../support/dnsmasq.ts'
import { startDovecot, type Dovecot } from '../support/dovecot.ts'
import { ssha } from '../support/password.ts'
import { freePort } from '../support/ports.ts'
import { postfixNeedsRoot, startPostfix, type Postfix } from '../support/postfix.ts'
import { makeScratch } from '../support/scratch.ts'
import { eventually, findProgram, missing } from '../support/server-process.ts'
import { startSlapd, type Slapd } from '../support/slapd.ts'

/*
 * From nothing to a verdict: slapd has the people, dnsmasq says where the seed's mail goes, Postfix takes it there and
 * hands it to Dovecot, and nobody has written a line of configuration.
 */
const skip = missing('slapd', 'postfix', 'dovecot', 'dnsmasq', 'script') ?? postfixNeedsRoot()

const PROGRAM = new URL('../../dist/main.js', import.meta.url).pathname
const PASSWORD = 'canary-demo'
const SEED = 'seed@mail.test'

describe.skipIf(skip)('mailcanary init, between real servers', () => {
  let world: string
  let slapd: Slapd
  let dns: Dnsmasq
  let dovecot: Dovecot
  let provider: Postfix
  let certificates: TestCertificates
  let mxPort: number
  let folder: string

  beforeAll(async () => {
    world = await makeScratch()
    certificates = await testCertificates(join(world, 'ca'))
    slapd = await startSlapd({
      people: ['alice', 'bob', 'canary'].map(uid => ({ uid, mailPassword: ssha(PASSWORD) })),
    })
    dovecot = await startDovecot({
      folder: await makeScratch(),
      name: 'imap.mail.test',
      users: { [SEED]: PASSWORD },
    })
    mxPort = await freePort('127.0.0.43')
    provider = await startPostfix(await makeScratch(), {
      hostname: 'mx1.mail.test',
      domains: ['mail.test'],
      address: '127.0.0.43',
      port: mxPort,
      tls: await certificates.issue('mx1.mail.test'),
      deliver: { lmtp: { host: dovecot.ip, port: dovecot.lmtpPort } },
    })
    dns = await startDnsmasq(world, [
      'mx-host=mail.test,mx1.mail.test,5',
      'host-record=mx1.mail.test,127.0.0.43',
    ])
    await certificates.issue('relay.example.org')
    await writeFile(join(world, 'ldap-ca.pem'), slapd.ca)
    await writeFile(join(world, 'imap-ca.pem'), dovecot.ca)
    for (const [name, secret] of [
      ['ldap', slapd.bindPassword],
      ['mail', PASSWORD],
    ] as const) {
      await writeFile(join(world, name), `${secret}\n`, { mode: 0o600 })
    }
  })

  afterAll(async () => {
    await Promise.all([slapd.stop(), dns.stop(), dovecot.stop(), provider.stop()])
    await rm(world, { recursive: true, force: true })
  })

  beforeEach(async () => {
    folder = await makeScratch()
    return () => rm(folder, { recursive: true, force: true })
  })

  /** What this world has otherwise than the one out there: ports, name servers, mail exchangers on loopback. */
  async function otherwise(): Promise<string> {
    const [submissions, submission, admin] = [await freePort(), await freePort(), await freePort()]
    return `state: ${join(folder, 'state')}
listen: {submissions: "127.0.0.1:${submissions}", submission: "127.0.0.1:${submission}", admin: "127.0.0.1:${admin}"}
outbound: {nameservers: "${dns.server}", port: ${mxPort}, allow_loopback: true}
deadline: 60s
`
  }

  async function answers(more = ''): Promise<string> {
    const pair = await certificates.issue('relay.example.org')
    const path = join(folder, 'answers.yaml')
    await writeFile(
      path,
      `hostname: relay.example.org
certificate: ${pair.certificate}
key: ${pair.key}
authority: ${certificates.ca}
domains: example.org
directory:
  source: ${slapd.ldapsUrl}
  ca: ${world}/ldap-ca.pem
  bind_dn: ${slapd.bindDn}
  bind_password_file: ${world}/ldap
canary: {login: canary, password_env: CANARY_PASSWORD}
seeds:
  - provider: other
    address: ${SEED}
    imap_host: ${dovecot.ip}
    imap_port: ${dovecot.imapsPort}
    ca: ${world}/imap-ca.pem
    server_name: imap.mail.test
    password_file: ${world}/mail
${await otherwise()}${more}`,
    )
    return path
  }

  const etc = (): string => join(folder, 'etc')
  const init = (...args: string[]): ReturnType<typeof Daemon.run> =>
    Daemon.run(['init', '--folder', etc(), ...args], { CANARY_PASSWORD: PASSWORD })

  test('a file of answers is enough: everything is tested, written, and a canary reaches the inbox', async () => {
    const path = await answers()
    const { code, output } = await init('--answers', path)
    expect(output).toContain('relay/own-1  arrived in inbox after')
    expect(code).toBe(0)
    expect(output).toContain(
      `3 people below ${slapd.peopleDn} (userdir-ldap), 3 with a mailPassword that it may read.`,
    )
    expect(output).toContain('3 logins are known, 3 of them can log in. canary is accepted.')
    expect(output).toContain(`Outbound port ${mxPort} is open: mx1.mail.test says 220`)
    expect(output).toMatch(/Signed in\. \d+ folders, Junk is taken for spam\./)
    // The secret came by the environment, and lies in a file of its own now; the others stay where they were.
    expect((await readdir(etc())).sort()).toEqual(['canary-password', 'probes.yaml', 'relay.yaml'])
    expect((await stat(join(etc(), 'canary-password'))).mode & 0o777).toBe(0o600)
    const relay = await readFile(join(etc(), 'relay.yaml'), 'utf8')
    expect(relay).toMatch(/^# yaml-language-server: \$schema=\/.*\/schemas\/relay\.schema\.json\n/)
    expect(relay).toContain(
      '# A login `alice` may send as alice@ each of these.\n  domains: [example.org]\n',
    )
    expect(relay).not.toContain('CHANGE')
    const files = ['--relay', join(etc(), 'relay.yaml'), '--probes', join(etc(), 'probes.yaml')]
    expect(await Daemon.run(['check', ...files])).toMatchObject({ code: 0 })
    for (const secret of [PASSWORD, slapd.bindPassword]) {
      expect(relay + output + (await readFile(join(etc(), 'probes.yaml'), 'utf8'))).not.toContain(
        secret,
      )
    }
  })

  test('what is there already stays, unless somebody says otherwise', async () => {
    const path = await answers('first_canary: no\n')
    expect(await init('--answers', path)).toMatchObject({ code: 0 })
    const before = await stat(join(etc(), 'relay.yaml'))
    const { code, output } = await init('--answers', path)
    expect(code).toBe(1)
    expect(output).toContain('already there: move it away, name another --folder, or say --replace')
    expect((await stat(join(etc(), 'relay.yaml'))).mtimeMs).toBe(before.mtimeMs)
    expect(await init('--answers', path, '--replace')).toMatchObject({ code: 0 })
    expect((await stat(join(etc(), 'relay.yaml'))).mtimeMs).toBeGreaterThan(before.mtimeMs)
  })

  test.each([
    [
      'bind_dn: cn=relaysync,',
      'bind_dn: cn=nobody,',
      /directory\.bind_password .*: The DN or its password is wrong/,
    ],
    [
      'login: canary,',
      'login: carla,',
      /canary\.password .*: 3 logins .* There is no login carla among them/,
    ],
    ['password_file: ', 'password_file: /nowhere', /\/nowhere.*: cannot be read/],
    [
      `address: ${SEED}`,
      'address: other@mail.test',
      /seeds\.0\.password .*: It cannot be read: .*AUTHENTICATIONFAILED/,
    ],
    ['hostname: relay.', 'hostname: other.', /certificate: .*is not for other\.example\.org/],
    ['port: ', 'prot: ', /unknown key, did you mean imap_port\?/],
  ])(
    'with %s turned into %s it says what is wrong, and writes nothing',
    async (from, to, words) => {
      const path = await answers('first_canary: no\n')
      const text = await readFile(path, 'utf8')
      await writeFile(path, text.replace(from, to))
      const { code, output } = await init('--answers', path)
      expect(output).toMatch(words)
      expect(code).toBe(1)
      expect(await readdir(etc()).catch(() => [])).toEqual([])
    },
  )

  /** A person at a terminal: waits for a question, and types. */
  class Person {
    readonly #child: ChildProcess
    readonly #closed: Promise<unknown>
    seen = ''
    #read = 0

    constructor(...args: string[]) {
      const command = [process.execPath, PROGRAM, 'init', '--folder', etc(), ...args].join(' ')
      this.#child = spawn(findProgram('script') ?? '', ['-qec', command, '/dev/null'], {
        stdio: ['pipe', 'pipe', 'inherit'],
        env: { ...process.env, TERM: 'dumb' },
      })
      this.#child.stdout?.on('data', (chunk: Buffer) => (this.seen += String(chunk)))
      this.#closed = once(this.#child, 'close')
    }

    async answer(question: RegExp, text: string): Promise<void> {
      await eventually(
        () => question.test(this.seen.slice(this.#read)) || undefined,
        `${question} after:\n${this.seen}`,
        40_000,
      )
      this.#read = this.seen.length
      this.#child.stdin?.write(text)
    }

    async end(): Promise<number | null> {
      await this.#closed
      return this.#child.exitCode
    }
  }

  test('a person who types little comes to a verdict, by way of every mistake; Ctrl-C leaves answers and no secrets', async () => {
    const pair = await certificates.issue('relay.example.org')
    const given = join(folder, 'given.yaml')
    await writeFile(given, await otherwise())
    const first = new Person('--answers', given, '--ask')
    await first.answer(/Host name( \[.*\])?: $/, 'relay.example.org\n')
    await first.answer(/Certificate( \[.*\])?: $/, '/nowhere.pem\n')
    await first.answer(/! .*no such file[^]*Certificate( \[.*\])?: $/, `${given}\n`)
    await first.answer(
      /! .*given\.yaml should be PEM[^]*Certificate( \[.*\])?: $/,
      `${pair.certificate}\n`,
    )
    if (
      !(
        await eventually(() => /(Private key|Authority) ?(\[.*\])?: $/.exec(first.seen)?.[1], 'key')
      ).startsWith('Auth')
    ) {
      await first.answer(/Private key: $/, `${pair.key}\n`)
    }
    await first.answer(/Authority( \[.*\])?: $/, `${certificates.ca}\n`)
    await first.answer(/Mail domains \[example\.org\]: $/, '\n')
    await first.answer(/Directory \[ldaps:\/\/.*\]: $/, `${slapd.ldapsUrl}\n`)
    await first.answer(/Authority of the LDAP server( \[.*\])?: $/, `${world}/ldap-ca.pem\n`)
    await first.answer(
      /Account that reads it \(DN\) \[cn=mailcanary,dc=example,dc=org\]: $/,
      `${slapd.bindDn}\n`,
    )
    await first.answer(/Its password: $/, 'wrong\n')
    await first.answer(
      /! The DN or its password is wrong[^]*Its password: $/,
      `${slapd.bindPassword}\n`,
    )
    await first.answer(/Login of the prober \[canary\]: $/, '\u0003')
    expect(await first.end()).toBe(130)
    expect(first.seen).toContain('Ended, and nothing was written but your answers (no secrets)')
    expect(first.seen).not.toContain(slapd.bindPassword)
    expect(await readdir(etc())).toEqual(['init-answers.yaml'])
    const kept = await readFile(join(etc(), 'init-answers.yaml'), 'utf8')
    expect(kept).toContain('hostname: relay.example.org')
    expect(kept).not.toContain(slapd.bindPassword)

    const again = new Person('--answers', given, '--ask')
    await again.answer(/Go on from there\? \[yes\]: $/, '\n')
    await again.answer(/Its password: $/, `${slapd.bindPassword}\n`)
    await again.answer(/Login of the prober \[canary\]: $/, '\n')
    await again.answer(/Its mail password: $/, `${PASSWORD}\n`)
    await again.answer(/Provider of an account to look at \[gmail\]: $/, 'other\n')
    await again.answer(/Its address: $/, `${SEED}\n`)
    await again.answer(
      /IMAP server \[imap\.mail\.test\]: $/,
      `${dovecot.ip}:${dovecot.imapsPort}\n`,
    )
    await again.answer(/Authority of the IMAP server: $/, `${world}/imap-ca.pem\n`)
    await again.answer(/Its password: $/, `${PASSWORD}\n`)
    await again.answer(/Another account\? \[no\]: $/, '\n')
    await again.answer(/Write them \[yes\]: $/, '\n')
    await again.answer(/Send a canary now \[yes\]: $/, '\n')
    expect(await again.end(), again.seen).toBe(0)
    expect(again.seen).toMatch(/relay\/own-1 {2}arrived in inbox after/)
    expect(again.seen).not.toContain(PASSWORD)
    expect((await readdir(etc())).sort()).toEqual([
      'canary-password',
      'init-answers.yaml',
      'ldap-password',
      'probes.yaml',
      'relay.yaml',
      'seed-own-1',
    ])

    const third = new Person()
    await third.answer(/Go on from there\? \[yes\]: $/, '\n')
    await third.answer(/Type replace to have that, Enter to leave everything as it is: $/, '\n')
    expect(await third.end()).toBe(1)
    expect(third.seen).toContain('nothing was written')
  })

  test('without a terminal and without answers it says what to do', async () => {
    const { code, output } = await init()
    expect(code).toBe(1)
    expect(output).toBe('there is no terminal to ask on: answer by a file, with --answers FILE')
  })
})
