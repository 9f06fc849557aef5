import { readdirSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { WireClient } from '../conformance/wire-client.ts'
import { FaultyProxy, type Fault } from '../support/faulty-proxy.ts'
import { ssha } from '../support/password.ts'
import { makeScratch } from '../support/scratch.ts'
import { eventually, missing } from '../support/server-process.ts'
import { Site } from '../support/site.ts'
import { startSlapd, type Slapd } from '../support/slapd.ts'

/*
 * A relay whose LDAP server is stopped, hangs, is slow, and answers half: not one login decision may be another for it,
 * and no secret of that run may be where others can read it.
 */
const PASSWORD = 'right-9f3a71c2'
const WRONG = 'wrong-5b08d1e6'
const NEW = 'newer-c47d2a90'
const HASH = ssha(PASSWORD)
const NEW_HASH = ssha(NEW)

describe.skipIf(missing('slapd', 'slapadd', 'ldapmodify'))('a relay with LDAP in trouble', () => {
  let folder: string
  let site: Site
  let slapd: Slapd
  let proxy: FaultyProxy
  /** Command lines of every process that was seen during the run. */
  const processes = new Set<string>()
  let watch: NodeJS.Timeout

  beforeAll(async () => {
    watch = setInterval(lookAround, 100)
    folder = await makeScratch()
    site = await Site.create(folder)
    const crowd = Array.from({ length: 400 }, (_, n) => ({ uid: `user${n}`, mailPassword: HASH }))
    slapd = await startSlapd({
      people: [
        { uid: 'alice', mailPassword: HASH },
        { uid: 'locked', mailPassword: HASH, attributes: { shadowExpire: '1' } },
        ...crowd,
        { uid: 'zoe', mailPassword: HASH },
      ],
    })
    proxy = await FaultyProxy.start(Number(new URL(slapd.url).port))
    await site.configure({
      // Everything is read each time: an increment of nothing could not go wrong.
      directory: `  domains: [example.org]
  sync_every: 1s
  full_scan_every: 1s
  ldap:
    url: ldap://127.0.0.1:${proxy.port}
    bind_dn: ${slapd.bindDn}
    bind_password_file: ${await site.secret('ldap', slapd.bindPassword)}
    base: ${slapd.peopleDn}
    timeout: 1s`,
      delivery: '  retry: [1m]',
    })
    await site.start()
  })

  afterAll(async () => {
    clearInterval(watch)
    await site.stop()
    await proxy.stop()
    await slapd.stop()
    await rm(folder, { recursive: true, force: true })
  })

  function lookAround(): void {
    for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
      try {
        processes.add(readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '))
      } catch {
        // It has ended.
      }
    }
  }

  async function logIn(login: string, password: string): Promise<number> {
    const client = await WireClient.greeted({
      host: '127.0.0.1',
      port: site.ports.submissions,
      tls: 'implicit',
    })
    const { code } = await client.logIn(login, password)
    client.socket.destroy()
    return code
  }

  /** What everybody is told, at this moment. */
  async function decisions(): Promise<Readonly<Record<string, number>>> {
    return {
      alice: await logIn('alice', PASSWORD),
      zoe: await logIn('zoe', PASSWORD),
      wrong: await logIn('alice', WRONG),
      locked: await logIn('locked', PASSWORD),
      nobody: await logIn('nobody', PASSWORD),
    }
  }

  const RIGHT = { alice: 235, zoe: 235, wrong: 535, locked: 535, nobody: 535 }

  function syncs(result: string): Promise<number> {
    return site.metric('mailcanary_directory_syncs_total', `result="${result}"`)
  }

  /** Waits until so many more comparisons have come to this. */
  async function more(results: readonly string[], count = 1): Promise<void> {
    const sum = async (): Promise<number> => {
      let total = 0
      for (const result of results) total += await syncs(result)
      return total
    }
    const before = await sum()
    await eventually(
      async () => ((await sum()) >= before + count ? true : undefined),
      `a comparison that is ${results.join(' or ')}`,
    )
  }

  test('decides right while all is well', async () => {
    expect(await decisions()).toEqual(RIGHT)
  })

  test.each<readonly [string, Fault]>([
    ['ends in the greeting of the bind', { kind: 'cut', after: 5 }],
    ['ends between the pages', { kind: 'cut', after: 90_000 }],
    ['ends within an entry', { kind: 'cut', after: 30_000 }],
    ['stops in the middle', { kind: 'stuck', after: 60_000 }],
  ])('decides right when the answer %s', async (_, fault) => {
    proxy.fault = fault
    await more(['failed'])
    expect(await decisions()).toEqual(RIGHT)
    expect(await site.metric('mailcanary_directory_accounts')).toBe(402)
    proxy.fault = { kind: 'none' }
    await more(['synced'])
    expect(await decisions()).toEqual(RIGHT)
  })

  test('decides right while the answer comes slowly, and believes it when it is whole', async () => {
    proxy.fault = { kind: 'slow', octets: 1_000, pause: 10 }
    const before = proxy.accepted
    await eventually(() => (proxy.accepted > before ? true : undefined), 'a slow connection')
    expect(await decisions()).toEqual(RIGHT)
    await more(['synced'])
    expect(await decisions()).toEqual(RIGHT)
    proxy.fault = { kind: 'none' }
  })

  test('decides right while the server hangs, is gone, and after a restart without it', async () => {
    await slapd.freeze()
    await more(['failed'])
    expect(await decisions()).toEqual(RIGHT)
    slapd.signal('SIGCONT')
    await more(['synced'])
    await slapd.down()
    await more(['failed'])
    expect(await decisions()).toEqual(RIGHT)
    await site.stop()
    await site.start()
    expect(await decisions()).toEqual(RIGHT)
  })

  test('takes up what has changed as soon as the server is back', async () => {
    await slapd.restart()
    slapd.modify(
      `dn: uid=alice,${slapd.peopleDn}\nchangetype: modify\nreplace: mailPassword\nmailPassword: ${NEW_HASH}\n` +
        `\ndn: uid=zoe,${slapd.peopleDn}\nchangetype: modify\nadd: shadowExpire\nshadowExpire: 1\n`,
    )
    await eventually(
      async () => ((await logIn('alice', NEW)) === 235 ? true : undefined),
      'the new password',
    )
    expect(await decisions()).toEqual({ ...RIGHT, alice: 535, zoe: 535 })
  })

  test('shows no password and no hash to anybody', async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${site.ports.admin}/metrics`)).text()
    lookAround()
    expect(site.said).toContain('directory')
    expect(metrics).toContain('mailcanary_directory')
    expect([...processes].some(line => line.includes('run --relay'))).toBe(true)
    const seen = `${site.said}\n${metrics}\n${[...processes].join('\n')}`
    for (const secret of [PASSWORD, WRONG, NEW, HASH, NEW_HASH, slapd.bindPassword]) {
      const forms = [secret, Buffer.from(secret).toString('base64'), encodeURIComponent(secret)]
      for (const form of forms) expect(seen.includes(form), form).toBe(false)
    }
  })
})
