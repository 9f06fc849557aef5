import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'

import { createDirectory } from '../../src/app/directory-part.ts'
import { DAY } from '../../src/base/clock.ts'
import { loadRelay } from '../../src/config/load-relay.ts'
import type { Directory } from '../../src/directory/directory.ts'
import type { DirectoryEvent } from '../../src/directory/events.ts'
import { scratchFolder } from '../support/scratch.ts'
import { missing } from '../support/server-process.ts'
import { Site } from '../support/site.ts'
import { startSlapd, type Slapd, type SlapdPerson } from '../support/slapd.ts'
import { HASH, PASSWORD, VECTORS } from './vectors.ts'

/*
 * Who may send and as whom, from relay.yaml to the answer of a login, over OpenLDAP: the rules of userdir-ldap (UDLdap.py) and
 * of plain inetOrgPerson, and what the configuration may say otherwise.
 */

const TODAY = Math.floor(Date.now() / DAY)
const dateOf = (daysAgo: number): string =>
  new Date(Date.now() - daysAgo * DAY).toISOString().slice(0, 10)

/** A directory that is read as this section of relay.yaml says; background comparisons are an hour away. */
async function configured(
  slapd: Slapd,
  ldap: string,
  senders = '{}',
): Promise<{ readonly directory: Directory; readonly events: DirectoryEvent[] }> {
  const folder = await scratchFolder()
  const site = await Site.create(folder)
  await site.configure({
    directory: `  domains: [example.org]
  sync_every: 1h
  senders: ${senders}
  ldap:
    url: ${slapd.url}
    bind_dn: ${slapd.bindDn}
    bind_password_file: ${await site.secret('ldap', slapd.bindPassword)}
${ldap}`,
    delivery: '  retry: [1m]',
  })
  const events: DirectoryEvent[] = []
  const directory = createDirectory(
    await loadRelay(site.relayFile),
    { clock: Date.now, random: () => 0.5, folder: { file: name => `${folder}/${name}` } },
    event => events.push(event),
  )
  onTestFinished(() => directory.stop())
  await directory.start()
  expect(events, 'the directory was read').toMatchObject([{ kind: 'directory-synced' }])
  return { directory, events }
}

/** What each login is told: 'accepted', or why it cannot log in. */
async function verdicts(directory: Directory): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {}
  for (const { login, rejection } of directory.accounts()) {
    const { kind } = await directory.authenticate(login, PASSWORD)
    expect(kind, login).toBe(rejection === undefined ? 'accepted' : 'refused')
    found[login] = rejection ?? kind
  }
  return found
}

function addressesOf(directory: Directory, login: string): readonly string[] | undefined {
  return directory.principal(login)?.addresses
}

/** userPassword, and what userdir-ldap makes of it. */
const LOCKS: readonly (readonly [
  uid: string,
  userPassword: string | undefined,
  verdict: string,
])[] = [
  ['marked', '{CRYPT}*LK*', 'locked'],
  ['marked-small', '{crypt}*lk*', 'locked'],
  ['marked-mixed', '{Crypt}*Lk*', 'locked'],
  ['marked-before', '{CRYPT}*LK*2026-11-01', 'locked'],
  ['exclaimed', '{CRYPT}!', 'locked'],
  ['exclaimed-hash', `{crypt}!${HASH.slice(7)}`, 'locked'],
  ['exclaimed-ssha', `{SSHA}!${VECTORS.SSHA.slice(6)}`, 'locked'],
  ['reset', '{crypt}*SSLRESET*', 'accepted'],
  ['hashed', HASH, 'accepted'],
  ['within', '{CRYPT}$1$*LK*!', 'accepted'],
  ['none', undefined, 'accepted'],
]

/** accountStatus and shadowExpire, and what they mean. */
const STATES: readonly (readonly [
  uid: string,
  attributes: Readonly<Record<string, string>>,
  verdict: string,
])[] = [
  ['active', { accountStatus: 'active' }, 'accepted'],
  ['inactive', { accountStatus: 'inactive 2020-01-01' }, 'retired'],
  ['memorial', { accountStatus: 'Memorial 2020-01-01' }, 'retired'],
  ['retiring', { accountStatus: `retiring ${dateOf(180)}` }, 'accepted'],
  ['retired', { accountStatus: `retiring ${dateOf(190)}` }, 'retired'],
  ['expired', { shadowExpire: '1' }, 'expired'],
  ['yesterday', { shadowExpire: String(TODAY - 1) }, 'expired'],
  ['tomorrow', { shadowExpire: String(TODAY + 1) }, 'accepted'],
  ['never', { shadowExpire: '-1' }, 'accepted'],
  ['guest', { supplementaryGid: 'guest' }, 'accepted'],
  ['guest-there', { supplementaryGid: 'guest@host.example.org' }, 'accepted'],
  ['member', { supplementaryGid: 'adm' }, 'accepted'],
]

