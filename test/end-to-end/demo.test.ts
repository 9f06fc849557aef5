import { execFile } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { ImapFlow } from 'imapflow'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { openPage, startChromium } from '../support/chromium.ts'
import { Daemon } from '../support/daemon.ts'
import { anyPortBase } from '../support/ports.ts'
import { startPrometheus } from '../support/prometheus.ts'
import { makeScratch } from '../support/scratch.ts'
import { eventually, missing } from '../support/server-process.ts'

const run = promisify(execFile)

const BASE = await anyPortBase()
const ADMIN = 9464 + BASE

describe('mailcanary demo', () => {
  let folder: string
  let demo: Daemon

  beforeAll(async () => {
    folder = await makeScratch()
    demo = Daemon.start(['demo', '--state', join(folder, 'state'), '--port-base', String(BASE)])
    await demo.ready(ADMIN)
  })

  afterAll(async () => {
    await demo.stop()
    await rm(folder, { recursive: true, force: true })
  })

  test('prints the two addresses and the login', async () => {
    await demo.line(/What happens/)
    expect(demo.output).toContain(`http://127.0.0.1:${ADMIN}/`)
    expect(demo.output).toContain(`http://127.0.0.1:${8025 + BASE}/`)
    expect(demo.output).toContain('login alice, password canary-demo')
  })

  test('soon shows a verdict for every provider, a line an event', async () => {
    for (const provider of ['gmail', 'hotmail', 'yahoo']) {
      await demo.line(
        new RegExp(`^\\d\\d:\\d\\d:\\d\\d canary +\\S+ relay to ${provider}: inbox after`),
      )
    }
  })

  test.skipIf(missing('swaks'))('a mail by swaks appears in the simulated mailbox', async () => {
    await run('swaks', [
      '--server',
      '127.0.0.1',
      '--port',
      String(2587 + BASE),
      '--tls',
      '--auth',
      'PLAIN',
      '--auth-user',
      'alice',
      '--auth-password',
      'canary-demo',
      '--from',
      'alice@example.org',
      '--to',
      'seed@gmail.example',
      '--header',
      'Subject: hello demo',
    ])
    const { ca, user, password } = mailboxOf(demo)
    const client = new ImapFlow({
      host: '127.0.0.1',
      port: 2993 + BASE,
      secure: true,
      servername: 'imap.gmail.example',
      tls: { ca },
      auth: { user, pass: password },
      logger: false,
    })
    await client.connect()
    try {
      await client.mailboxOpen('INBOX', { readOnly: true })
      await eventually(async () => {
        await client.noop()
        for await (const message of client.fetch('1:*', { envelope: true })) {
          if (message.envelope?.subject === 'hello demo') return true
        }
        return undefined
      }, 'the mail in the inbox')
    } finally {
      await client.logout()
    }
  })

  function mailboxOf(daemon: Daemon): { ca: string; user: string; password: string } {
    expect(daemon.pid).toBeGreaterThan(0)
    return {
      ca: readFileSync(join(folder, 'state', 'ca.pem'), 'utf8'),
      user: 'seed@gmail.example',
      password: 'canary-demo',
    }
  }

  test.skipIf(missing('prometheus'))('Prometheus scrapes it and answers a query', async () => {
    const prometheus = await startPrometheus(folder, `127.0.0.1:${ADMIN}`)
    try {
      const arrivals = await eventually(async () => {
        const samples = await prometheus.query(
          'sum by (provider) (mailcanary_canaries_total{origin="relay",verdict="inbox"})',
        )
        return samples.length === 3 && samples.every(({ value }) => value > 0) ? samples : undefined
      }, 'arrivals at three providers')
      const providers = new Set(arrivals.map(({ labels }) => labels['provider']))
      expect(providers).toEqual(new Set(['gmail', 'hotmail', 'yahoo']))
    } finally {
      await prometheus.stop()
    }
  })

  describe.skipIf(missing('chromium'))('the status page in a browser', () => {
    let browser: Browser

    beforeAll(async () => {
      browser = await startChromium()
    })

    afterAll(() => browser.close())

    test.each([
      { name: 'desktop', width: 1280, colours: 'light' },
      { name: 'phone', width: 375, colours: 'dark' },
    ] as const)(
      'shows what happens without a complaint: $name',
      async ({ name, width, colours }) => {
        const url = `http://127.0.0.1:${ADMIN}/`
        const { page, complaints } = await openPage(browser, { url, width, colours })
        await page.getByText('relay', { exact: false }).first().waitFor()
        await page.getByText('inbox', { exact: false }).first().waitFor()
        await page.screenshot({ path: `test-output/demo-status-${name}.png`, fullPage: true })
        // Nothing hangs over the side of a phone.
        const overhang = await page.evaluate<number>(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        )
        expect(overhang).toBeLessThanOrEqual(0)
        expect(complaints).toEqual([])
      },
    )
  })

  test('a second one on the same state folder is refused in a sentence', async () => {
    const second = await Daemon.run([
      'demo',
      '--state',
      join(folder, 'state'),
      '--port-base',
      String(await anyPortBase()),
    ])
    expect(second.code).toBe(1)
    expect(second.output).toBe(
      `the state folder ${join(folder, 'state')} is in use by another mailcanary; stop that one first, or name another folder`,
    )
  })

  test('Ctrl-C ends it cleanly, and nothing is left but the state folder it names', async () => {
    expect(await demo.stop('SIGINT')).toEqual({ code: 0, signal: null })
    expect(demo.output.split('\n').at(-1)).toBe(
      `Ended. Queue and history are in ${join(folder, 'state')}`,
    )
    expect((await readdir(folder)).filter(name => !name.startsWith('prometheus'))).toEqual([
      'state',
    ])
    await expect(fetch(`http://127.0.0.1:${ADMIN}/`)).rejects.toThrow()
  })

  test('started again on the same state it goes on, and no login is refused', async () => {
    demo = Daemon.start(['demo', '--state', join(folder, 'state'), '--port-base', String(BASE)])
    await demo.line(/relay to gmail: inbox after/)
    expect(demo.output).not.toContain('refused')
  })

  test('what it keeps is for its owner alone, but for the certificate to trust', async () => {
    const names = await readdir(join(folder, 'state'))
    const open = names.filter(name => (statSync(join(folder, 'state', name)).mode & 0o077) !== 0)
    expect(open.filter(name => name !== 'ca.pem')).toEqual([])
  })
})

