import { spawnSync } from 'node:child_process'

import { afterEach, expect, test } from 'vitest'

import { longestFor, MADE_SCHEMES, PasswordMaker } from '../../../src/directory/password/maker.ts'
import { parseStored } from '../../../src/directory/password/scheme.ts'
import { Verifier } from '../../../src/directory/password/verifier.ts'
import { findProgram, missing } from '../../support/server-process.ts'

const PASSWORD = 'ein Paßwort mit “Zeichen”'

let maker: PasswordMaker | undefined
afterEach(() => maker?.stop())

test.each(MADE_SCHEMES)('what is made as %s is taken by us and by other programs', async scheme => {
  maker = new PasswordMaker(scheme)
  await maker.start()
  const made = [await maker.make(PASSWORD), await maker.make(PASSWORD)]
  expect(new Set(made).size).toBe(2)
  const verifier = new Verifier({ threads: 1 })
  await verifier.start()
  for (const hash of made) {
    const stored = parseStored(hash ?? '', false)
    if (typeof stored === 'string') throw new Error(stored)
    expect(stored).toMatchObject({ kind: 'crypt', scheme })
    expect(await verifier.verify('alice', stored, PASSWORD)).toEqual({ kind: 'match' })
    expect(await verifier.verify('alice', stored, `${PASSWORD}.`)).toEqual({ kind: 'mismatch' })
  }
  await verifier.stop()
  // perl's crypt() is the system's, as slapd's {CRYPT} and Dovecot's are.
  const bare = (made[0] ?? '').replace('{crypt}', '')
  const judge = `chomp(my $p = <STDIN>); print crypt($p, $ARGV[0]) eq $ARGV[0] ? "same" : "other"`
  const perl = findProgram('perl') ?? 'perl'
  expect(spawnSync(perl, ['-e', judge, bare], { input: PASSWORD, encoding: 'utf8' }).stdout).toBe(
    'same',
  )
})

test.skipIf(missing('doveadm'))('Dovecot takes it, prefix and all', async () => {
  maker = new PasswordMaker('sha512-crypt')
  await maker.start()
  const hash = (await maker.make('canary-demo')) ?? ''
  const { stdout } = spawnSync(
    findProgram('doveadm') ?? '',
    ['pw', '-t', hash, '-p', 'canary-demo'],
    {
      encoding: 'utf8',
    },
  )
  expect(stdout).toContain('(verified)')
})

test('makes nothing before it has begun, or where it cannot', async () => {
  maker = new PasswordMaker('sha512-crypt')
  expect(await maker.make(PASSWORD)).toBeUndefined()
  await maker.start()
  expect(await maker.make('x'.repeat(600))).toBeUndefined()
  expect(await maker.make('x'.repeat(longestFor('sha512-crypt')))).toMatch(/^\{crypt\}\$6\$/)
})
