import { spawnSync } from 'node:child_process'
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { freePort } from '../support/ports.ts'
import { makeScratch } from '../support/scratch.ts'
import { findProgram, missing, portOpen, ServerProcess } from '../support/server-process.ts'
import { Site } from '../support/site.ts'

const PAGE = new URL('../../docs/directory.md', import.meta.url)
const PROGRAM = new URL('../../dist/main.js', import.meta.url).pathname
// What Debian's package makes its first configuration of.
const DEBIAN = '/usr/share/slapd/slapd.init.ldif'

interface Block {
  readonly language: string
  readonly text: string
}

const skip =
  missing('slapd', 'slapadd', 'ldapadd', 'ldapmodify', 'slappasswd', 'mkpasswd', 'openssl') ??
  (process.getuid?.() === 0 ? undefined : 'the configuration of slapd belongs to root')

describe.skipIf(skip)('docs/directory.md', () => {
  let folder: string
  let site: Site
  let slapd: ServerProcess
  let ldaps: string
  let ldapi: string
  let blocks: readonly Block[]
  let environment: Readonly<Record<string, string>>

  beforeAll(async () => {
    folder = await makeScratch()
    site = await Site.create(folder)
    // libldap takes localhost for the name of this host.
    const { certificate, key } = await site.certificates.issue('ldap.test', hostname())
    const port = await freePort()
    ldaps = `ldaps://localhost:${port}`
    const socket = join(folder, 'ldapi')
    ldapi = `ldapi://${encodeURIComponent(socket)}`
    for (const name of ['db', 'config', 'bin', 'etc', 'root']) await mkdir(join(folder, name))
    const initial = (await readFile(DEBIAN, 'utf8'))
      .replaceAll('@SUFFIX@', 'dc=example,dc=org')
      .replaceAll('@PASSWORD@', 'test-admin')
      .replaceAll('/var/lib/ldap', join(folder, 'db'))
      .replaceAll(/^olc(?:PidFile|ArgsFile): .*\n/gm, '')
      .replace(
        'cn: config\n',
        `cn: config\nolcTLSCertificateFile: ${certificate}\nolcTLSCertificateKeyFile: ${key}\n`,
      )
    await writeFile(join(folder, 'initial.ldif'), initial)
    must(findProgram('slapadd') ?? '', [
      '-n',
      '0',
      '-F',
      join(folder, 'config'),
      '-l',
      join(folder, 'initial.ldif'),
    ])
    await writeFile(join(folder, 'root', 'admin-password'), 'test-admin')
    await writeFile(join(folder, 'root', 'new-password'), 'a new password\n')
    const shim = join(folder, 'bin', 'mailcanary')
    const script = `#!/bin/sh\nname=$1 sub=$2; shift 2\nexec ${process.execPath} ${PROGRAM} $name $sub --relay ${site.relayFile} "$@"\n`
    await writeFile(shim, script)
    await chmod(shim, 0o755)
    environment = {
      PATH: `${join(folder, 'bin')}:${process.env['PATH']}:/usr/sbin`,
      LDAPTLS_CACERT: await site.secret('ca', site.certificates.caPem),
      HOME: folder,
    }
    slapd = await ServerProcess.start({
      name: 'slapd',
      command: [
        findProgram('slapd') ?? '',
        '-d',
        '0',
        '-F',
        join(folder, 'config'),
        '-h',
        `${ldaps} ${ldapi}`,
      ],
      log: join(folder, 'slapd.log'),
      ready: signal => portOpen(port, '127.0.0.1', signal),
    })
    must(
      'ldapadd',
      ['-x', '-H', ldaps, '-D', 'cn=admin,dc=example,dc=org', '-w', 'test-admin'],
      'dn: dc=example,dc=org\nobjectClass: dcObject\nobjectClass: organization\no: Example\n',
    )
    blocks = [...(await readFile(PAGE, 'utf8')).matchAll(/^```(\w*)\n([^]*?)^```$/gm)].map(
      ([, language = '', text = '']) => ({ language, text }),
    )
  })

  afterAll(async () => {
    await site.stop()
    await slapd.stop()
    await rm(folder, { recursive: true, force: true })
  })

  function must(program: string, args: readonly string[], input = ''): string {
    const { status, stdout, stderr } = spawnSync(program, args, {
      input,
      encoding: 'utf8',
      env: { ...process.env, ...environment },
    })
    if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`)
    return stdout
  }

  function here(text: string): string {
    return text
      .replaceAll('ldaps://ldap.example.org', ldaps)
      .replaceAll('ldapi:///', ldapi)
      .replaceAll('/root/', `${join(folder, 'root')}/`)
      .replaceAll('/etc/mailcanary/', `${join(folder, 'etc')}/`)
  }

  /** Puts the blocks in force in their order, up to the one that holds a text. @returns what that one said */
  async function follow(until: string): Promise<string> {
    const count = blocks.findIndex(({ text }) => text.includes(until)) + 1
    if (count === 0) throw new Error(`no block of docs/directory.md has ${until}`)
    let said = ''
    for (const { language, text } of blocks.slice(0, count)) {
      const path = /^# (\/\S+)\n/.exec(text)?.[1]
      if (path !== undefined) await writeFile(here(path), here(text))
      if (language === 'sh') {
        // Where the page says that the relay can be started.
        if (text.includes('directory sync') && site.daemon === undefined) await site.start()
        const { status, stdout, stderr } = spawnSync(
          'bash',
          ['-e', '-o', 'pipefail', '-c', here(text)],
          { encoding: 'utf8', env: environment },
        )
        said = `${stdout}${stderr}`
        expect(status, `${text}\n${said}`).toBe(0)
      }
      if (language === 'yaml') {
        const own = here(text)
          .replace('directory:\n', '')
          .replace(
            /^( *)url: .*$/m,
            (line, indent: string) => `${line}\n${indent}ca: ${environment['LDAPTLS_CACERT']}`,
          )
        await site.configure({ directory: own.trimEnd(), delivery: '  retry: [1m]' })
      }
    }
    blocks = blocks.slice(count)
    return said
  }

  function verify(password: string): { readonly code: number | null; readonly said: string } {
    const { status, stdout, stderr } = spawnSync('mailcanary', ['directory', 'verify', 'alice'], {
      input: `${password}\n`,
      encoding: 'utf8',
      env: environment,
    })
    return { code: status, said: `${stdout}${stderr}` }
  }

  function search(bind: readonly string[], attribute: string): string {
    return must('ldapsearch', [
      '-x',
      '-LLL',
      '-H',
      ldaps,
      ...bind,
      '-b',
      'ou=users,dc=example,dc=org',
      '(uid=alice)',
      attribute,
    ])
  }

  test('makes a server that has an account, and a relay that takes its password', async () => {
    const made = await follow('directory ldif')
    const password = /shown this once: (\S+)/.exec(made)?.[1] ?? ''
    const status = await follow('directory status alice')
    expect(status).toContain('can log in with its password')
    expect(status).toContain('alice@example.org')
    expect(verify(password).code).toBe(0)
    expect(verify('another password').code).toBe(1)
    const reader = ['-D', 'cn=mailcanary,dc=example,dc=org', '-y', join(folder, 'reader')]
    await writeFile(
      join(folder, 'reader'),
      (await readFile(join(folder, 'etc', 'ldap-password'), 'utf8')).trim(),
    )
    expect(search(reader, 'mailPassword')).toContain('mailPassword')
    // Nobody else can, nor can the reader write.
    expect(search([], 'mailPassword')).not.toContain('mailPassword')
    const change =
      'dn: uid=alice,ou=users,dc=example,dc=org\nchangetype: modify\nreplace: mailPassword\nmailPassword: x\n'
    expect(() => must('ldapmodify', ['-x', '-H', ldaps, ...reader], change)).toThrow(
      'Insufficient access',
    )
    // The owner writes it and does not read it.
    must(
      'ldapmodify',
      ['-x', '-H', ldaps, '-D', 'cn=admin,dc=example,dc=org', '-w', 'test-admin'],
      'dn: uid=alice,ou=users,dc=example,dc=org\nchangetype: modify\nadd: userPassword\nuserPassword: owner\n',
    )
    const owner = ['-D', 'uid=alice,ou=users,dc=example,dc=org', '-w', 'owner']
    must('ldapmodify', ['-x', '-H', ldaps, ...owner], change)
    expect(search(owner, 'mailPassword')).not.toContain('mailPassword')
  })

  test('answers the question whether a new password has arrived', async () => {
    await follow('mkpasswd')
    must('mailcanary', ['directory', 'sync'])
    const status = await follow('directory status alice')
    const [title = '', example = ''] = blocks[0]?.text.split('\n').slice(1, 3) ?? []
    // As the page shows it, but for the times.
    const shape = (text: string): string =>
      text
        .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'TIME')
        .replaceAll(/\([^)]* ago\)/g, '(AGO)')
    expect(shape(status)).toContain(shape(`${title}\n${example}\n`))
    expect(verify('a new password').code).toBe(0)
    await follow('sync --accept')
    expect(blocks).toEqual([])
  })
})
