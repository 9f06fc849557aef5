import { spawnSync } from 'node:child_process'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { parseStored } from '../../../src/directory/password/scheme.ts'
import { Verifier } from '../../../src/directory/password/verifier.ts'
import { findProgram, missing } from '../../support/server-process.ts'

// With an umlaut and a quote: what the shell, the encoding or a C string would spoil.
const PASSWORD = "canary-d'émo"

function output(program: string, args: readonly string[], input?: string): string {
  const { stdout, stderr, status } = spawnSync(findProgram(program) ?? program, args, {
    encoding: 'utf8',
    ...(input === undefined ? {} : { input }),
  })
  if (status !== 0) throw new Error(`${program}: ${stderr}`)
  return stdout.trim()
}

const verifier = new Verifier({ threads: 1, remember: 0 })
beforeAll(() => verifier.start())
afterAll(() => verifier.stop())

async function expectOnlyRight(value: string): Promise<void> {
  const stored = parseStored(value, true)
  if (typeof stored === 'string') throw new Error(`${value} is ${stored}`)
  expect(await verifier.verify('alice', stored, PASSWORD)).toEqual({ kind: 'match' })
  expect(await verifier.verify('alice', stored, 'canary')).toEqual({ kind: 'mismatch' })
}

describe.skipIf(missing('slappasswd'))('what slappasswd writes', () => {
  const modules = ['-o', 'module-path=/usr/lib/ldap']
  it.each([
    ['{SSHA}', ['-h', '{SSHA}']],
    ['{SSHA256}', [...modules, '-o', 'module-load=pw-sha2', '-h', '{SSHA256}']],
    ['{SSHA512}', [...modules, '-o', 'module-load=pw-sha2', '-h', '{SSHA512}']],
    ['{ARGON2}', [...modules, '-o', 'module-load=argon2', '-h', '{ARGON2}']],
    ['{CRYPT} of SHA-512', ['-c', '$6$%.16s']],
    // Ten characters of salt are what userdir-ldap asks for; crypt takes and writes eight.
    ['{CRYPT} of MD5', ['-c', '$1$%.10s']],
  ])('as %s is verified', async (_, options) => {
    await expectOnlyRight(output('slappasswd', [...options, '-s', PASSWORD, '-n']))
  })
})

describe.skipIf(missing('doveadm'))('what doveadm pw writes', () => {
  it.each(['SHA512-CRYPT', 'SHA256-CRYPT', 'MD5-CRYPT', 'BLF-CRYPT', 'SSHA', 'SSHA256', 'SSHA512'])(
    'as %s is verified',
    async scheme => {
      const cost = scheme === 'BLF-CRYPT' ? ['-r', '5'] : []
      await expectOnlyRight(output('doveadm', ['-O', 'pw', '-s', scheme, ...cost, '-p', PASSWORD]))
    },
  )
})

describe.skipIf(missing('mkpasswd'))('what mkpasswd writes', () => {
  it.each(['yescrypt', 'sha512crypt', 'bcrypt', 'scrypt'])('as %s is verified', async method => {
    await expectOnlyRight(output('mkpasswd', ['-s', '-m', method], `${PASSWORD}\n`))
  })
})

describe.skipIf(missing('perl'))("what perl's crypt writes", () => {
  it.each(['$y$j9T$testsalt$', '$2y$05$abcdefghijklmnopqrstuu', '$7$9/..../....testsalt', 'te'])(
    'for %s is verified',
    async setting => {
      const crypt =
        'binmode STDIN; my ($p, $s) = split /\\n/, join "", <STDIN>; print crypt($p, $s)'
      await expectOnlyRight(output('perl', ['-e', crypt], `${PASSWORD}\n${setting}`))
    },
  )
})
