import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'

import { createAuthority } from '../../src/base/certificate.ts'
import { HOUR, SECOND } from '../../src/base/clock.ts'
import { Secret } from '../../src/base/secret.ts'
import { LdapSource } from '../../src/directory/ldap-source.ts'
import { SCHEMAS } from '../../src/directory/schema.ts'
import { scratchFolder } from '../support/scratch.ts'
import { missing } from '../support/server-process.ts'
import { addPerson, startSlapd, type Slapd } from '../support/slapd.ts'
import { directoryOf, ldapSource } from './fixture.ts'
import { READER, startPlainLdap } from './plain-ldap.ts'
import { HASH, PASSWORD } from './vectors.ts'

const OTHER_CA = (await createAuthority('another authority')).certificate
const never = new AbortController().signal
const people = Array.from({ length: 700 }, (_, n) => ({ uid: `user${n}`, mailPassword: HASH }))

/** As if the newest entry had been stamped so many milliseconds from now. */
function changeNumber(ahead: number): string {
  const time = new Date(Date.now() + ahead).toISOString().slice(0, 19).replaceAll(/\D/g, '')
  return `${time}.000000Z#000000#000#000000`
}

describe.skipIf(missing('slapd', 'slapadd', 'ldapmodify'))('the LDAP source', () => {
  let slapd: Slapd
  beforeAll(async () => {
    slapd = await startSlapd({
      people: [
        ...people,
        { uid: 'mailer', userPassword: HASH, mail: 'First.Last@example.org' },
        { uid: 'umlaut', mailPassword: HASH, attributes: { accountStatus: 'retiring 2020-01-01' } },
      ],
    })
  })
  afterAll(() => slapd.stop())

  it('reads more people than the size limit of a page', async () => {
    const reading = await ldapSource(slapd).read(undefined, never)
    expect(reading).toMatchObject({ kind: 'full', notes: [] })
    expect(reading.kind === 'full' && reading.entries.length).toBe(702)
  })

  it('speaks StartTLS, and clear text on loopback only', async () => {
    const upgraded = ldapSource(slapd, { url: slapd.url, startTls: true })
    expect(await upgraded.read(undefined, never)).toMatchObject({ kind: 'full' })
    const clear = ldapSource(slapd, { url: slapd.url })
    expect(await clear.read(undefined, never)).toMatchObject({ kind: 'full' })
    expect(() => ldapSource(slapd, { url: 'ldap://192.0.2.1' })).toThrow('clear text')
  })

  it.each(['ldaps', 'StartTLS'])('trusts no certificate of another name over %s', async how => {
    const startTls = how === 'StartTLS'
    const url = startTls ? slapd.url : slapd.ldapsUrl
    const source = ldapSource(slapd, { url, startTls, servername: 'other.test' })
    expect(await source.read(undefined, never)).toMatchObject({
      kind: 'failed',
      cause:
        "Hostname/IP does not match certificate's altnames: Host: other.test. is not in the cert's altnames: DNS:ldap.test, DNS:localhost, IP Address:127.0.0.1",
    })
  })

  it.each(['127.0.0.1', 'localhost'])('trusts a certificate of %s', async servername => {
    expect(await ldapSource(slapd, { servername }).read(undefined, never)).toMatchObject({
      kind: 'full',
    })
    const elsewhere = ldapSource(slapd, { servername: '127.0.0.2' })
    expect(await elsewhere.read(undefined, never)).toMatchObject({ kind: 'failed' })
    const unknown = ldapSource(slapd, { servername, ca: OTHER_CA })
    expect(await unknown.read(undefined, never)).toMatchObject({ kind: 'failed' })
  })

  it('says that the bind was refused, without the password', async () => {
    const source = ldapSource(slapd, { bindPassword: new Secret('not-the-password') })
    expect(await source.read(undefined, never)).toEqual({
      kind: 'failed',
      cause: 'the bind DN or its password is wrong',
    })
    expect(() => ldapSource(slapd, { bindPassword: new Secret('') })).toThrow('bind DN')
  })

  it('reads other directories by another schema', async () => {
    const source = ldapSource(slapd, {
      base: slapd.baseDn,
      schema: SCHEMAS.inetorgperson,
      bindDn: 'cn=admin,dc=example,dc=org',
      bindPassword: new Secret('test-admin'),
    })
    const { directory } = directoryOf(await scratchFolder(), { sources: [source] })
    onTestFinished(() => directory.stop())
    await directory.start()
    expect(await directory.authenticate('mailer', PASSWORD)).toEqual({
      kind: 'accepted',
      principal: {
        login: 'mailer',
        addresses: ['mailer@example.org', 'first.last@example.org'],
      },
    })
  })

  it('refuses an answer that is partly a referral', async () => {
    slapd.modify(
      `dn: uid=away,${slapd.peopleDn}\nchangetype: add\nobjectClass: referral\n` +
        'objectClass: extensibleObject\nuid: away\nref: ldap://ldap.example.net/\n',
    )
    expect(await ldapSource(slapd).read(undefined, never)).toEqual({
      kind: 'refused',
      reason: 'the directory answered with a referral',
    })
    slapd.modify(
      `dn: uid=away,${slapd.peopleDn}\ncontrol: 2.16.840.1.113730.3.4.2\nchangetype: delete\n`,
    )
  })

  it('reads as an increment only what has changed', async () => {
    const source = ldapSource(slapd)
    const first = await source.read(undefined, never)
    if (first.kind !== 'full') throw new Error(first.kind)
    expect(await source.read(first.state, never)).toEqual({ kind: 'unchanged', state: first.state })
    slapd.modify(addPerson({ uid: 'late', mailPassword: HASH }))
    const second = await source.read(first.state, never)
    if (second.kind !== 'incremental') throw new Error(second.kind)
    expect(second.entries.map(entry => entry.login)).toContain('late')
    // Seen before something that was stamped earlier: the overlap finds it all the same.
    const third = await source.read({ ...second.state, mark: 'of before' }, never)
    expect(third.kind === 'incremental' && third.entries.map(e => e.login)).toContain('late')
    const fourth = await source.read({ mark: 'of before', from: changeNumber(2 * SECOND) }, never)
    expect(fourth.kind === 'incremental' && fourth.entries.map(e => e.login)).toContain('late')
    const fifth = await source.read({ mark: 'of before', from: changeNumber(HOUR) }, never)
    expect(fifth).toMatchObject({ kind: 'incremental', entries: [] })
  })
})