const SEES_MARKS = [
  'access to attrs=userPassword by dn.exact="cn=relaysync,dc=example,dc=org" read by anonymous auth by * none',
  'access to attrs=mailPassword by dn.exact="cn=relaysync,dc=example,dc=org" read by * none',
  'access to * by * read',
]

const PEOPLE: readonly SlapdPerson[] = [
  ...LOCKS.map(([uid, userPassword]) => ({
    uid,
    mailPassword: HASH,
    ...(userPassword !== undefined && { userPassword }),
  })),
  ...STATES.map(([uid, attributes]) => ({ uid, mailPassword: HASH, attributes })),
  { uid: 'alice', mailPassword: HASH, mail: 'Alice.Liddell@example.org' },
  { uid: 'bob', mailPassword: HASH, mail: 'bob@example.net' },
]

describe.skipIf(missing('slapd', 'slapadd', 'ldapmodify'))('the people of userdir-ldap', () => {
  let slapd: Slapd
  const ROLES = '    role_base: ou=roles,dc=example,dc=org'
  const people = (): string => `    base: ${slapd.peopleDn}`

  beforeAll(async () => {
    slapd = await startSlapd({ people: PEOPLE, access: SEES_MARKS })
    const role = (uid: string, forwards: readonly string[]): string =>
      [
        `dn: uid=${uid},ou=roles,${slapd.baseDn}`,
        'changetype: add',
        'objectClass: debianRoleAccount',
        ...forwards.map(forward => `emailForward: ${forward}`),
      ].join('\n')
    slapd.modify(
      [
        `dn: ou=roles,${slapd.baseDn}\nchangetype: add\nobjectClass: organizationalUnit`,
        role('press', ['alice@example.org, bob']),
        role('postmaster', ['press']),
        role('abuse', ['postmaster@example.org', 'someone@example.com']),
        role('loop', ['pool']),
        role('pool', ['loop', 'bob']),
        role('elsewhere', ['alice@example.net']),
        role('member', ['alice']),
      ].join('\n\n'),
    )
  })
  afterAll(() => slapd.stop())

  it('are locked by the marks in userPassword, where we may see them', async () => {
    const { directory } = await configured(slapd, people())
    expect(await verdicts(directory)).toMatchObject(
      Object.fromEntries(LOCKS.map(([uid, , verdict]) => [uid, verdict])),
    )
  })

  it('are kept out by accountStatus and shadowExpire', async () => {
    const { directory } = await configured(slapd, people())
    expect(await verdicts(directory)).toMatchObject(
      Object.fromEntries(STATES.map(([uid, , verdict]) => [uid, verdict])),
    )
  })

  it('are left out by group, if the configuration says so', async () => {
    const { directory, events } = await configured(
      slapd,
      `${people()}\n    exclude_groups: [guest, staff]`,
    )
    const found = await verdicts(directory)
    expect(found).toMatchObject({
      guest: 'excluded',
      'guest-there': 'accepted',
      member: 'accepted',
      alice: 'accepted',
    })
    expect(Object.values(found).filter(verdict => verdict === 'excluded')).toHaveLength(1)
    expect(events).toMatchObject([{ rejected: { excluded: 1 } }])
  })

  it('send as themselves, their roles and whom the configuration names, and as nobody else', async () => {
    const { directory } = await configured(
      slapd,
      `${people()}\n${ROLES}`,
      '{news@example.org: [alice], board@example.org: [bob]}',
    )
    // member is a person too: that a role has the name gives the address to nobody else.
    expect(addressesOf(directory, 'alice')).toEqual([
      'alice@example.org',
      'abuse@example.org',
      'postmaster@example.org',
      'press@example.org',
      'news@example.org',
    ])
    expect(addressesOf(directory, 'bob')).toEqual([
      'bob@example.org',
      'abuse@example.org',
      'loop@example.org',
      'pool@example.org',
      'postmaster@example.org',
      'press@example.org',
      'board@example.org',
    ])
    expect(addressesOf(directory, 'member')).toEqual(['member@example.org'])
    expect(directory.account('press'), 'a role is nobody who logs in').toBeUndefined()
  })

  it('have further addresses in an attribute that the configuration names', async () => {
    const { directory } = await configured(slapd, `${people()}\n    attributes: {aliases: [mail]}`)
    expect(addressesOf(directory, 'alice')).toEqual([
      'alice@example.org',
      'alice.liddell@example.org',
    ])
    expect(addressesOf(directory, 'bob')).toEqual(['bob@example.org'])
  })

  it('are gone with the next increment when ud-lock has locked them, and back when it is undone', async () => {
    const { directory } = await configured(slapd, people())
    const dn = `uid=alice,${slapd.peopleDn}`
    slapd.modify(
      `dn: ${dn}\nchangetype: modify\nreplace: userPassword\nuserPassword: {crypt}*LK*\n-\n` +
        `replace: shadowExpire\nshadowExpire: 1\n-\n` +
        `replace: accountStatus\naccountStatus: inactive ${dateOf(0)}\n`,
    )
    expect(await directory.sync()).toMatchObject([{ kind: 'synced', full: false, changed: 1 }])
    expect(await directory.authenticate('alice', PASSWORD)).toEqual({ kind: 'refused' })
    expect(directory.account('alice')).toMatchObject({ rejection: 'locked', scheme: '' })
    slapd.modify(
      `dn: ${dn}\nchangetype: modify\nreplace: userPassword\nuserPassword: ${HASH}\n-\n` +
        'delete: shadowExpire\n-\ndelete: accountStatus\n',
    )
    expect(await directory.sync()).toMatchObject([{ kind: 'synced', full: false, changed: 1 }])
    expect(await directory.authenticate('alice', PASSWORD)).toMatchObject({ kind: 'accepted' })
  })
})

