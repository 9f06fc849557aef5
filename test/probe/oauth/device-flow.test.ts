import { expect, onTestFinished, test } from 'vitest'

import { Secret } from '../../../src/base/secret.ts'
import { signInByDevice } from '../../../src/probe/oauth/device-flow.ts'
import type { OAuthClient, TokenGrant } from '../../../src/probe/oauth/oauth-client.ts'
import { OAuthServer, type DeviceAnswer } from '../../support/oauth-server.ts'

const never = new AbortController().signal

async function serverThat(...answers: DeviceAnswer[]): Promise<OAuthServer> {
  const server = await new OAuthServer().start()
  onTestFinished(() => server.stop())
  server.device = answers
  return server
}

interface SignedIn {
  readonly grant: Promise<TokenGrant>
  readonly invited: { url: string; code: string; until: number }[]
  /** Milliseconds waited before each question. */
  readonly waits: number[]
}

/** Waits by turning the clock, which is how time passes here. */
function signIn(server: OAuthServer, client: Partial<OAuthClient> = {}): SignedIn {
  const invited: SignedIn['invited'] = []
  const waits: number[] = []
  let now = 1_000_000
  const grant = signInByDevice(
    { id: 'client-1', endpoints: server.endpoints, ...client },
    {
      invite: invitation => invited.push(invitation),
      clock: () => now,
      signal: never,
      wait: async ms => {
        waits.push(ms)
        now += ms
      },
    },
  )
  return { grant, invited, waits }
}

test('a person is shown a page and a code, and is waited for', async () => {
  const server = await serverThat('pending', 'pending', 'agreed')
  const { grant, invited, waits } = signIn(server)
  const { accessToken, refreshToken, lasts } = await grant
  expect(invited).toEqual([
    { url: 'https://login.example.net/device', code: 'ABCD-EFGH', until: 1_900_000 },
  ])
  expect(accessToken.reveal()).toMatch(/^access-/)
  expect(refreshToken?.reveal()).toMatch(/^refresh-/)
  expect(lasts).toBe(3_600_000)
  expect(waits).toEqual([5, 5, 5])
})

test('where no interval is named it is five seconds, and slow_down adds five each time', async () => {
  const server = await serverThat('pending', 'slow_down', 'pending', 'slow_down', 'agreed')
  server.interval = undefined
  const { grant, waits } = signIn(server)
  await grant
  expect(waits).toEqual([5_000, 5_000, 10_000, 10_000, 15_000])
})

test('a server that is down meanwhile is asked again, more slowly', async () => {
  const server = await serverThat('down', 'agreed')
  server.interval = undefined
  const { grant, waits } = signIn(server)
  await grant
  expect(waits).toEqual([5_000, 10_000])
})

test.each(['declined', 'expired'] as const)('a code that is %s ends it', async answer => {
  const server = await serverThat('pending', answer)
  await expect(signIn(server).grant).rejects.toMatchObject({ kind: 'refused' })
  expect(server.asked).toHaveLength(2)
})

test('nobody who never answers is waited for longer than the code lives', async () => {
  const server = await serverThat('pending')
  server.interval = 100
  await expect(signIn(server).grant).rejects.toMatchObject({ kind: 'refused' })
  expect(server.asked).toHaveLength(9)
})

test('a client that is not registered is a fault of the configuration', async () => {
  const server = await serverThat('agreed')
  await expect(signIn(server, { id: 'client-2' }).grant).rejects.toMatchObject({
    kind: 'misconfigured',
    message: 'unauthorized_client',
  })
})

test('the secret of a confidential client goes to the token endpoint, in the body', async () => {
  const server = await serverThat('agreed')
  server.secret = 'client secret'
  await signIn(server, { secret: new Secret('client secret') }).grant
  expect(server.asked[0]?.get('client_secret')).toBe('client secret')
})
