import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { Secret } from '../../src/base/secret.ts'
import { surveyLdap } from '../../src/directory/ldap-survey.ts'
import { missing } from '../support/server-process.ts'
import { NO_PASSWORD_ACCESS, startSlapd, type Slapd } from '../support/slapd.ts'

const PEOPLE = [
  { uid: 'alice', mailPassword: '{CRYPT}$6$x$y', userPassword: 'a' },
  { uid: 'bob', mailPassword: '{CRYPT}$6$x$z' },
  { uid: 'carol' },
]

describe.skipIf(missing('slapd'))('what a directory turns out to be', () => {
  let slapd: Slapd
  let closed: Slapd

  beforeAll(async () => {
    slapd = await startSlapd({ people: PEOPLE, roles: [{ uid: 'press', emailForward: 'alice' }] })
    closed = await startSlapd({ people: PEOPLE, access: NO_PASSWORD_ACCESS })
  })
  afterAll(async () => {
    await slapd.stop()
    await closed.stop()
  })

  function survey(
    { url, bindDn, bindPassword }: Slapd,
    wishes: Parameters<typeof surveyLdap>[1] = {},
    password = bindPassword,
  ): ReturnType<typeof surveyLdap> {
    const connection = {
      url,
      startTls: false,
      bindDn,
      bindPassword: new Secret(password),
      operationTimeout: 10_000,
    }
    return surveyLdap(connection, wishes, new AbortController().signal)
  }

  test('userdir-ldap is known by its classes, and the people by where they are', async () => {
    expect(await survey(slapd)).toEqual({
      schema: 'userdir-ldap',
      base: slapd.peopleDn,
      passwordAttribute: 'mailPassword',
      people: 3,
      withPassword: 2,
    })
  })

  test('an account that may not read passwords sees people and none of their passwords', async () => {
    expect(await survey(closed)).toMatchObject({ people: 3, withPassword: 0 })
  })

  test('what was wished for is believed; where nobody is, nobody is found', async () => {
    expect(
      await survey(slapd, { schema: 'inetorgperson', passwordAttribute: 'userPassword' }),
    ).toMatchObject({ schema: 'inetorgperson', passwordAttribute: 'userPassword', withPassword: 0 })
    expect(await survey(slapd, { base: slapd.bindDn })).toBeUndefined()
  })

  test('people of inetOrgPerson, with a password that is for everything', async () => {
    const other = await startSlapd({ people: [], access: ['access to * by * read'] })
    try {
      for (const [i, unit] of ['north', 'south'].entries()) {
        const dn = `ou=${unit},${other.peopleDn}`
        other.modify(`dn: ${dn}\nchangetype: add\nobjectClass: organizationalUnit\nou: ${unit}\n`)
        other.modify(
          `dn: cn=P\\, ${i},${dn}\nchangetype: add\nobjectClass: inetOrgPerson\ncn: P, ${i}\nsn: P\nuid: p${i}\nuserPassword: {SSHA}x\n`,
        )
      }
      expect(await survey(other)).toEqual({
        schema: 'inetorgperson',
        base: other.peopleDn,
        passwordAttribute: 'userPassword',
        people: 2,
        withPassword: 2,
      })
    } finally {
      await other.stop()
    }
  })

  test('a wrong password is told from other trouble', async () => {
    await expect(survey(slapd, {}, 'wrong')).rejects.toMatchObject({ kind: 'denied' })
  })
})