describe.skipIf(missing('slapd', 'slapadd', 'ldapmodify'))('people of inetOrgPerson', () => {
  let slapd: Slapd

  function person(uid: string, lines: readonly string[]): string {
    return [
      `dn: cn=${uid},ou=north,${slapd.peopleDn}`,
      'changetype: add',
      'objectClass: inetOrgPerson',
      `cn: ${uid}`,
      'sn: Person',
      ...lines,
    ].join('\n')
  }

  beforeAll(async () => {
    slapd = await startSlapd({ people: [], access: SEES_MARKS })
    slapd.modify(
      [
        `dn: ou=north,${slapd.peopleDn}\nchangetype: add\nobjectClass: organizationalUnit\nou: north`,
        person('plain', ['uid: plain', `userPassword: ${HASH}`, 'mail: Plain.Person@example.org']),
        person('expired', [
          'objectClass: shadowAccount',
          'uid: expired',
          `userPassword: ${HASH}`,
          'shadowExpire: 1',
        ]),
        person('locked', ['uid: locked', `userPassword: {CRYPT}!${HASH.slice(7)}`]),
        person('bare', ['uid: bare']),
        // No uid: what else an organisation may have for all of it.
        person('e1', [`userPassword: ${HASH}`, 'employeeNumber: e1', 'mail: e.one@example.org']),
        person('e2', [`userPassword: ${HASH}`, 'employeeNumber: e2', 'employeeType: inactive']),
        person('e3', [`userPassword: ${HASH}`, 'employeeNumber: e3', 'roomNumber: 1']),
        person('e4', [`userPassword: ${HASH}`, 'employeeNumber: e4', 'carLicense: {CRYPT}*LK*']),
        person('e5', [`userPassword: ${HASH}`, 'employeeNumber: e5', 'departmentNumber: guest']),
        person('e6', [
          `userPassword: ${HASH}`,
          'employeeNumber: e6',
          'labeledURI: six@example.org',
          `description: ssh-ed25519 ${Buffer.concat([
            Buffer.from('\0\0\0\u000bssh-ed25519\0\0\0\u0020', 'latin1'),
            Buffer.alloc(32, 6),
          ]).toString('base64')} six`,
        ]),
      ].join('\n\n'),
    )
  })
  afterAll(() => slapd.stop())

  it('are read as they are, with nothing but the schema named', async () => {
    const { directory } = await configured(
      slapd,
      `    base: ${slapd.baseDn}\n    schema: inetorgperson`,
    )
    expect(await verdicts(directory)).toEqual({
      plain: 'accepted',
      expired: 'expired',
      locked: 'locked',
      bare: 'no-password',
    })
    expect(addressesOf(directory, 'plain')).toEqual([
      'plain@example.org',
      'plain.person@example.org',
    ])
  })

  it('are read by the attributes that the configuration names', async () => {
    const { directory } = await configured(
      slapd,
      `    base: ${slapd.baseDn}
    schema: inetorgperson
    attributes:
      login: employeeNumber
      aliases: [mail, labeledURI]
      status: employeeType
      expires: roomNumber
      lock: carLicense
      groups: departmentNumber
      ssh_keys: description
    exclude_groups: [guest]`,
    )
    expect(await verdicts(directory)).toEqual({
      e1: 'accepted',
      e2: 'retired',
      e3: 'expired',
      e4: 'locked',
      e5: 'excluded',
      e6: 'accepted',
    })
    expect(addressesOf(directory, 'e1')).toEqual(['e1@example.org', 'e.one@example.org'])
    expect(addressesOf(directory, 'e6')).toEqual(['e6@example.org', 'six@example.org'])
    const [fingerprint = ''] = directory.account('e6')?.keys ?? []
    expect(directory.ownerOfKey(fingerprint)).toMatchObject({ login: 'e6' })
  })

  it('are chosen by a filter of our own', async () => {
    const { directory } = await configured(
      slapd,
      `    base: ${slapd.baseDn}\n    schema: inetorgperson\n    filter: (&(uid=*)(mail=*))`,
    )
    expect(await verdicts(directory)).toEqual({ plain: 'accepted' })
  })
})
