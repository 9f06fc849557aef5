import { expect, onTestFinished, test } from 'vitest'

import { beginCodeFlow, type CodeFlow } from '../../../src/probe/oauth/code-flow.ts'
import { OAuthServer } from '../../support/oauth-server.ts'

async function begun(): Promise<{ readonly server: OAuthServer; readonly flow: CodeFlow }> {
  const server = await new OAuthServer().start()
  const client = { id: 'client-1', endpoints: server.endpoints }
  const flow = await beginCodeFlow(client, new AbortController().signal)
  onTestFinished(async () => {
    flow.close()
    await server.stop()
  })
  return { server, flow }
}

test('a browser that comes back signs in, with the verifier that only we know', async () => {
  const { server, flow } = await begun()
  const url = new URL(flow.url)
  expect(Object.fromEntries(url.searchParams)).toMatchObject({
    response_type: 'code',
    client_id: 'client-1',
    code_challenge_method: 'S256',
    access_type: 'offline',
  })
  const page = await fetch(server.agree(flow.url))
  expect(await page.text()).toContain('can be closed')
  expect((await flow.grant).refreshToken?.reveal()).toMatch(/^refresh-/)
  const [form] = server.asked
  expect(form?.get('code_verifier')?.length).toBeGreaterThanOrEqual(43)
  expect(flow.url).not.toContain(form?.get('code_verifier'))
})

test('an address that is pasted does the same where the browser is on another machine', async () => {
  const { server, flow } = await begun()
  flow.paste(`  ${server.agree(flow.url)}\n`)
  await expect(flow.grant).resolves.toBeDefined()
})

test('the code alone does too', async () => {
  const { server, flow } = await begun()
  flow.paste(new URL(server.agree(flow.url)).searchParams.get('code') ?? '')
  await expect(flow.grant).resolves.toBeDefined()
})

test('what belongs to another sign-in is not taken, by neither way', async () => {
  const { server, flow } = await begun()
  const other = await begun()
  const foreign = new URL(server.agree(flow.url))
  foreign.searchParams.set('state', new URL(other.flow.url).searchParams.get('state') ?? '')
  expect(() => flow.paste(foreign.href)).toThrow('another sign-in')
  await fetch(foreign)
  const ours = server.agree(flow.url)
  await fetch(ours)
  await flow.grant
  const codes = server.asked.map(form => form.get('code'))
  expect(codes).toEqual([new URL(ours).searchParams.get('code')])
})

test('a person who declines ends it', async () => {
  const { flow } = await begun()
  const state = new URL(flow.url).searchParams.get('state')
  const redirect = new URL(flow.url).searchParams.get('redirect_uri')
  await fetch(`${redirect}?error=access_denied&state=${state}`)
  await expect(flow.grant).rejects.toMatchObject({ kind: 'refused', message: 'access_denied' })
})
