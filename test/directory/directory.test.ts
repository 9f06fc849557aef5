import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'

import type { Directory } from '../../src/directory/directory.ts'
import type { DirectoryEvent } from '../../src/directory/events.ts'
import { makeScratch, scratchFolder } from '../support/scratch.ts'
import { missing } from '../support/server-process.ts'
import { addPerson, startSlapd, type Slapd } from '../support/slapd.ts'
import { directoryOf, ldapSource } from './fixture.ts'
import { HASH, PASSWORD, VECTORS } from './vectors.ts'

const PEOPLE = [
  { uid: 'alice', mailPassword: HASH },
  { uid: 'Bob', mailPassword: VECTORS['sha512-crypt'] },
  { uid: 'two', mailPassword: [HASH, VECTORS.SSHA] },
  { uid: 'none' },
  { uid: 'locked', mailPassword: '{crypt}*LK*' },
  { uid: 'expired', mailPassword: HASH, attributes: { shadowExpire: '1' } },
  { uid: 'gone', mailPassword: HASH, attributes: { accountStatus: 'inactive 2020-01-01' } },
  { uid: 'slow', mailPassword: VECTORS['sha512-crypt'].replace('$6$', '$6$rounds=999999999$') },
]
const ROLES = [
  { uid: 'postmaster', emailForward: 'hostmaster@example.org' },
  { uid: 'hostmaster', emailForward: 'alice@example.org' },
  { uid: 'elsewhere', emailForward: 'alice@example.net' },
]

async function started(
  slapd: Slapd,
  folder: string,
  options: Partial<Parameters<typeof directoryOf>[1]> = {},
): Promise<{ readonly directory: Directory; readonly events: DirectoryEvent[] }> {
  const made = directoryOf(folder, { sources: [ldapSource(slapd)], ...options })
  onTestFinished(() => made.directory.stop())
  await made.directory.start()
  return made
}

describe.skipIf(missing('slapd', 'slapadd', 'ldapmodify'))('a directory over OpenLDAP', () => {
  let slapd: Slapd
  beforeAll(async () => {
    slapd = await startSlapd({ people: PEOPLE, roles: ROLES })
  })
  afterAll(() => slapd.stop())

  it('lets people in with their own password and addresses', async () => {
    const { directory } = await started(slapd, await scratchFolder())
    expect(directory.ready()).toBe(true)
    expect(await directory.authenticate('alice', PASSWORD)).toEqual({
      kind: 'accepted',
      principal: {
        login: 'alice',
        addresses: ['alice@example.org', 'hostmaster@example.org', 'postmaster@example.org'],
      },
    })
    expect(await directory.authenticate('BOB@Example.org', PASSWORD)).toEqual({
      kind: 'accepted',
      principal: { login: 'bob', addresses: ['bob@example.org'] },
    })
    expect(await directory.authenticate('alice', 'wrong')).toEqual({ kind: 'refused' })
  })

  it('refuses everybody else, whatever the password', async () => {
    const { directory } = await started(slapd, await scratchFolder())
    const others = ['two', 'none', 'locked', 'expired', 'gone', 'slow', 'nobody', 'postmaster']
    for (const login of [...others, 'bob@example.net', '', 'x'.repeat(100), '*', 'uid=bob']) {
      for (const password of [PASSWORD, '', '*LK*']) {
        expect(await directory.authenticate(login, password), login).toEqual({ kind: 'refused' })
      }
    }
  })

  it('counts who was left out, and names who needs mending', async () => {
    const { directory, events } = await started(slapd, await scratchFolder())
    expect(directory.status()).toMatchObject({
      accounts: 2,
      weak: 1,
      rejected: {
        ambiguous: 1,
        'no-password': 1,
        locked: 1,
        expired: 1,
        retired: 1,
        'too-costly': 1,
      },
      toMend: [
        { login: 'two', reason: 'ambiguous' },
        { login: 'slow', reason: 'too-costly' },
      ],
      sources: [{ name: 'ldap', accounts: 2, trouble: undefined, notes: [] }],
    })
    expect(events).toMatchObject([{ kind: 'directory-synced', accounts: 2, changed: 8 }])
    const said = JSON.stringify(events)
    for (const secret of ['alice', 'bob', '$', PASSWORD, slapd.bindPassword]) {
      expect(said).not.toContain(secret)
    }
  })

  it('goes on answering from its file while the server is gone, also after a restart', async () => {
    const own = await startSlapd({ people: PEOPLE })
    const folder = await scratchFolder()
    const first = await started(own, folder)
    onTestFinished(() => own.stop())
    await own.down()
    expect(await first.directory.sync()).toMatchObject([{ kind: 'failed' }])
    expect(await first.directory.authenticate('alice', PASSWORD)).toMatchObject({
      kind: 'accepted',
    })
    await first.directory.stop()

    const second = await started(own, folder)
    expect(second.directory.ready()).toBe(true)
    expect(await second.directory.authenticate('alice', PASSWORD)).toMatchObject({
      kind: 'accepted',
    })
    expect(second.events[0]).toMatchObject({ kind: 'directory-loaded', accounts: 2 })
    await own.restart()
    expect(await second.directory.sync()).toMatchObject([{ kind: 'synced', full: true }])
    expect(second.directory.status().sources).toMatchObject([{ trouble: undefined }])
    expect((await stat(join(folder, 'directory.json'))).mode & 0o777).toBe(0o600)
  })

  it('is unavailable, not refusing, while no snapshot was ever loaded', async () => {
    const nobody = ldapSource(slapd, { servername: 'other.test' })
    const { directory, events } = await started(slapd, await scratchFolder(), { sources: [nobody] })
    expect(directory.ready()).toBe(false)
    expect(await directory.authenticate('alice', PASSWORD)).toMatchObject({ kind: 'unavailable' })
    expect(events).toMatchObject([{ kind: 'directory-sync-failed' }])
  })
})

