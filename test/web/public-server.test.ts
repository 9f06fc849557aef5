import { afterEach, expect, test } from 'vitest'

import { PublicServer } from '../../src/web/public-server.ts'
import { setupPage, setupRoutes } from '../../src/web/setup-page.ts'
import { freePort } from '../support/server-process.ts'

const FACTS = {
  hostname: 'relay.example.org',
  domain: 'example.org',
  submissions: 465,
  submission: 587,
}

let server: PublicServer | undefined

afterEach(async () => {
  await server?.stop()
  server = undefined
})

async function started(): Promise<string> {
  const port = await freePort()
  server = new PublicServer({ host: '127.0.0.1', port, routes: [setupRoutes(FACTS)] })
  await server.start()
  return `http://127.0.0.1:${port}`
}

test('everybody may read how to set up a mail program, without a script', async () => {
  const answer = await fetch(`${await started()}/`)
  const text = await answer.text()
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(text).toContain('relay.example.org')
  expect(text).toContain('<td>465</td>')
  expect(text).toContain('port 587 with connection security STARTTLS')
  expect(text).not.toContain('<script')
})

test('its style is served, and nothing else of the folder', async () => {
  const origin = await started()
  expect((await fetch(`${origin}/assets/style.css`)).status).toBe(200)
  for (const path of [
    '/assets/index.html',
    '/assets/../public-server.ts',
    '/assets/%2e%2e/setup-page.ts',
    '/metrics',
  ]) {
    expect((await fetch(origin + path)).status).toBe(404)
  }
})

test('a relay with one port names that one', () => {
  const only = setupPage({ ...FACTS, submissions: 0 })
  expect(only).toContain('<td>587</td>')
  expect(only).toContain('<td>STARTTLS</td>')
  expect(only).not.toContain('Where that does not work')
})

test('it leads to the account page where there is one, and nowhere else', () => {
  expect(setupPage({ ...FACTS, account: true })).toContain('<a href="/account">')
  expect(setupPage(FACTS)).not.toContain('<a ')
})

test('what stands in the configuration cannot become markup', () => {
  expect(setupPage({ ...FACTS, domain: '"><script>alert(1)</script>' })).not.toContain('<script>')
})

test('beyond loopback it refuses to speak without TLS', async () => {
  server = new PublicServer({ host: '0.0.0.0', port: await freePort(), routes: [] })
  await expect(server.start()).rejects.toThrow(/needs a certificate/)
})

test('a port that is taken is told in a sentence', async () => {
  const origin = await started()
  const second = new PublicServer({
    host: '127.0.0.1',
    port: Number(new URL(origin).port),
    routes: [],
  })
  await expect(second.start()).rejects.toThrow(
    /public web listener cannot have 127\.0\.0\.1:\d+: another program/,
  )
  await second.stop()
})
