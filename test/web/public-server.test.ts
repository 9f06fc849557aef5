import { afterEach, expect, test } from 'vitest'

import { PublicServer } from '../../src/web/public-server.ts'
import { setupPageRoutes } from '../../src/web/setup/setup-page.ts'
import { clientSettingsOf } from '../support/client-settings.ts'
import { freePort } from '../support/ports.ts'

let server: PublicServer | undefined

afterEach(async () => {
  await server?.stop()
  server = undefined
})

async function started(): Promise<string> {
  const port = await freePort()
  server = new PublicServer({
    host: '127.0.0.1',
    port,
    routes: [setupPageRoutes(clientSettingsOf())],
  })
  await server.start()
  return `http://127.0.0.1:${port}`
}

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
