import { describe, expect, it, onTestFinished } from 'vitest'

import { scratchFolder } from '../support/scratch.ts'
import { missing } from '../support/server-process.ts'
import { NO_PASSWORD_ACCESS, startSlapd } from '../support/slapd.ts'
import { directoryOf, ldapSource } from './fixture.ts'
import { HASH } from './vectors.ts'

const PEOPLE = ['alice', 'bob', 'carol', 'dave', 'eve', 'frank'].map(uid => ({
  uid,
  mailPassword: HASH,
}))

describe.skipIf(missing('slapd', 'slapadd'))('what must not be believed', () => {
  it('is a reading without any password', async () => {
    const slapd = await startSlapd({ people: PEOPLE, access: NO_PASSWORD_ACCESS })
    onTestFinished(() => slapd.stop())
    const { directory, events } = directoryOf(await scratchFolder(), {
      sources: [ldapSource(slapd)],
    })
    onTestFinished(() => directory.stop())
    await directory.start()
    expect(directory.ready()).toBe(false)
    expect(events).toMatchObject([
      {
        kind: 'directory-sync-refused',
        reason: 'no entry has a password: wrong attribute, or no right to read it',
      },
    ])
  })

  it('is a reading that a size limit cut off', async () => {
    const slapd = await startSlapd({
      people: PEOPLE,
      access: ['limits * size.soft=3 size.hard=3 size.prtotal=5', 'access to * by * read'],
    })
    onTestFinished(() => slapd.stop())
    const { directory, events } = directoryOf(await scratchFolder(), {
      sources: [ldapSource(slapd)],
    })
    onTestFinished(() => directory.stop())
    await directory.start()
    expect(directory.ready()).toBe(false)
    expect(events).toMatchObject([
      {
        kind: 'directory-sync-refused',
        reason: 'size limit exceeded: the answer is not the whole directory',
      },
    ])
  })
})
