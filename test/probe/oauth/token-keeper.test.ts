import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { HOUR, MINUTE, SECOND } from '../../../src/base/clock.ts'
import { Secret } from '../../../src/base/secret.ts'
import type { ProbeEvent } from '../../../src/probe/events.ts'
import { TokenFile } from '../../../src/probe/oauth/token-file.ts'
import { TokenKeeper } from '../../../src/probe/oauth/token-keeper.ts'
import { SignInError } from '../../../src/probe/seed.ts'
import { OAuthServer } from '../../support/oauth-server.ts'
import { scratchFolder } from '../../support/scratch.ts'

const START = Date.UTC(2026, 10, 23, 12)

interface Kept {
  readonly server: OAuthServer
  readonly file: TokenFile
  readonly events: ProbeEvent[]
  readonly keeper: TokenKeeper
  now: number
  /** What a person does: signs in, with a token that lasts an hour. */
  signIn(): Promise<void>
}

async function kept(): Promise<Kept> {
  const server = await new OAuthServer().start()
  onTestFinished(() => server.stop())
  const file = new TokenFile(join(await scratchFolder(), 'tokens', 'seed-1'), 'seed-1', undefined)
  const events: ProbeEvent[] = []
  const it: Kept = {
    server,
    file,
    events,
    now: START,
    keeper: new TokenKeeper({
      seed: 'seed-1',
      provider: 'hotmail',
      client: { id: 'client-1', endpoints: server.endpoints },
      file,
      report: event => events.push(event),
      clock: () => it.now,
    }),
    async signIn() {
      const { accessToken, refreshToken } = server.grant()
      await file.write({
        accessToken: new Secret(accessToken),
        refreshToken: new Secret(refreshToken),
        accessUntil: it.now + HOUR,
        signedInAt: it.now,
        refreshedAt: it.now,
      })
    },
  }
  return it
}

const kinds = (events: readonly ProbeEvent[]): readonly string[] =>
  events.map(event => (event.kind === 'token-failed' ? event.result : event.kind))

test('a token that is good is used as it is', async () => {
  const it = await kept()
  await it.signIn()
  const credential = await it.keeper.credential()
  expect(credential).toMatchObject({ kind: 'oauth2' })
  await it.keeper.check()
  expect(it.server.asked).toEqual([])
  expect(it.events).toEqual([
    { kind: 'token-refreshed', seed: 'seed-1', provider: 'hotmail', until: START + HOUR },
  ])
})

test('it is refreshed before it ends, and the new refresh token is stored before anybody has the access token', async () => {
  const it = await kept()
  await it.signIn()
  const before = await it.file.read()
  it.now += 49 * MINUTE
  await it.keeper.check()
  expect(it.server.asked).toHaveLength(0)
  it.now += 2 * MINUTE
  const credential = await it.keeper.credential()
  const after = await it.file.read()
  expect(it.server.asked).toHaveLength(1)
  expect(credential.kind === 'oauth2' && credential.accessToken.reveal()).toBe(
    after?.accessToken.reveal(),
  )
  expect(after?.refreshToken.reveal()).not.toBe(before?.refreshToken.reveal())
  expect(after).toMatchObject({
    signedInAt: START,
    refreshedAt: it.now,
    accessUntil: it.now + HOUR,
  })
  expect(kinds(it.events)).toEqual(['token-refreshed', 'token-refreshed'])
})

test('a server that gives no new refresh token means the old one', async () => {
  const it = await kept()
  await it.signIn()
  it.server.rotates = false
  const before = await it.file.read()
  it.now += HOUR
  await it.keeper.check()
  expect((await it.file.read())?.refreshToken.reveal()).toBe(before?.refreshToken.reveal())
  it.now += HOUR
  await it.keeper.check()
  expect(kinds(it.events)).toEqual(['token-refreshed', 'token-refreshed', 'token-refreshed'])
})

test('many who need a token at once refresh it once', async () => {
  const it = await kept()
  await it.signIn()
  it.now += 2 * HOUR
  await Promise.all([it.keeper.credential(), it.keeper.credential(), it.keeper.check()])
  expect(it.server.asked).toHaveLength(1)
})

