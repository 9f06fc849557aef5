import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { admitAll } from '../../src/directory/admission.ts'
import { rosterOf } from '../../src/directory/roster.ts'
import type { SourceEntry } from '../../src/directory/source.ts'
import { readSshKey } from '../../src/directory/ssh-key.ts'
import { accountStatusOf } from '../../src/directory/status.ts'
import { scratchFolder } from '../support/scratch.ts'
import { missing } from '../support/server-process.ts'
import { HASH } from './vectors.ts'

/** The public key of RFC 8709 shape that ssh-keygen would write for these 32 octets. */
function ed25519(octet: number): string {
  const name = Buffer.from('ssh-ed25519')
  const blob = Buffer.concat([
    Buffer.from([0, 0, 0, 11]),
    name,
    Buffer.from([0, 0, 0, 32]),
    Buffer.alloc(32, octet),
  ])
  return `ssh-ed25519 ${blob.toString('base64')}`
}

describe.skipIf(missing('ssh-keygen'))('a key of ssh-keygen', () => {
  it.each([
    ['ed25519', '256'],
    ['rsa', '2048'],
    ['ecdsa', '256'],
    ['ecdsa', '384'],
    ['ecdsa', '521'],
  ])('%s of %s bits is taken, with the fingerprint that ssh-keygen prints', async (type, bits) => {
    const path = join(await scratchFolder(), 'key')
    spawnSync('ssh-keygen', [
      '-q',
      '-t',
      type,
      '-b',
      bits,
      '-N',
      '',
      '-C',
      'me at home',
      '-f',
      path,
    ])
    const [line] = (await readFile(`${path}.pub`, 'utf8')).split('\n')
    const printed = spawnSync('ssh-keygen', ['-l', '-f', path], { encoding: 'utf8' }).stdout
    expect(readSshKey(line ?? '')).toBe(
      `${printed.split(' ')[1]} ${line?.split(' ').slice(0, 2).join(' ')}`,
    )
  })

  it('of 1024 bits is not', async () => {
    const path = join(await scratchFolder(), 'key')
    spawnSync('ssh-keygen', ['-q', '-t', 'rsa', '-b', '1024', '-N', '', '-f', path])
    expect(readSshKey(await readFile(`${path}.pub`, 'utf8'))).toBeUndefined()
  })
})

it.each([
  ['options', `command="/bin/sh" ${ed25519(1)}`],
  ['options without blanks', `no-pty ${ed25519(1)}`],
  ['a second line', `${ed25519(1)}\n${ed25519(2)}`],
  ['a second line by CR', `${ed25519(1)}\r${ed25519(2)}`],
  ['a NUL', `${ed25519(1)}\0`],
  ['another type in front', ed25519(1).replace('ssh-ed25519', 'ssh-rsa')],
  ['an unknown type', 'ssh-dss AAAAB3NzaC1kc3MAAAAB'],
  ['octets behind the key', ed25519(1).replace(/.{4}$/, match => `${match}AAAA`)],
  ['half of a key', ed25519(1).slice(0, -8)],
  ['no base64', ed25519(1).replace('AAAAC3', 'AAA"C3')],
  ['nothing', ''],
  ['a type alone', 'ssh-ed25519'],
  ['a certificate', ed25519(1).replace('ssh-ed25519 ', 'ssh-ed25519-cert-v01@openssh.com ')],
  ['too much', `${ed25519(1)} ${'x'.repeat(9_000)}`],
])('a value with %s is no key', (_, value) => {
  expect(readSshKey(value)).toBeUndefined()
})

function entry(login: string, change: Partial<SourceEntry>): SourceEntry {
  return {
    login,
    uuid: login,
    passwords: [HASH],
    barred: undefined,
    claims: [],
    grants: [],
    ...change,
  }
}

it('is its owner’s alone, and nobody’s who is locked', async () => {
  const entries = [
    entry('alice', { keys: [ed25519(1), ed25519(2), 'no key'] }),
    entry('bob', { keys: [ed25519(2)], passwords: [] }),
    entry('carol', { keys: [ed25519(3)], barred: 'expired' }),
    entry('dave', { keys: [ed25519(4)], passwords: ['!'] }),
    entry('erin', { keys: [ed25519(5), ed25519(5)], passwords: [] }),
  ]
  const snapshot = await admitAll(entries, 'ldap', undefined, { allowDes: false, now: 1 })
  const roster = await rosterOf([snapshot], [], new Map(), false)
  const owners = [1, 2, 3, 4, 5].map(octet => {
    const [fingerprint = '', ...key] = (readSshKey(ed25519(octet)) ?? '').split(' ')
    const owner = roster.keys.get(fingerprint)
    if (owner !== undefined) expect(owner.key).toBe(key.join(' '))
    return owner?.login
  })
  expect(owners).toEqual(['alice', undefined, undefined, undefined, 'erin'])
  expect(accountStatusOf(roster, 'alice')).toMatchObject({ unusableKeys: 2 })
  expect(accountStatusOf(roster, 'alice')?.keys).toHaveLength(1)
})
