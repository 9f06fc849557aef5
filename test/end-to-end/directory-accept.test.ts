import { readFile, rm } from 'node:fs/promises'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'

import { WireClient } from '../conformance/wire-client.ts'
import { Daemon } from '../support/daemon.ts'
import { ssha } from '../support/password.ts'
import { makeScratch } from '../support/scratch.ts'
import { missing } from '../support/server-process.ts'
import { Site } from '../support/site.ts'
import { ACCESS, NO_PASSWORD_ACCESS, startSlapd, type Slapd } from '../support/slapd.ts'

/*
 * What the guard does not believe, as an administrator meets it: refused and told in every place, people log in as before, also
 * after a restart, until somebody says that it was meant, or mends it.
 */
const PASSWORD = 'right-2c7f90ab'
const HASH = ssha(PASSWORD)
const STAFF = 20
const GONE = 8

describe.skipIf(missing('slapd', 'slapadd', 'ldapmodify'))('a directory that lost people', () => {
  let folder: string
  let site: Site
  let slapd: Slapd

  beforeAll(async () => {
    folder = await makeScratch()
    site = await Site.create(folder)
    slapd = await startSlapd({
      people: Array.from({ length: STAFF }, (_, n) => ({ uid: `user${n}`, mailPassword: HASH })),
    })
    await site.configure({
      directory: `  domains: [example.org]
  sync_every: 1h
  ldap:
    url: ${slapd.url}
    bind_dn: ${slapd.bindDn}
    bind_password_file: ${await site.secret('ldap', slapd.bindPassword)}
    base: ${slapd.peopleDn}`,
      delivery: '  retry: [1m]',
    })
    await site.start()
  })

  afterAll(async () => {
    await site.stop()
    await slapd.stop()
    await rm(folder, { recursive: true, force: true })
  })

  function directory(...args: string[]): Promise<{ code: number | null; output: string }> {
    return Daemon.run(['directory', ...args, '--relay', site.relayFile])
  }

  async function logIn(login: string): Promise<number> {
    const client = await WireClient.greeted({
      host: '127.0.0.1',
      port: site.ports.submissions,
      tls: 'implicit',
    })
    const { code } = await client.logIn(login, PASSWORD)
    client.socket.destroy()
    return code
  }

  function refusals(): Promise<number> {
    return site.metric('mailcanary_directory_syncs_total', 'result="refused"')
  }

  test('too many at once are not let go, and it is told by the command, the status, the log and the alert', async () => {
    expect(await refusals()).toBe(0)
    for (let n = 0; n < GONE; n++) {
      slapd.modify(`dn: uid=user${n},${slapd.peopleDn}\nchangetype: delete\n`)
    }
    const why = `${GONE} of ${STAFF} accounts would lose their login`
    const sync = await directory('sync', '--full')
    expect(sync.output).toContain(`ldap: was not believed: ${why}; the snapshot stays as it was`)
    expect(sync.output).toContain('mailcanary directory sync --accept')
    expect(sync.code).toBe(1)

    const { output: status } = await directory('status')
    expect(status).toContain(`${STAFF} accounts can log in`)
    expect(status).toMatch(new RegExp(`was not believed, since \\d{4}-.*: ${why}`))
    expect(status).toContain('mailcanary directory sync --accept')
    await site.daemon?.line(new RegExp(`ldap was not believed: ${why}`))
    expect(site.said).not.toContain('user0')

    expect(await site.metric('mailcanary_directory_accounts')).toBe(STAFF)
    const refused = await refusals()
    expect(refused).toBeGreaterThan(0)
    expect(await alertExpression('DirectorySyncRefused')).toContain(
      'mailcanary_directory_syncs_total{result="refused"}',
    )
    expect(await logIn('user0')).toBe(235)
    expect(await logIn('user19')).toBe(235)
  })

  test('a restart changes nothing of it', async () => {
    await site.stop()
    await site.start()
    expect(await logIn('user0')).toBe(235)
    expect((await directory('sync')).output).toContain('was not believed')
    expect(await logIn('user0')).toBe(235)
  })

  test('what was meant is accepted by one command, once', async () => {
    const accepted = await directory('sync', '--accept')
    expect(accepted.output).toBe(`ldap: ${GONE} changes, everything was read`)
    expect(accepted.code).toBe(0)
    expect(await logIn('user0')).toBe(535)
    expect(await logIn('user19')).toBe(235)
    expect(await site.metric('mailcanary_directory_accounts')).toBe(STAFF - GONE)
    const { output: status } = await directory('status')
    expect(status).not.toContain('not believed')
    await site.daemon?.line(/as an administrator said/)

    for (let n = GONE; n < GONE + 6; n++) {
      slapd.modify(`dn: uid=user${n},${slapd.peopleDn}\nchangetype: delete\n`)
    }
    const again = await directory('sync', '--full')
    expect(again.output).toContain('6 of 12 accounts would lose their login')
    expect(again.code).toBe(1)
    expect((await directory('sync', '--accept')).code).toBe(0)
  })

  test('passwords that vanish for all are refused, and not even accepted: nobody could log in', async () => {
    await slapd.restart(NO_PASSWORD_ACCESS)
    const before = await refusals()
    for (const how of ['--full', '--accept']) {
      const sync = await directory('sync', how)
      expect(sync.output).toContain(
        'ldap: was not believed: no entry has a password: wrong attribute, or no right to read it',
      )
      expect(sync.output).not.toContain('directory sync --accept')
      expect(sync.code).toBe(1)
      expect(await logIn('user19')).toBe(235)
    }
    expect(await refusals()).toBe(before + 2)
    expect((await directory('status')).output).toContain('no entry has a password')
    await site.stop()
    await site.start()
    expect(await logIn('user19')).toBe(235)

    await slapd.restart(ACCESS)
    const mended = await directory('sync')
    expect(mended.output).toBe('ldap: 0 changes, everything was read')
    expect(mended.code).toBe(0)
    expect((await directory('status')).output).not.toContain('no entry has a password')
    expect(await logIn('user19')).toBe(235)
  })
})

async function alertExpression(name: string): Promise<string> {
  const path = new URL('../../dashboards/alerts.yml', import.meta.url).pathname
  const { groups } = parse(await readFile(path, 'utf8')) as {
    readonly groups: readonly {
      readonly rules: readonly { readonly alert?: string; readonly expr: string }[]
    }[]
  }
  return groups.flatMap(({ rules }) => rules).find(({ alert }) => alert === name)?.expr ?? ''
}
