import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { admitAll, type Candidate } from '../../src/directory/admission.ts'
import { newAccountLdif, newPassword } from '../../src/directory/new-account.ts'
import { saveSnapshots } from '../../src/directory/snapshot-file.ts'
import type { SourceEntry } from '../../src/directory/source.ts'
import { HASH, VECTORS } from '../directory/vectors.ts'
import { scratchFolder } from '../support/scratch.ts'
import { Site } from '../support/site.ts'
import { commandLine } from './command-line.ts'

const MINUTE = 60_000

function entry(login: string, change: Partial<SourceEntry> = {}): SourceEntry {
  return {
    login,
    uuid: login,
    passwords: [HASH],
    barred: undefined,
    claims: [login],
    grants: [],
    ...change,
  }
}

function admitted(
  entries: readonly SourceEntry[],
  now: number,
  previous?: Candidate,
): Promise<Candidate> {
  return admitAll(entries, 'ldap', previous, { allowDes: false, now })
}

/** A relay that does not run, with what it knew last. */
async function stopped(snapshot?: Candidate): Promise<Site> {
  const site = await Site.create(await scratchFolder())
  await site.configure({
    directory: `  domains: [example.org]
  ldap:
    url: ldaps://ldap.example.org
    bind_dn: cn=mailcanary,dc=example,dc=org
    bind_password_file: ${await site.secret('ldap', 'test')}
    base: ou=users,dc=example,dc=org`,
    delivery: '  retry: [1m]',
  })
  await mkdir(site.state)
  if (snapshot) await saveSnapshots(join(site.state, 'directory.json'), [snapshot])
  return site
}

test('directory status tells which password has arrived, also while nothing runs', async () => {
  const now = Date.now()
  const before = await admitted(
    [entry('alice'), entry('bob', { barred: 'expired' })],
    now - 60 * MINUTE,
  )
  const written = now - 10 * MINUTE
  const change = { passwords: [VECTORS['sha512-crypt']], writtenAt: written }
  const arrived = await admitted(
    [entry('alice', change), entry('bob', { barred: 'expired' })],
    now - 9 * MINUTE,
    before,
  )
  // Something else changes later, and is no new password.
  const later = await admitted(
    [entry('alice', { ...change, writtenAt: now, claims: ['alice', 'press'] })],
    now,
    arrived,
  )
  const site = await stopped(later)
  const { code, output } = await commandLine(
    'directory',
    'status',
    'alice',
    `--relay=${site.relayFile}`,
  )
  expect(code, output).toBe(0)
  expect(output).toMatch(
    /^ {2}password +the one of \S+ \S+; it arrived here at \S+ \S+ \(9m[^)]* ago\)$/m,
  )
  expect(output).toMatch(/^ {2}login +can log in/m)
  expect(output).not.toContain('$6$')
  expect(
    await commandLine('directory', 'status', 'carol', `--relay=${site.relayFile}`),
  ).toMatchObject({ code: 1 })
  expect(await commandLine('directory', 'sync', `--relay=${site.relayFile}`)).toMatchObject({
    code: 1,
    output: `no mailcanary runs on ${site.state}: start it, then ask again`,
  })
})

test('directory status says what was never read, and what somebody has to mend', async () => {
  const nothing = await stopped()
  const answer = await commandLine('directory', 'status', `--relay=${nothing.relayFile}`)
  expect(answer).toMatchObject({ code: 1 })
  expect(answer.output).toContain('there is no snapshot')
  const snapshot = await admitted(
    [
      entry('alice'),
      entry('bob', { passwords: [HASH, HASH] }),
      entry('carol', { barred: 'locked' }),
    ],
    Date.now(),
  )
  const site = await stopped(snapshot)
  const { output } = await commandLine('directory', 'status', `--relay=${site.relayFile}`)
  expect(output).toContain('1 account can log in; left out:')
  expect(output).toMatch(/^to mend at the source:\n {2}bob +the password attribute has two values/m)
  expect(output).not.toMatch(/carol/)
})

test('directory export is sorted, and holds no secret', async () => {
  const site = await stopped(
    await admitted([entry('bob'), entry('alice', { barred: 'locked' })], Date.now()),
  )
  const { output } = await commandLine('directory', 'export', `--relay=${site.relayFile}`)
  expect(output).toBe(
    'alice\tlocked\t-\t0\talice@example.org\nbob\tyes\tmd5-crypt\t0\tbob@example.org',
  )
  const json = await commandLine('directory', 'export', '--json', `--relay=${site.relayFile}`)
  expect(json.output).not.toMatch(/\$1\$|hash/)
})

test('directory ldif makes an entry with a password that nobody has chosen', async () => {
  const site = await stopped()
  const key =
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB alice@home'
  const keys = join(site.folder, 'keys')
  await writeFile(keys, `${key}\n`)
  const args = [
    'directory',
    'ldif',
    'alice',
    '--name',
    'Alice Ünal',
    '--key',
    keys,
    `--relay=${site.relayFile}`,
  ]
  expect((await commandLine(...args)).output).toContain('--uid-number')
  const { code, output } = await commandLine(...args, '--uid-number', '2000')
  expect(code, output).toBe(0)
  expect(output).toMatch(/^dn: uid=alice,ou=users,dc=example,dc=org\nobjectClass: inetOrgPerson\n/)
  expect(output).toContain(`\ncn:: ${Buffer.from('Alice Ünal').toString('base64')}\n`)
  expect(output).toContain(`\nsshRSAAuthKey: ${key}\n`)
  expect(output).toMatch(/\nmailPassword: \{crypt\}\$6\$/)
  const password = /shown this once: (\S+)$/.exec(output)?.[1] ?? ''
  expect(password).toMatch(/^(?:[a-z2-9]{6}-){3}[a-z2-9]{6}$/)
  expect(newPassword()).not.toBe(newPassword())
  await writeFile(keys, `command="x" ${key}\n`)
  expect(await commandLine(...args, '--uid-number', '2000')).toMatchObject({ code: 1 })
})

test.each(['Alice', '-a', 'a,b', 'a b', 'a=b', '', 'x'.repeat(33)])('%j is no new login', login => {
  const account = {
    login,
    name: 'A\nuserPassword: x',
    hash: HASH,
    base: 'dc=example,dc=org',
    loginAttribute: 'uid',
    passwordAttribute: 'mailPassword',
    domain: 'example.org',
    keys: [],
    keyAttribute: undefined,
    number: 1,
  }
  const made = newAccountLdif(account, 'userdir-ldap')
  expect('problems' in made && made.problems).toHaveLength(2)
})
