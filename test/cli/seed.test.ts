import { once } from 'node:events'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import { type Dovecot, startDovecot } from '../support/dovecot.ts'
import { OAuthServer } from '../support/oauth-server.ts'
import { makeScratch } from '../support/scratch.ts'
import { missing } from '../support/server-process.ts'
import { commandLine } from './command-line.ts'

const ADDRESS = 'seed-one@mail.example.net'
const NARROW = 'seed-two@mail.example.net'

describe.skipIf(missing('dovecot'))('mailcanary seed', () => {
  let scratch: string
  let dovecot: Dovecot
  let oauth: OAuthServer
  let probes: string

  beforeAll(async () => {
    scratch = await makeScratch()
    oauth = await new OAuthServer().start()
    oauth.user = ADDRESS
    await mkdir(join(scratch, 'imap'), { mode: 0o755 })
    dovecot = await startDovecot({
      folder: join(scratch, 'imap'),
      name: 'mail.example.net',
      users: { [ADDRESS]: 'canary-demo', [NARROW]: 'canary-demo' },
      oauth: { mechanism: 'xoauth2', introspect: `${oauth.url}/introspect` },
    })
    await dovecot.deliver(
      ADDRESS,
      `Authentication-Results: mx.example.net; spf=pass\r\nFrom: ada@example.org\r\nTo: ${ADDRESS}\r\nSubject: one\r\nX-Folder: other\r\n\r\nbody\r\n`,
    )
    await dovecot.deliver(
      ADDRESS,
      `Authentication-Results: mx.example.net; spf=pass smtp.mailfrom=ada@example.org\r\nSubject: two\r\n\r\nbody\r\n`,
    )
    await writeFile(join(scratch, 'ca.pem'), dovecot.ca)
    await writeFile(join(scratch, 'password'), 'canary-demo\n', { mode: 0o600 })
    probes = join(scratch, 'probes.yaml')
    const imap = `{host: ${dovecot.ip}, port: ${dovecot.imapsPort}, server_name: mail.example.net, ca: ${scratch}/ca.pem}`
    await writeFile(
      probes,
      `
state: ${scratch}/state
origins: {a: {smtp: {host: 127.0.0.1}, from: canary@example.org}}
seeds:
  token: {provider: own, address: ${ADDRESS}, imap: ${imap}}
  password: {provider: own, sign_in: password, password_file: ${scratch}/password, address: ${ADDRESS}, created: 2026-01-01, imap: ${imap}}
  lost: {provider: own, sign_in: password, password_file: ${scratch}/password, address: ${ADDRESS}, junk_folder: Gone, imap: ${imap}}
  wrong: {provider: own, sign_in: password, password_file: ${scratch}/ca.pem.short, address: ${ADDRESS}, imap: ${imap}}
  narrow: {provider: narrow, password_file: ${scratch}/password, address: ${NARROW}, imap: ${imap}}
providers:
  narrow: {auth: password, connections: 1}
  own:
    auth: oauth2
    auth_hosts: [mx.other.example]
    oauth: {device_url: "${oauth.endpoints.deviceUrl}", authorize_url: "${oauth.endpoints.authorizeUrl}", token_url: "${oauth.endpoints.tokenUrl}", scope: mail offline_access}
oauth: {clients: {own: {client_id: client-1}}}
probes: [{name: p, origins: [a], seeds: [token], every: 10m}]
`,
    )
    await writeFile(join(scratch, 'ca.pem.short'), 'wrong-password\n', { mode: 0o600 })
  })
  afterAll(async () => {
    await dovecot.stop()
    await oauth.stop()
    await rm(scratch, { recursive: true, force: true })
  })

  test('login shows a page and a code, waits, stores the token, and tries it', async () => {
    oauth.device = ['pending', 'agreed']
    const before = await commandLine('seed', 'check', 'token', '--probes', probes)
    expect(before).toMatchObject({ code: 1 })
    expect(before.output).toContain('nobody has signed in: mailcanary seed login token')

    const { code, output } = await commandLine('seed', 'login', 'token', '--probes', probes)
    expect(output).toMatch(/Open {2}https:\/\/login\.example\.net\/device .* {2}ABCD-EFGH {2}/)
    expect(output).toContain('token: signed in, and the mailbox can be read')
    expect(output).not.toMatch(/access-|refresh-/)
    expect(code).toBe(0)
    expect((await stat(join(scratch, 'state', 'seed-token.token'))).mode & 0o777).toBe(0o600)
    expect((await stat(join(scratch, 'state'))).mode & 0o777).toBe(0o700)
    expect(await commandLine('seed', 'check', 'token', '--probes', probes)).toMatchObject({
      code: 0,
    })
  })

  test('login to the account of somebody else is told, with what was probably wrong', async () => {
    oauth.device = ['agreed']
    oauth.user = 'other@mail.example.net'
    const { code, output } = await commandLine('seed', 'login', 'token', '--probes', probes)
    oauth.user = ADDRESS
    expect(code).toBe(1)
    expect(output).toContain('signed in, but the mailbox CANNOT BE READ')
    expect(output).toContain('was the browser signed in to another account?')
  })

  test.each([
    ['declined', 'not signed in: authorization_declined; begin again'],
    ['expired', 'not signed in: expired_token; begin again'],
  ] as const)('a person who has %s is told', async (answer, words) => {
    oauth.device = [answer]
    expect(await commandLine('seed', 'login', 'token', '--probes', probes)).toEqual({
      code: 1,
      output: expect.stringContaining(words) as string,
    })
  })

  test('a seed with a password has nothing to sign in to, and a name that is none is told', async () => {
    const { code, output } = await commandLine('seed', 'login', 'password', '--probes', probes)
    expect(code).toBe(1)
    expect(output).toContain('password signs in with a password: there is nothing to do here')
    expect((await commandLine('seed', 'check', 'x', '--probes', probes)).output).toBe(
      'there is no seed x: there are token, password, lost, wrong, narrow',
    )
  })

  test('check lists what each folder is taken for, and what would go wrong', async () => {
    const { code, output } = await commandLine('seed', 'check', 'password', '--probes', probes)
    expect(code).toBe(0)
    expect(output).toMatch(
      /^password: can be read\n {2}own at 127\.0\.0\.1:\d+, password, \d+ days old\n/,
    )
    expect(output).toMatch(/^ {2}INBOX +inbox +1 +name$/m)
    expect(output).toMatch(/^ {2}Junk +spam +0 .*\\Junk/m)
    expect(output).toMatch(/^ {2}Newsletters +other/m)
    expect(output).toMatch(/^ {2}Trash +other/m)
    expect(output).toContain('! Authentication-Results is written by mx.example.net')
  })

  test('a junk folder that is not there and a wrong password end with 1', async () => {
    const lost = await commandLine('seed', 'check', 'lost', '--probes', probes)
    expect(lost).toMatchObject({ code: 1 })
    expect(lost.output).toContain('! There is no folder Gone, which junk_folder names')
    const wrong = await commandLine('seed', 'check', 'wrong', '--probes', probes)
    expect(wrong).toMatchObject({ code: 1 })
    expect(wrong.output).toContain('wrong: CANNOT BE READ: NO [AUTHENTICATIONFAILED]')
    expect(wrong.output).toContain('! The password was refused: is it an app password')
  })

  test('--json is a line a seed', async () => {
    const { output } = await commandLine(
      'seed',
      'check',
      'password',
      'lost',
      '--json',
      '--probes',
      probes,
    )
    const [first, second] = output.split('\n').map(line => JSON.parse(line) as object)
    expect(first).toMatchObject({ seed: 'password', ok: true, fault: '', signIn: 'password' })
    expect(second).toMatchObject({ seed: 'lost', ok: false })
  })

  test('a transcript shows the session, and nothing private', async () => {
    const path = join(scratch, 'session.txt')
    oauth.device = ['agreed']
    await commandLine('seed', 'login', 'token', '--probes', probes)
    await commandLine(
      'seed',
      'check',
      'token',
      'password',
      'wrong',
      '--transcript',
      path,
      '--probes',
      probes,
    )
    const text = await readFile(path, 'utf8')
    expect(text).toContain(
      '# own at 127.0.0.1, sign-in by oauth2; what mailcanary believes of it is taken from',
    )
    expect(text).toMatch(/^S: \* OK \[CAPABILITY IMAP4rev1 /m)
    expect(text).toMatch(/^C: \(\* value hidden \*\)$/m)
    // Nobody else's name: the library would give its own.
    expect(text).toMatch(/^C: \d+ ID \("name" "mailcanary"\)$/m)
    expect(text).toMatch(/^S: \* LIST \(.*\\Junk\) "\/" Junk$/m)
    expect(text).toMatch(/^S: \* LIST \(.*\) "\/" "<folder>"$/m)
    expect(text).toMatch(/^S: Authentication-Results: mx\.example\.net; spf=pass/m)
    expect(text).not.toMatch(
      /canary-demo|wrong-password|access-|seed-one|example\.org|Newsletters|ada@/,
    )
    for (const secret of ['canary-demo', 'wrong-password', `\0${ADDRESS}\0canary-demo`]) {
      expect(text).not.toContain(Buffer.from(secret).toString('base64').slice(0, 12))
    }
  })

  test('an account is not looked at beside a daemon where the provider does not bear it', async () => {
    const check = ['seed', 'check', 'narrow', '--json', '--probes', probes]
    const connections = { borne: 1, held: 1 }
    const alone = await commandLine(...check)
    expect(JSON.parse(alone.output)).toMatchObject({ ok: true, connections })
    const daemon = createServer().listen(join(scratch, 'state', 'control.sock'))
    onTestFinished(async () => {
      daemon.close()
      await once(daemon, 'close')
    })
    await once(daemon, 'listening')
    const beside = await commandLine(...check)
    expect(beside.code).toBe(1)
    expect(JSON.parse(beside.output)).toMatchObject({
      ok: false,
      connections,
      fault:
        "not looked at: narrow bears 1 of an account's connections at the same time, and the daemon that runs holds 1; stop it first",
    })
    expect(await commandLine('seed', 'check', 'password', '--probes', probes)).toMatchObject({
      code: 0,
    })
  })
})