describe('a plain LDAP server', () => {
  async function plainServer(
    behaviour: Omit<Parameters<typeof startPlainLdap>[0], 'hash'>,
  ): Promise<LdapSource> {
    const server = await startPlainLdap({ hash: HASH, ...behaviour })
    onTestFinished(() => server.stop())
    return new LdapSource({
      name: 'ldap',
      url: server.url,
      startTls: false,
      base: 'dc=example,dc=org',
      bindDn: READER,
      bindPassword: new Secret('test-sync'),
      schema: {
        people: {
          ...SCHEMAS.inetorgperson.people,
          filter: '(&(uid=*)(objectclass=inetOrgPerson))',
        },
      },
      domains: ['example.org'],
      operationTimeout: 5_000,
      readTimeout: 5_000,
      clock: Date.now,
    })
  }

  it('without change numbers and who-am-I is read whole each time, and the missing check is noted', async () => {
    const { directory } = directoryOf(await scratchFolder(), { sources: [await plainServer({})] })
    onTestFinished(() => directory.stop())
    await directory.start()
    expect(await directory.authenticate('alice', PASSWORD)).toMatchObject({ kind: 'accepted' })
    expect(await directory.sync()).toMatchObject([{ kind: 'synced', full: true, changed: 0 }])
    expect(directory.status().sources).toMatchObject([
      { notes: ['the server does not answer who-am-I (RFC 4532)'] },
    ])
  })

  it('that confirms who we are is believed, whatever the spaces and case', async () => {
    const source = await plainServer({ identity: 'dn:CN=Reader, dc=example, dc=org' })
    expect(await source.read(undefined, never)).toMatchObject({ kind: 'full', notes: [] })
  })

  // RFC 4511 section 4.1.9: what came before such an end is a part of the answer.
  it.each([
    ['timeLimitExceeded', 3],
    ['adminLimitExceeded', 11],
    ['busy', 51],
    ['unavailable', 52],
    ['other', 80],
  ])('whose answer has an entry and ends with %s is not believed', async (_, ends) => {
    const source = await plainServer({ ends })
    expect(await source.read(undefined, never)).toMatchObject({
      kind: 'failed',
      cause: expect.stringContaining(`LDAP result ${ends}`) as string,
    })
  })

  it.each(['', 'dn:', 'dn:cn=other,dc=example,dc=org'])(
    'that takes us for %j is not believed',
    async identity => {
      const source = await plainServer({ identity })
      expect(await source.read(undefined, never)).toMatchObject({ kind: 'refused' })
    },
  )
})