describe('mailcanary demo that cannot start', () => {
  test('says which port is taken, and what to do', async () => {
    const folder = await makeScratch()
    const base = await anyPortBase()
    const squatter = createServer().listen(2587 + base, '127.0.0.1')
    try {
      const { code, output } = await Daemon.run([
        'demo',
        '--state',
        folder,
        '--port-base',
        String(base),
      ])
      expect(code).toBe(1)
      expect(output).toMatch(new RegExp(`127\\.0\\.0\\.1:${2587 + base}|port ${2587 + base}`))
    } finally {
      squatter.close()
      await rm(folder, { recursive: true, force: true })
    }
  })

  test.skipIf(process.getuid?.() !== 0)('says that it may not write', async () => {
    const folder = await makeScratch()
    await mkdir(join(folder, 'locked'), { mode: 0o500 })
    const { stdout, code } = await run('setpriv', [
      '--reuid=65534',
      '--regid=65534',
      '--clear-groups',
      process.execPath,
      'dist/main.js',
      'demo',
      '--state',
      join(folder, 'locked', 'state'),
    ]).then(
      () => ({ stdout: '', code: 0 }),
      (error: { code: number; stderr: string }) => ({ stdout: error.stderr, code: error.code }),
    )
    expect(code).toBe(1)
    expect(stdout).toMatch(/cannot create the state folder .*locked\/state/)
    await rm(folder, { recursive: true, force: true })
  })

  test('ends by itself after the time it was given, with a summary', async () => {
    const folder = await makeScratch()
    const { code, output } = await Daemon.run([
      'demo',
      '--for',
      '3s',
      '--state',
      folder,
      '--port-base',
      String(await anyPortBase()),
    ])
    expect(code).toBe(0)
    expect(output).toMatch(/origin +provider +n +inbox +spam/)
    await rm(folder, { recursive: true, force: true })
  })

  test('an unknown option is exit code 2', async () => {
    const { code, output } = await Daemon.run(['demo', '--stat', 'x'])
    expect(code).toBe(2)
    expect(output).toContain('--state')
  })
})
