import { execFile, spawn } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { parse } from 'yaml'

import { readDocument, type Block } from '../docs/documents.ts'
import { testCertificates } from '../support/certificates.ts'
import { openPage, startChromium } from '../support/chromium.ts'
import type { Daemon } from '../support/daemon.ts'
import { startDnsmasq, type Dnsmasq } from '../support/dnsmasq.ts'
import { startDovecot, type Dovecot } from '../support/dovecot.ts'
import { freePort } from '../support/ports.ts'
import { postfixNeedsRoot, startPostfix, type Postfix } from '../support/postfix.ts'
import { startPrometheusWith, type PrometheusServer } from '../support/prometheus.ts'
import { makeScratch } from '../support/scratch.ts'
import { eventually, missing } from '../support/server-process.ts'
import { RootSystem } from './root-system.ts'
import { startUnit } from './start-unit.ts'

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '..', '..')

/*
 * Somebody who knows README.md and nothing else: its five steps, as they stand there, on a minimal Debian, with a
 * Postfix and a Dovecot as the provider.
 */
const skip =
  inject('baseSystemMissing') ||
  missing('postfix', 'dovecot', 'dnsmasq', 'swaks', 'prometheus', 'chromium') ||
  postfixNeedsRoot()

/** Of its own, so that nobody else's port 465 is in the way. */
const ADDRESS = '127.0.0.78'
const MX_ADDRESS = '127.0.0.79'
/** Who have signed the certificates of this world: two of one name, which must not stand in one file. */
const RELAY_AUTHORITY = '/etc/mailcanary/relay-authority.pem'
const SEED_AUTHORITY = '/etc/mailcanary/seed-authority.pem'
const SEED = 'seed-1@gmail.example'
const APP_PASSWORD = 'test-only-app-password'

