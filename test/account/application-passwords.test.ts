import { expect, onTestFinished, test } from 'vitest'

import type { ApplicationPasswordStore } from '../../src/account/application-password-store.ts'
import {
  newApplicationPassword,
  newMailPassword,
  plainForm,
} from '../../src/account/application-password.ts'
import { ApplicationPasswords } from '../../src/account/application-passwords.ts'
import type { AccountEvent } from '../../src/account/events.ts'
import { SqliteApplicationPasswords } from '../../src/account/sqlite-application-passwords.ts'
import { DAY, HOUR } from '../../src/base/clock.ts'
import type { AccountStatus } from '../../src/directory/status.ts'
import { eventually } from '../support/server-process.ts'

const T0 = Date.UTC(2026, 10, 28, 14)
const PASSWORD = 'her ordinary mail password'

/** A directory of one person, whose state a test changes; it counts how often it was asked for a password. */
function rig(store: ApplicationPasswordStore = new SqliteApplicationPasswords(':memory:')): {
  readonly passwords: ApplicationPasswords
  readonly store: ApplicationPasswordStore
  readonly events: AccountEvent[]
  readonly directory: { account: AccountStatus | undefined; ready: boolean; asked: number }
  readonly time: { now: number }
} {
  const directory = {
    ready: true,
    asked: 0,
    account: {
      login: 'alice',
      uuid: 'uuid-1',
      rejection: undefined,
      scheme: '',
      addresses: ['alice@example.org'],
      keys: [],
      unusableKeys: 0,
      passwordSeenAt: undefined,
      passwordWrittenAt: undefined,
      changedAt: undefined,
    } as AccountStatus | undefined,
  }
  const events: AccountEvent[] = []
  const time = { now: T0 }
  const account = (login: string): AccountStatus | undefined =>
    login === directory.account?.login ? directory.account : undefined
  const principal = (
    login: string,
  ): { login: string; addresses: readonly string[] } | undefined => {
    const found = account(login)
    return found === undefined || found.rejection !== undefined ? undefined : found
  }
  const passwords = new ApplicationPasswords({
    store,
    directory: {
      account,
      principal,
      loginOf: text => (text.includes(' ') ? undefined : text.replace('@example.org', '')),
      ready: () => directory.ready,
      async authenticate(login, password) {
        directory.asked++
        const found = principal(login)
        return found !== undefined && password === PASSWORD
          ? { kind: 'accepted', principal: found }
          : { kind: 'refused' }
      },
    },
    report: event => events.push(event),
    clock: () => time.now,
  })
  onTestFinished(() => passwords.stop())
  return { passwords, store, events, directory, time }
}

/** A store that is away. */
const AWAY = new Proxy({} as ApplicationPasswordStore, {
  get: (_, name) => async () => {
    if (name !== 'close') throw new Error('the database is not available')
  },
})

test('has 120 bits, a shape of its own, and is taken however it was typed', () => {
  const made = new Set(Array.from({ length: 1_000 }, () => newApplicationPassword().reveal()))
  expect(made.size).toBe(1_000)
  const digits = new Set([...made].flatMap(text => Array.from(text.slice(3).replaceAll('-', ''))))
  expect(digits.size).toBe(32)
  const [one = ''] = made
  expect(one).toMatch(/^mc(-[0-9a-hjkmnp-tv-z]{4}){6}$/)
  const plain = plainForm(one)
  for (const typed of [one.toUpperCase(), one.replaceAll('-', ''), one.replaceAll('-', ' ')]) {
    expect(plainForm(typed)).toBe(plain)
  }
  for (const other of [PASSWORD, '', `${one}0`, one.slice(1), newMailPassword().reveal()]) {
    expect(plainForm(other)).toBeUndefined()
  }
})

test('lets a program in, by the login as by its address, without asking the directory', async () => {
  const { passwords, directory, events } = rig()
  const secret = (await passwords.create('alice', 'laptop'))?.reveal() ?? ''
  for (const login of ['alice', 'alice@example.org']) {
    expect(await passwords.authenticate(login, secret)).toMatchObject({
      kind: 'accepted',
      principal: { login: 'alice' },
    })
  }
  expect(directory.asked).toBe(0)
  expect(await passwords.authenticate('bob', secret)).toEqual({ kind: 'refused' })
  expect(JSON.stringify(events)).not.toContain(secret)
})

