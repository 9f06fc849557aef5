import { expect, test } from 'vitest'

import { MailPassword, type Unfit } from '../../src/account/mail-password.ts'
import { DAY, MINUTE } from '../../src/base/clock.ts'
import { Secret } from '../../src/base/secret.ts'
import type { OwnerChange } from '../../src/directory/ldap-owner.ts'

const SESSION = {
  login: 'alice',
  account: '',
  way: 'directory',
  formToken: '',
  startedAt: 0,
} as const
const DIRECTORY_PASSWORD = new Secret('correct horse battery staple')

function rig(result: OwnerChange = { kind: 'changed' }): {
  readonly passwords: MailPassword
  readonly asked: string[]
  /** Stored passwords that logins are checked against. */
  readonly inForce: Set<string>
  readonly time: { now: number }
  /** How often the directory was compared with. */
  readonly compared: () => number
} {
  const asked: string[] = []
  const inForce = new Set<string>()
  const time = { now: 0 }
  let compared = 0
  const sync = async (): Promise<[]> => {
    compared++
    await new Promise(resolve => setImmediate(resolve))
    return []
  }
  const passwords = new MailPassword({
    directory: { isInForce: (_, hash) => inForce.has(hash), sync },
    owners: {
      async change(login, password, hash) {
        asked.push(`${login} ${password.reveal()} ${hash}`)
        return result
      },
    },
    maker: { scheme: 'sha512-crypt', make: async password => `{crypt}of ${password}` },
    door: { guarded: (_way, _login, _password, _network, check) => check() },
    report: () => undefined,
    clock: () => time.now,
  })
  return { passwords, asked, inForce, time, compared: () => compared }
}

test.each<[string, string, Unfit]>([
  ['short', 'eleven char', 'short'],
  ['of characters, not octets, short', 'ääääääääääß', 'short'],
  ['long', 'x'.repeat(600), 'long'],
  ['with a line end in it', 'some words\nand others', 'unprintable'],
  ['of half a character', 'some words \ud800', 'unprintable'],
  ['the login over again', 'AliceAliceAlice1', 'like-login'],
  ['that of the directory', DIRECTORY_PASSWORD.reveal(), 'like-directory'],
])('takes none that is %s, and asks nobody', async (_, wanted, why) => {
  const { passwords, asked } = rig()
  const result = await passwords.change(SESSION, DIRECTORY_PASSWORD, new Secret(wanted), '')
  expect(result).toEqual({ kind: 'unfit', why })
  expect(asked).toEqual([])
})

test('has arrived when logins go by it, and not before', async () => {
  const { passwords, inForce, asked, time } = rig()
  expect(passwords.stateOf('alice')).toBeUndefined()
  time.now = MINUTE
  const wanted = new Secret('a new password of hers')
  expect(await passwords.change(SESSION, DIRECTORY_PASSWORD, wanted, '')).toEqual({
    kind: 'changed',
  })
  expect(asked).toEqual(['alice correct horse battery staple {crypt}of a new password of hers'])
  expect(passwords.stateOf('alice')).toEqual({ at: MINUTE, state: 'under-way' })
  expect(passwords.stateOf('bob')).toBeUndefined()
  time.now = 3 * MINUTE
  inForce.add('{crypt}of a new password of hers')
  const arrived = { at: MINUTE, state: 'arrived', arrivedAt: 3 * MINUTE }
  expect(passwords.stateOf('alice')).toEqual(arrived)
  time.now = 4 * MINUTE
  expect(passwords.stateOf('alice')).toEqual(arrived)
  time.now = MINUTE + DAY
  expect(passwords.stateOf('alice')).toBeUndefined()
})

test('a change that was not answered is unconfirmed, until it is seen', async () => {
  const { passwords, inForce } = rig({ kind: 'unknown', cause: 'timeout' })
  const wanted = new Secret('a new password of hers')
  expect(await passwords.change(SESSION, DIRECTORY_PASSWORD, wanted, '')).toEqual({
    kind: 'unknown',
  })
  expect(passwords.stateOf('alice')).toMatchObject({ state: 'unconfirmed' })
  inForce.add('{crypt}of a new password of hers')
  expect(passwords.stateOf('alice')).toMatchObject({ state: 'arrived' })
})

test.each(['refused', 'unavailable', 'forbidden'] as const)(
  'a change that was %s leaves nothing behind',
  async kind => {
    const { passwords } = rig(kind === 'refused' ? { kind } : { kind, cause: 'some' })
    const wanted = new Secret('a new password of hers')
    expect(await passwords.change(SESSION, DIRECTORY_PASSWORD, wanted, '')).toEqual({ kind })
    expect(passwords.stateOf('alice')).toBeUndefined()
  },
)

test('many who look at once share a comparison', async () => {
  const { passwords, compared } = rig()
  await Promise.all(Array.from({ length: 50 }, () => passwords.look()))
  expect(compared()).toBe(1)
  const first = passwords.look()
  await new Promise(resolve => setImmediate(resolve))
  await Promise.all([first, ...Array.from({ length: 50 }, () => passwords.look())])
  expect(compared()).toBeLessThanOrEqual(3)
})