describe.skipIf(skip)('the first hour with README.md', () => {
  let folder: string
  let system: RootSystem
  let steps: readonly Block[]
  let admin: number
  let dns: Dnsmasq
  let dovecot: Dovecot
  let provider: Postfix
  let daemon: Daemon | undefined
  let prometheus: PrometheusServer | undefined
  /** What is otherwise than in the document, because this is not the internet. */
  let substitutes: readonly (readonly [string, string])[]

  beforeAll(async () => {
    folder = await makeScratch()
    system = await RootSystem.copyOf(inject('baseSystem'), join(folder, 'root'))
    steps = stepsOf(await readFile(join(ROOT, 'README.md'), 'utf8'))
    admin = await freePort()
    const [home, spool] = [join(folder, 'dovecot'), join(folder, 'spool')]
    for (const path of [home, spool]) await mkdir(path)
    dovecot = await startDovecot({
      folder: home,
      name: 'imap.gmail.com',
      users: { [SEED]: APP_PASSWORD },
    })
    provider = await startPostfix(spool, {
      hostname: 'mx.gmail.example',
      domains: ['gmail.example'],
      address: MX_ADDRESS,
      deliver: { lmtp: { host: dovecot.ip, port: dovecot.lmtpPort } },
    })
    dns = await startDnsmasq(folder, [
      'mx-host=gmail.example,mx.gmail.example,5',
      `host-record=mx.gmail.example,${MX_ADDRESS}`,
    ])
    const world = `{nameservers: ["${dns.server}"], port: ${provider.port}, allow_loopback: true}`
    const listen = `admin: {listen: "127.0.0.1:${admin}"}`
    substitutes = [
      ['0.0.0.0', ADDRESS],
      ['127.0.0.1:9464', `127.0.0.1:${admin}`],
      ['{host: relay.example.org,', `{host: relay.example.org, ca: ${RELAY_AUTHORITY},`],
      ['gmail,', `gmail, imap: {port: ${dovecot.imapsPort}, ca: ${SEED_AUTHORITY}},`],
      ['\ndirectory:', `\ndelivery: {direct: ${world}}\n${listen}\ndirectory:`],
      ['\norigins:', `\n${listen}\norigins:`],
    ]
    await system.write('/etc/hosts', `${ADDRESS} relay.example.org\n${dovecot.ip} imap.gmail.com\n`)
    // Its root is the only user there.
    await system.write('/usr/local/bin/sudo', '#!/bin/sh\nexec "$@"\n', 0o755)
  })

  afterAll(async () => {
    await prometheus?.stop()
    await daemon?.stop()
    await Promise.all([provider.stop(), dovecot.stop(), dns.stop()])
    await rm(folder, { recursive: true, force: true })
  })

  function here(text: string): string {
    return substitutes.reduce((now, [from, to]) => now.replaceAll(from, to), text)
  }

  /** The block that holds a text. */
  function step(language: string, text: string): string {
    const block = steps.find(each => each.language === language && each.text.includes(text))
    if (block === undefined) throw new Error(`README.md has no step with ${text}`)
    return here(block.text)
  }

  /** Types lines into a shell inside. @returns what they printed */
  function type(lines: string, input = ''): Promise<string> {
    // Node's own pipes are sockets, which nobody can open as /dev/stdin.
    const bash = ['sh', '-c', 'cat | bash -e -o pipefail -c "$0"', lines]
    return finished(system.command(bash, { workingDirectory: '/root' }), input)
  }

  /** Writes the file that a block is. */
  async function write(path: string): Promise<void> {
    await system.write(path, step('yaml', `# ${path}\n`))
  }

  /** One line of a step. */
  function line(text: string): string {
    const found = step('sh', text)
      .split('\n')
      .find(each => each.includes(text))
    return found ?? ''
  }

  test('1. the package is built and installed', async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
      version: string
    }
    const [build, install = ''] = step('sh', 'apt install').split('\n')
    expect(build).toBe('npm run package')
    expect(install).toContain(`_${version}_`)
    const script = join(ROOT, 'scripts', 'package-deb.mjs')
    const out = join(folder, 'out')
    await run('node', [script, '--out', out, '--compression', 'none'])
    await system.bring(out, '/root/out')
    await type(install)
  })

  test('2. the relay gets its people and its file', async () => {
    const certificates = await testCertificates(join(folder, 'ca'))
    const pair = await certificates.issue('relay.example.org')
    await system.write('/etc/mailcanary/relay.crt', pair.certificatePem)
    await system.write('/etc/mailcanary/relay.key', pair.keyPem)
    await system.write(RELAY_AUTHORITY, certificates.caPem)
    await system.write(SEED_AUTHORITY, dovecot.ca)
    await type(step('sh', 'openssl passwd'))
    expect(await type('ls -l /etc/mailcanary')).toMatch(/^-rw-r----- 1 root mailcanary .* people$/m)
    await type(
      'cd /etc/mailcanary; chgrp --reference people relay.key; chmod --reference people relay.key',
    )
    await write('/etc/mailcanary/relay.yaml')
  })

  test('3. and 4. the prober’s canary reaches the inbox', async () => {
    await write('/etc/mailcanary/probes.yaml')
    await type(line('gmail-1'), `${APP_PASSWORD}\n`)
    expect(await type(line('mailcanary check'))).toMatch(/probes\.yaml: well: 1 origin, 1 seed/)
    expect(line('systemctl')).toBe('sudo systemctl start mailcanary')
    daemon = await startUnit(system, admin)
    expect(await type(line('probe everyone'))).toMatch(/arrived in inbox after/)
  })

  test('5. a client sends, and the mail is where it should be', async () => {
    // The client is another machine.
    const bin = join(folder, 'bin')
    await mkdir(bin)
    await writeFile(join(bin, 'sudo'), '#!/bin/sh\nexec "$@"\n', { mode: 0o755 })
    const command = step('sh', 'swaks')
      .replaceAll('relay.example.org:', `${ADDRESS}:`)
      .replaceAll('/etc/mailcanary/', system.path('/etc/mailcanary/'))
    const said = await finished([
      'env',
      `PATH=${bin}:${process.env['PATH']}`,
      'bash',
      '-ec',
      command,
    ])
    expect(said).toMatch(/250 2\.0\.0 .*queued as/)
    await eventually(async () => {
      const { stdout } = await run('grep', ['-rl', 'This is a test mailing', dovecot.mail]).catch(
        () => ({ stdout: '' }),
      )
      return stdout === '' ? undefined : stdout
    }, 'the mail of swaks in the Maildir of Dovecot')
  })

  test('5. Prometheus has a graph of it, and the status page too', async () => {
    const text = step('yaml', '# /etc/prometheus/prometheus.yml').replaceAll(
      '/usr/share/doc/mailcanary/',
      system.path('/usr/share/doc/mailcanary/'),
    )
    prometheus = await startPrometheusWith(folder, parse(text) as object)
    const server = prometheus
    const canaries = 'mailcanary_canaries_total{verdict="inbox"}'
    await eventually(
      async () => ((await server.query(canaries)).length > 0 ? true : undefined),
      'the first look of Prometheus',
    )
    // Its timetable would send the next one in ten minutes.
    await type(line('probe everyone'))
    const sent = await eventually(async () => {
      const samples = await server.query(step('promql', 'mailcanary_canaries_total'))
      return samples.find(({ labels, value }) => labels['verdict'] === 'inbox' && value > 0)
    }, 'a canary in the inbox on the graph')
    expect(sent.labels).toEqual({ provider: 'gmail', verdict: 'inbox' })
    const rules = await fetch(`${server.origin}/api/v1/rules`)
    expect(await rules.text()).toContain('MailDeliveryFailing')

    const browser = await startChromium()
    try {
      const url = here('http://127.0.0.1:9464/')
      const { page, complaints } = await openPage(browser, { url, width: 1280, height: 1000 })
      await page.locator('#canaries tbody tr').nth(1).waitFor()
      expect(await page.locator('h1').textContent()).toMatch(/^([2-9]) of \1 canaries/)
      expect(complaints).toEqual([])
      await mkdir(join(ROOT, 'out'), { recursive: true })
      await page.screenshot({ path: join(ROOT, 'out', 'first-hour.png') })
    } finally {
      await browser.close()
    }
  })
})

/** The blocks of the section that says how to use it. */
function stepsOf(text: string): readonly Block[] {
  const section = /^## Use it\n[^]*?(?=^## )/m.exec(text)?.[0] ?? ''
  return readDocument('README.md', section).blocks
}

/** Runs a program to its end. @returns what it printed @throws Error with that, where it fails */
async function finished([program = '', ...args]: readonly string[], input = ''): Promise<string> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
  }
  child.stdin.end(input)
  const code = await new Promise(resolve => {
    child.once('close', resolve)
  })
  if (code !== 0) throw new Error(`${args.at(-1)} ended with ${String(code)}:\n${said}`)
  return said
}
