import { expect, test } from 'vitest'

import { Door, REFUSED_AT } from '../../src/account/door.ts'
import type { AccountEvent } from '../../src/account/events.ts'
import { Secret } from '../../src/base/secret.ts'
import type { Rejection } from '../../src/directory/account.ts'
import type { Proof } from '../../src/directory/ldap-owner.ts'
import type { LoginResult } from '../../src/directory/principal.ts'
import type { AccountStatus } from '../../src/directory/status.ts'
import type { LoginThrottle } from '../../src/relay/submission/login-throttle.ts'
import { throttleOf } from '../support/throttle.ts'

interface World {
  /** What the directory says, and how long it takes for it: milliseconds. */
  readonly proof?: Proof
  readonly takes?: number
  readonly rejection?: Rejection
  /** Seen only after a comparison. */
  readonly isNew?: boolean
}

function rig(world: World = {}): {
  readonly door: Door
  readonly throttle: LoginThrottle
  readonly delays: number[]
  readonly asked: string[]
  readonly events: AccountEvent[]
} {
  const delays: number[] = []
  const asked: string[] = []
  const events: AccountEvent[] = []
  let now = 0
  let known = world.isNew !== true
  const account: AccountStatus = {
    login: 'alice',
    uuid: 'uuid-1',
    rejection: world.rejection,
    scheme: '',
    addresses: [],
    keys: [],
    unusableKeys: 0,
    passwordSeenAt: undefined,
    passwordWrittenAt: undefined,
    changedAt: undefined,
  }
  const { proof = { kind: 'proven' }, takes = 10 } = world
  const mail: LoginResult =
    proof.kind === 'proven'
      ? { kind: 'accepted', principal: { login: 'alice', addresses: [] } }
      : proof
  const throttle = throttleOf(() => now)
  const door = new Door({
    throttle,
    directory: {
      loginOf: text => (text.includes(' ') ? undefined : text.toLowerCase()),
      account: login => (known && login === 'alice' ? account : undefined),
      async sync() {
        known = true
        return []
      },
      async authenticate(login) {
        asked.push(`mail ${login}`)
        now += takes
        return mail
      },
    },
    owners: {
      async prove(login) {
        asked.push(`directory ${login}`)
        now += takes
        return proof
      },
    },
    report: event => events.push(event),
    clock: () => now,
    async delay(milliseconds) {
      delays.push(milliseconds)
    },
  })
  return { door, throttle, delays, asked, events }
}

const secret = (text = 'secret'): Secret => new Secret(text)

test('each password goes to who can judge it, and to nobody else', async () => {
  const { door, asked, delays } = rig()
  const open = { kind: 'open', login: 'alice', account: 'uuid-1' }
  expect(await door.enter('directory', ' Alice ', secret(), '192.0.2.1')).toEqual(open)
  expect(await door.enter('mail', 'alice', secret(), '192.0.2.1')).toEqual(open)
  expect(asked).toEqual(['directory alice', 'mail alice'])
  expect(delays).toEqual([])
})

test.each([
  [3, REFUSED_AT - 3],
  [400, REFUSED_AT - 400],
  [REFUSED_AT + 1, REFUSED_AT - 1],
])('a refusal that took %i ms waits for the next whole second', async (takes, rest) => {
  for (const login of ['alice', 'nobody', 'no body']) {
    const { door, delays, asked } = rig({ proof: { kind: 'refused' }, takes })
    expect(await door.enter('directory', login, secret(), '192.0.2.1')).toEqual({ kind: 'refused' })
    expect(delays).toEqual([rest])
    expect(asked).toHaveLength(1)
  }
})

test('unavailable is not refused, and counts against nobody', async () => {
  const { door, events } = rig({ proof: { kind: 'unavailable', cause: 'it is down' } })
  for (let i = 0; i < 30; i++) {
    for (const way of ['directory', 'mail'] as const) {
      expect(await door.enter(way, 'alice', secret(`${i}`), '192.0.2.1')).toEqual({
        kind: 'unavailable',
      })
    }
  }
  expect(events[0]).toMatchObject({ result: 'unavailable', cause: 'it is down' })
})