test('a sign-in that is over is told once, asked of nobody again, and ends when a person has signed in', async () => {
  const it = await kept()
  await it.signIn()
  it.server.revokeAll()
  it.now += HOUR
  for (let i = 0; i < 3; i++) {
    await it.keeper.check()
    await expect(it.keeper.credential()).rejects.toThrow(SignInError)
  }
  expect(it.server.asked).toHaveLength(1)
  expect(kinds(it.events)).toEqual(['token-refreshed', 'refused'])
  const failed = it.events.at(-1)
  expect(failed?.kind === 'token-failed' && failed.detail).toMatch(
    /^the sign-in is over \(invalid_grant: AADSTS70000: <address> must sign in\): mailcanary seed login seed-1$/,
  )
  await it.signIn()
  await expect(it.keeper.credential()).resolves.toMatchObject({ kind: 'oauth2' })
  expect(kinds(it.events)).toEqual(['token-refreshed', 'refused', 'token-refreshed'])
})

test('nobody having signed in is told once, and no secret is in what is told', async () => {
  const it = await kept()
  await expect(it.keeper.credential()).rejects.toThrow('mailcanary seed login seed-1')
  await it.keeper.check()
  expect(kinds(it.events)).toEqual(['refused'])
  await it.signIn()
  await it.keeper.check()
  expect(JSON.stringify(it.events)).not.toMatch(/access-|refresh-/)
})

test('a client whose secret has ended is a person’s affair, and not called a lost sign-in', async () => {
  const it = await kept()
  await it.signIn()
  it.server.secret = 'a new one'
  it.now += HOUR
  await expect(it.keeper.credential()).rejects.toThrow(
    'the OAuth client is refused (invalid_client)',
  )
})

test.each([
  ['an outage', [503, 'no'] as const],
  ['a page of a proxy', [200, '<html>'] as const],
  ['a word nobody knows', [400, { error: 'odd_mood' }] as const],
  ['too many requests', [429, { error: 'slow' }] as const],
  ['an answer without a token', [200, { token_type: 'Bearer' }] as const],
])(
  '%s passes: the old token is used while it is good, and it is tried again',
  async (_, answer) => {
    const it = await kept()
    await it.signIn()
    it.server.instead.push(answer, answer)
    it.now += 55 * MINUTE
    await expect(it.keeper.credential()).resolves.toMatchObject({ kind: 'oauth2' })
    expect(kinds(it.events)).toEqual(['token-refreshed', 'unavailable'])
    // Not at once again, and then less and less often.
    it.now += 30 * SECOND
    await it.keeper.check()
    expect(it.server.asked).toHaveLength(1)
    it.now += 31 * SECOND
    await it.keeper.check()
    it.now += 61 * SECOND
    await it.keeper.check()
    expect(it.server.asked).toHaveLength(2)
    it.now += 61 * SECOND
    await it.keeper.check()
    expect(it.server.asked).toHaveLength(3)
    expect(kinds(it.events)).toEqual([
      'token-refreshed',
      'unavailable',
      'unavailable',
      'token-refreshed',
    ])
  },
)

test('an outage that outlasts the token is no sign-in fault', async () => {
  const it = await kept()
  await it.signIn()
  await it.server.stop()
  it.now += 2 * HOUR
  const error: unknown = await it.keeper.credential().catch((error: unknown) => error)
  expect(error).not.toBeInstanceOf(SignInError)
  expect(error).toMatchObject({ kind: 'unavailable' })
})

test('somebody who signs in during a refresh is not overwritten by it', async () => {
  const it = await kept()
  await it.signIn()
  it.now += HOUR
  it.server.meanwhile = () => {
    it.now += SECOND
    return it.signIn()
  }
  await it.keeper.credential()
  expect(it.server.asked).toHaveLength(1)
  expect(await it.file.read()).toMatchObject({ signedInAt: it.now, accessUntil: it.now + HOUR })
})

test('a refused access token is asked for anew', async () => {
  const it = await kept()
  await it.signIn()
  const first = await it.keeper.credential()
  const second = await it.keeper.credential(true)
  expect(it.server.asked).toHaveLength(1)
  expect(first.kind === 'oauth2' && first.accessToken.reveal()).not.toBe(
    second.kind === 'oauth2' && second.accessToken.reveal(),
  )
})