describe.skipIf(missing('slapd', 'slapadd', 'ldapmodify'))('a comparison with OpenLDAP', () => {
  let slapd: Slapd
  let folder: string
  let directory: Directory
  let events: DirectoryEvent[]
  beforeAll(async () => {
    slapd = await startSlapd({ people: PEOPLE, roles: ROLES })
    folder = await makeScratch()
    const made = directoryOf(folder, { sources: [ldapSource(slapd)] })
    directory = made.directory
    events = made.events
    await directory.start()
  })
  afterAll(async () => {
    await directory.stop()
    await slapd.stop()
    await rm(folder, { recursive: true })
  })

  it('reads nothing while contextCSN stands still', async () => {
    expect(await directory.sync()).toMatchObject([{ kind: 'synced', changed: 0, full: false }])
  })

  it('takes a changed password, a lock and a new person with the next increment', async () => {
    slapd.modify(
      `dn: uid=Bob,${slapd.peopleDn}\nchangetype: modify\nreplace: mailPassword\nmailPassword: ${VECTORS.bcrypt}\n\n` +
        `dn: uid=alice,${slapd.peopleDn}\nchangetype: modify\nreplace: shadowExpire\nshadowExpire: 1\n\n` +
        addPerson({ uid: 'carol', mailPassword: HASH }),
    )
    expect(await directory.sync()).toMatchObject([{ kind: 'synced', changed: 3, full: false }])
    expect(directory.account('bob')).toMatchObject({ scheme: 'bcrypt cost=5' })
    expect(await directory.authenticate('carol', PASSWORD)).toMatchObject({ kind: 'accepted' })
    expect(await directory.authenticate('alice', PASSWORD)).toEqual({ kind: 'refused' })
  })

  it('leaves no old name behind when somebody is renamed', async () => {
    slapd.modify(
      `dn: uid=carol,${slapd.peopleDn}\nchangetype: modrdn\nnewrdn: uid=caroline\ndeleteoldrdn: 1\n`,
    )
    expect(await directory.sync()).toMatchObject([{ kind: 'synced', full: false }])
    expect(directory.account('carol')).toBeUndefined()
    expect(await directory.authenticate('caroline', PASSWORD)).toMatchObject({ kind: 'accepted' })
  })

  it('reads everything when a role changes', async () => {
    slapd.modify(
      `dn: uid=hostmaster,${slapd.peopleDn}\nchangetype: modify\nreplace: emailForward\nemailForward: bob\n`,
    )
    expect(await directory.sync()).toMatchObject([{ kind: 'synced', full: true }])
    expect(directory.principal('bob')?.addresses).toContain('postmaster@example.org')
    expect(directory.principal('caroline')?.addresses).toEqual(['caroline@example.org'])
  })

  it('finds with a full reading who is gone', async () => {
    slapd.modify(`dn: uid=caroline,${slapd.peopleDn}\nchangetype: delete\n`)
    expect(await directory.sync()).toMatchObject([{ full: false }])
    expect(directory.account('caroline')).toBeDefined()
    expect(await directory.sync({ full: true })).toMatchObject([{ full: true, changed: 1 }])
    expect(directory.account('caroline')).toBeUndefined()
    expect(await directory.authenticate('caroline', PASSWORD)).toEqual({ kind: 'refused' })
  })

  it('gives a hung server up, and goes on answering meanwhile', async () => {
    const impatient = directoryOf(folder, {
      sources: [ldapSource(slapd, { operationTimeout: 300, readTimeout: 600 })],
    })
    await slapd.freeze()
    onTestFinished(() => slapd.signal('SIGCONT'))
    await impatient.directory.start()
    expect(await impatient.directory.authenticate('bob', PASSWORD)).toMatchObject({
      kind: 'accepted',
    })
    expect(await impatient.directory.sync()).toMatchObject([{ kind: 'failed' }])
    await impatient.directory.stop()
    expect(events.filter(event => event.kind === 'directory-sync-failed')).toEqual([])
  })

  it('stops at once while a server hangs', async () => {
    const patient = directoryOf(folder, {
      // Longer than any test may take.
      sources: [ldapSource(slapd, { operationTimeout: 600_000, readTimeout: 600_000 })],
    })
    await slapd.freeze()
    onTestFinished(() => slapd.signal('SIGCONT'))
    await patient.directory.start()
    await patient.directory.stop()
    expect(patient.events.map(event => event.kind)).toEqual(['directory-loaded'])
  })
})