test('ten different guesses at one login from one network are enough, by both passwords together', async () => {
  const { door, asked } = rig({ proof: { kind: 'refused' } })
  for (let i = 0; i < 10; i++) {
    const way = i % 2 === 0 ? 'directory' : 'mail'
    expect(await door.enter(way, 'alice', secret(`${i}`), '192.0.2.1')).toEqual({ kind: 'refused' })
  }
  const again = (login: string, network: string): Promise<unknown> =>
    door.enter('directory', login, secret('another'), network)
  expect(await again('ALICE', '192.0.2.1')).toEqual({ kind: 'too-many' })
  expect(asked).toHaveLength(10)
  // By network, so that nobody locks out somebody else.
  expect(await again('alice', '192.0.2.2')).toEqual({ kind: 'refused' })
  expect(await again('bob', '192.0.2.1')).toEqual({ kind: 'refused' })
})

test('guesses at the listeners for mail count at this door, and those here count there', async () => {
  const { door, throttle } = rig({ proof: { kind: 'refused' } })
  const guess = (password: string): string => {
    const { kind } = throttle.enter('alice', '192.0.2.1', password)
    if (kind === 'open') throttle.leave('alice', '192.0.2.1', password, 'wrong')
    return kind
  }
  for (let i = 0; i < 5; i++) expect(guess(`${i}`)).toBe('open')
  for (let i = 5; i < 10; i++) {
    expect((await door.enter('mail', 'alice', secret(`${i}`), '192.0.2.1')).kind).toBe('refused')
  }
  expect((await door.enter('mail', 'alice', secret('new'), '192.0.2.1')).kind).toBe('too-many')
  expect((await door.enter('directory', 'alice', secret('new'), '192.0.2.1')).kind).toBe('too-many')
  expect(guess('new')).toBe('closed')
})

test('who tries one password at many logins waits ever longer, and the one who knows does not', async () => {
  const { door, delays } = rig({ proof: { kind: 'refused' } })
  for (let i = 0; i < 60; i++) await door.enter('mail', `login-${i}`, secret(`${i}`), '192.0.2.1')
  expect(Math.max(...delays)).toBeGreaterThan(REFUSED_AT)
})

test('only so many guesses of a network wait at once', async () => {
  const { door } = rig({ proof: { kind: 'refused' } })
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, i) => door.enter('mail', `l${i}`, secret(`${i}`), '192.0.2.1')),
  )
  expect(answers.filter(({ kind }) => kind === 'too-many')).toHaveLength(10)
})

test.each(['locked', 'expired', 'retired', 'duplicate', 'restricted'] as const)(
  'who is %s does not come in',
  async rejection => {
    const { door } = rig({ rejection })
    const barred = { kind: 'barred', rejection }
    expect(await door.enter('directory', 'alice', secret(), '192.0.2.1')).toEqual(barred)
    expect(door.admits('directory', rejection)).toBe(false)
  },
)

test.each(['no-password', 'malformed', 'too-costly', 'ambiguous'] as const)(
  'whose mail password is %s comes in by the directory’s, to mend it',
  async rejection => {
    const { door } = rig({ rejection })
    const result = await door.enter('directory', 'alice', secret(), '192.0.2.1')
    expect(result.kind).toBe('open')
    expect(door.admits('mail', rejection)).toBe(false)
  },
)

test('who is new is looked for before anybody is told to go', async () => {
  const { door } = rig({ isNew: true })
  expect((await door.enter('directory', 'alice', secret(), '192.0.2.1')).kind).toBe('open')
  const stranger = await door.enter('directory', 'bob', secret(), '192.0.2.1')
  expect(stranger).toEqual({ kind: 'barred', rejection: 'unknown-here' })
})

test('no event holds a password', async () => {
  const { door, events } = rig({ proof: { kind: 'refused' } })
  await door.enter('mail', 'alice', secret('hunter2'), '192.0.2.1')
  expect(JSON.stringify(events)).not.toContain('hunter2')
})
