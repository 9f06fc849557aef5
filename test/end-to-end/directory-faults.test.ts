import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { appendFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { WireClient } from '../conformance/wire-client.ts'
import { FaultyProxy, type Fault } from '../support/faulty-proxy.ts'
import { ssha } from '../support/password.ts'
import { makeScratch } from '../support/scratch.ts'
import { findSecrets } from '../support/secret-scan.ts'
import { eventually, missing } from '../support/server-process.ts'
import { Site } from '../support/site.ts'
import { ACCESS, startSlapd, type Slapd } from '../support/slapd.ts'

/*
 * A relay whose LDAP server is stopped, hangs, is slow, and answers half: not one login decision may be another for it,
 * and no secret of that run may be where others can read it. People log in all the time, so that a wrong answer of some
 * milliseconds is one too.
 */
const PROGRAM = new URL('../../dist/main.js', import.meta.url).pathname
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
  /** Command lines of every process that was seen during the run, and what commands printed. */
  const processes = new Set<string>()
  const printed: string[] = []
  let watch: NodeJS.Timeout
  let children: string

  beforeAll(async () => {
    watch = setInterval(lookAround, 100)
    folder = await makeScratch()
    site = await Site.create(folder)
    children = join(folder, 'children')
    const recorder = new URL('../support/record-children.ts', import.meta.url).href
    site.env = { NODE_OPTIONS: `--import ${recorder}`, RECORD_CHILDREN: children }
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
    // The log that says most.
    await appendFile(site.relayFile, 'log: {level: debug, format: json}\n')
    await site.start()
  })

  afterAll(async () => {
    clearInterval(watch)
    await site.stop()
    await proxy.stop()
    await slapd.stop()
    await rm(folder, { recursive: true, force: true })
  })

  afterEach(() => {
    proxy.fault = { kind: 'none' }
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

  /** Nobody is told anything else while something happens: people log in all the time. */
  async function undisturbed(happens: () => Promise<void>): Promise<void> {
    const door = { open: true, asked: 0 }
    const wrong: object[] = []
    const visits = async (): Promise<void> => {
      while (door.open) {
        const answers = await decisions()
        door.asked++
        if (JSON.stringify(answers) !== JSON.stringify(RIGHT)) wrong.push(answers)
      }
    }
    const visiting = visits()
    try {
      await happens()
    } finally {
      door.open = false
      await visiting
    }
    expect(wrong).toEqual([])
    expect(door.asked).toBeGreaterThan(0)
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
    await undisturbed(async () => {
      proxy.fault = fault
      await more(['failed'])
      expect(await site.metric('mailcanary_directory_accounts')).toBe(402)
      proxy.fault = { kind: 'none' }
      await more(['synced'])
    })
  })

  test.each<readonly [string, 'refused' | 'failed', readonly string[]]>([
    [
      'ends at a size limit',
      'refused',
      [
        `limits dn.exact="cn=relaysync,dc=example,dc=org" size=100 size.prtotal=100`,
        ...ACCESS.slice(1),
      ],
    ],
    [
      'has no passwords for a part of the people',
      'refused',
      [
        ACCESS[0] ?? '',
        'access to dn.regex="^uid=(zoe|user[3-9]).*" attrs=mailPassword by * none',
        ...ACCESS.slice(1),
      ],
    ],
    [
      'has a part of the people only',
      'refused',
      [
        ACCESS[0] ?? '',
        'access to dn.regex="^uid=(zoe|user[3-9]).*" by * none',
        ...ACCESS.slice(1),
      ],
    ],
    ['comes to us as to nobody', 'failed', ['access to * by anonymous auth by * none']],
  ])('decides right when the answer %s', async (_, result, access) => {
    await undisturbed(async () => {
      await slapd.restart(access)
      await more([result], 2)
      expect(await site.metric('mailcanary_directory_accounts')).toBe(402)
      await slapd.restart(ACCESS)
      await more(['synced'])
    })
  })

  test('decides right while the answer comes slowly, and believes it when it is whole', async () => {
    await undisturbed(async () => {
      proxy.fault = { kind: 'slow', octets: 8_000, pause: 10 }
      const before = proxy.accepted
      await eventually(() => (proxy.accepted > before ? true : undefined), 'a slow connection')
      await more(['synced'])
      proxy.fault = { kind: 'none' }
    })
  })

  test('decides right while the server hangs, is gone, and after a restart without it', async () => {
    await undisturbed(async () => {
      await slapd.freeze()
      await more(['failed'])
      slapd.signal('SIGCONT')
      await more(['synced'])
      await slapd.down()
      await more(['failed'])
    })
    await site.stop()
    await site.start()
    await undisturbed(() => more(['failed']))
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
    // What a support person types belongs to the run.
    await run(['directory', 'verify', 'alice'], `${WRONG}\n`)
    await run(['directory', 'verify', 'alice'], `${PASSWORD}\n`)
    for (const words of [
      ['status'],
      ['status', 'alice'],
      ['export', '--json'],
      ['sync', '--full'],
    ]) {
      await run(['directory', ...words])
    }
    await run(['check', '--live'])
    const metrics = await (await fetch(`http://127.0.0.1:${site.ports.admin}/metrics`)).text()
    lookAround()
    const started = existsSync(children) ? readFileSync(children, 'utf8') : ''
    // Each place was really looked at.
    expect(site.said).toContain('"login"')
    expect(metrics).toContain('mailcanary_directory')
    expect(printed.join('\n')).toContain('refused: this password does not log in')
    expect(printed.join('\n')).toContain('user399@example.org')
    expect([...processes].some(line => line.includes('run --relay'))).toBe(true)
    const secrets = [PASSWORD, WRONG, NEW, slapd.bindPassword]
    for (const hash of [HASH, NEW_HASH]) secrets.push(hash.slice('{SSHA}'.length))
    for (const [place, said] of Object.entries({
      log: site.said,
      metrics,
      processes: [...processes].join('\n'),
      children: started,
      commands: printed.join('\n'),
    })) {
      expect(findSecrets(said, secrets), place).toEqual([])
    }
  })

  /** @param input what is typed */
  async function run(words: readonly string[], input = ''): Promise<void> {
    const command = spawn(process.execPath, [PROGRAM, ...words, '--relay', site.relayFile], {
      env: { ...process.env, ...site.env },
    })
    command.stdin.end(input)
    const [out, err] = await Promise.all([text(command.stdout), text(command.stderr)])
    printed.push(out, err)
  }
})
