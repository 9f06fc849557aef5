import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'

import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'

import { SECOND } from '../../src/base/clock.ts'
import { Secret } from '../../src/base/secret.ts'
import { LdapOwners, type LdapOwnersOptions } from '../../src/directory/ldap-owner.ts'
import { SCHEMAS } from '../../src/directory/schema.ts'
import { missing } from '../support/server-process.ts'
import { startSlapd, type Slapd } from '../support/slapd.ts'
import { ldapSource } from './fixture.ts'
import { HASH } from './vectors.ts'

const PASSWORD = new Secret('correct horse battery staple')
const WRONG = new Secret('wrong')
const NEW =
  '{crypt}$6$testsalt$kNsZqvWd0/1LkUSwSw84vAvyX/Kn0K9oEmJ73G.vjmTxxR5Z7Iytgh72R6qTf87ND8tLG0PABoVt3W0vqbQlO.'

describe.skipIf(missing('slapd', 'slapadd', 'ldapmodify'))('owners at the directory', () => {
  let slapd: Slapd
  beforeAll(async () => {
    slapd = await startSlapd({
      people: [
        { uid: 'alice', userPassword: PASSWORD.reveal(), mailPassword: HASH },
        { uid: 'b.o-b', userPassword: PASSWORD.reveal() },
        { uid: 'keyless' },
      ],
      roles: [{ uid: 'press', emailForward: 'alice' }],
    })
  })
  afterAll(() => slapd.stop())
  beforeEach(() =>
    slapd.modify(
      `dn: uid=alice,${slapd.peopleDn}\nchangetype: modify\nreplace: mailPassword\nmailPassword: ${HASH}\n`,
    ),
  )

  function owners(options: Partial<LdapOwnersOptions> = {}): LdapOwners {
    return new LdapOwners({
      url: slapd.ldapsUrl,
      startTls: false,
      ca: slapd.ca,
      servername: 'ldap.test',
      bindDn: slapd.bindDn,
      bindPassword: new Secret(slapd.bindPassword),
      operationTimeout: SECOND,
      base: slapd.peopleDn,
      schema: SCHEMAS['userdir-ldap'],
      ...options,
    })
  }

  /** As the sync reads it. */
  async function mailPasswords(login: string): Promise<readonly string[] | undefined> {
    const reading = await ldapSource(slapd).read(undefined, new AbortController().signal)
    if (reading.kind !== 'full') throw new Error(reading.kind)
    return reading.entries.find(entry => entry.login === login)?.passwords
  }

  it('knows the directory password of a person, and of nobody else', async () => {
    const own = owners()
    expect(await own.prove('alice', PASSWORD)).toEqual({ kind: 'proven' })
    expect(await own.prove('b.o-b', PASSWORD)).toEqual({ kind: 'proven' })
    // A bind without a password would succeed, as nobody.
    for (const password of [WRONG, new Secret(''), new Secret('x'.repeat(600))]) {
      expect(await own.prove('alice', password)).toEqual({ kind: 'refused' })
    }
    const nobody = ['nobody', 'keyless', 'press', '', '*', 'alice)(uid=*', 'alice,ou=x', 'a\\61']
    for (const login of nobody) {
      expect(await own.prove(login, PASSWORD), login).toEqual({ kind: 'refused' })
    }
  })

  it('writes as the owner what the sync then reads, in place of all that was there', async () => {
    slapd.modify(
      `dn: uid=alice,${slapd.peopleDn}\nchangetype: modify\nadd: mailPassword\nmailPassword: {crypt}*LK*\n`,
    )
    expect(await owners().change('alice', PASSWORD, NEW)).toEqual({ kind: 'changed' })
    expect(await mailPasswords('alice')).toEqual([NEW])
    expect(await owners().change('alice', WRONG, HASH)).toEqual({ kind: 'refused' })
    expect(await mailPasswords('alice')).toEqual([NEW])
  })

  it('says that the directory forbids it, where owners may not write', async () => {
    const strict = await startSlapd({
      people: [{ uid: 'alice', userPassword: PASSWORD.reveal(), mailPassword: HASH }],
      access: ['access to attrs=userPassword by anonymous auth by * none', 'access to * by * read'],
    })
    onTestFinished(() => strict.stop())
    const own = owners({ url: strict.ldapsUrl, ca: strict.ca })
    expect(await own.change('alice', PASSWORD, NEW)).toMatchObject({
      kind: 'forbidden',
      cause: expect.stringContaining('LDAP result 50') as string,
    })
  })

  it('calls nothing a wrong password but what the directory did', async () => {
    const notOurs = owners({ bindPassword: new Secret('not-the-sync-password') })
    expect(await notOurs.prove('alice', PASSWORD)).toMatchObject({ kind: 'unavailable' })
    const stranger = owners({ servername: 'other.test' })
    expect(await stranger.prove('alice', PASSWORD)).toMatchObject({ kind: 'unavailable' })
    await slapd.freeze()
    try {
      expect(await owners().prove('alice', WRONG)).toMatchObject({ kind: 'unavailable' })
      expect(await owners().change('alice', PASSWORD, NEW)).toMatchObject({ kind: 'unavailable' })
    } finally {
      slapd.signal('SIGCONT')
    }
    await slapd.down()
    expect(await owners().prove('alice', WRONG)).toMatchObject({ kind: 'unavailable' })
    await slapd.restart()
    expect(await mailPasswords('alice')).toEqual([HASH])
  })

  it('keeps a hung directory from collecting people', async () => {
    const own = owners({ mostAtOnce: 2 })
    await slapd.freeze()
    try {
      const asked = [1, 2, 3].map(() => own.prove('alice', PASSWORD))
      expect(await Promise.all(asked)).toEqual([
        expect.objectContaining({ kind: 'unavailable' }),
        expect.objectContaining({ kind: 'unavailable' }),
        { kind: 'unavailable', cause: 'too many are asking the directory at once' },
      ])
    } finally {
      slapd.signal('SIGCONT')
    }
    expect(await own.prove('alice', PASSWORD)).toEqual({ kind: 'proven' })
  })

  it('does not claim to know what became of a change that was not answered', async () => {
    // Between us and the server: lets everything through but what it says after the change was asked for.
    const proxy = createServer(client => {
      const server = connect(Number(new URL(slapd.url).port), '127.0.0.1')
      let asked = false
      client.on('data', data => {
        asked ||= data.includes('mailPassword') && data.includes('$6$testsalt')
        server.write(data)
      })
      server.on('data', data => {
        if (!asked) client.write(data)
      })
      for (const socket of [client, server]) {
        socket.on('error', () => undefined)
        socket.on('close', () => [client, server].map(each => each.destroy()))
      }
    })
    proxy.listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    onTestFinished(() => void proxy.close())
    const url = `ldap://127.0.0.1:${(proxy.address() as AddressInfo).port}`
    const own = owners({ url, writeUrl: url })
    expect(await own.prove('alice', PASSWORD)).toEqual({ kind: 'proven' })
    expect(await own.change('alice', PASSWORD, NEW)).toMatchObject({ kind: 'unknown' })
    expect(await mailPasswords('alice')).toEqual([NEW])
  })

  it('reads from one server and writes to another', async () => {
    const own = owners({ writeUrl: 'ldaps://127.0.0.1:1' })
    expect(await own.prove('alice', PASSWORD)).toMatchObject({ kind: 'unavailable' })
    const upgraded = owners({ url: slapd.url, startTls: true, writeUrl: slapd.ldapsUrl })
    expect(await upgraded.change('alice', PASSWORD, NEW)).toEqual({ kind: 'changed' })
  })
})