test('costs an ordinary login nothing: the store is not asked, and may be away', async () => {
  const { passwords } = rig(AWAY)
  expect(await passwords.authenticate('alice', PASSWORD)).toMatchObject({ kind: 'accepted' })
  expect(await passwords.authenticate('alice', 'wrong')).toEqual({ kind: 'refused' })
})

test('unavailable is not refused: what cannot be looked up is not wrong', async () => {
  const { passwords } = rig(AWAY)
  const secret = newApplicationPassword().reveal()
  expect(await passwords.authenticate('alice', secret)).toMatchObject({ kind: 'unavailable' })
  expect(await passwords.authenticate('nobody', secret)).toMatchObject({ kind: 'unavailable' })
})

test('a guess is looked up for every login alike, and then goes the ordinary way', async () => {
  const looked: string[] = []
  const inner = new SqliteApplicationPasswords(':memory:')
  const store: ApplicationPasswordStore = Object.assign(Object.create(inner) as typeof inner, {
    find: (login: string, digest: Buffer) => {
      looked.push(login)
      return inner.find(login, digest)
    },
    close: () => inner.close(),
  })
  const { passwords, directory } = rig(store)
  for (const login of ['alice', 'nobody']) {
    const guess = newApplicationPassword().reveal()
    expect(await passwords.authenticate(login, guess)).toEqual({ kind: 'refused' })
  }
  expect(looked).toEqual(['alice', 'nobody'])
  expect(directory.asked).toBe(2)
})

test('is dead while its account is locked, and with another person of the same login', async () => {
  const { passwords, directory } = rig()
  const secret = (await passwords.create('alice', 'laptop'))?.reveal() ?? ''
  const alive = directory.account
  if (alive === undefined) throw new Error('no account')
  for (const rejection of ['locked', 'expired', 'retired', 'no-password'] as const) {
    directory.account = { ...alive, rejection }
    expect(await passwords.authenticate('alice', secret), rejection).toEqual({ kind: 'refused' })
  }
  directory.account = { ...alive, uuid: 'uuid-2' }
  expect(await passwords.authenticate('alice', secret)).toEqual({ kind: 'refused' })
  directory.account = undefined
  expect(await passwords.authenticate('alice', secret)).toEqual({ kind: 'refused' })
  directory.account = alive
  expect(await passwords.authenticate('alice', secret)).toMatchObject({ kind: 'accepted' })
})

test('a login writes down when, once an hour at most', async () => {
  const { passwords, time } = rig()
  const secret = (await passwords.create('alice', 'laptop'))?.reveal() ?? ''
  const usedAt = async (): Promise<number | undefined> => (await passwords.list('alice'))[0]?.usedAt
  for (const [after, written] of [
    [0, T0],
    [HOUR - 1, T0],
    [HOUR, T0 + HOUR],
  ] as const) {
    time.now = T0 + after
    expect(await passwords.authenticate('alice', secret)).toMatchObject({ kind: 'accepted' })
    await eventually(async () => (await usedAt()) === written, `use of ${written}`)
  }
})

test('revoked is revoked with the next login; those of who has gone are forgotten after a month', async () => {
  const { passwords, directory, time } = rig()
  const secret = (await passwords.create('alice', 'laptop'))?.reveal() ?? ''
  const [made] = await passwords.list('alice')
  expect(await passwords.revoke('bob', made?.id ?? '')).toBe(false)
  expect(await passwords.revoke('alice', made?.id ?? '')).toBe(true)
  expect(await passwords.authenticate('alice', secret)).toEqual({ kind: 'refused' })

  await passwords.create('alice', 'phone')
  directory.account = undefined
  time.now = T0 + 29 * DAY
  await passwords.sweep()
  expect(await passwords.list('alice')).toHaveLength(1)
  time.now = T0 + 31 * DAY
  directory.ready = false
  await passwords.sweep()
  expect(await passwords.list('alice')).toHaveLength(1)
  directory.ready = true
  await passwords.sweep()
  expect(await passwords.list('alice')).toHaveLength(0)
})

test('nobody has more than anybody may have', async () => {
  const { passwords } = rig()
  for (let i = 0; i < 20; i++) expect(await passwords.create('alice', `${i}`)).toBeDefined()
  expect(await passwords.create('alice', 'one more')).toBeUndefined()
})
