import { rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'

import { afterEach, beforeAll, expect, test } from 'vitest'

import { ApplicationPasswords } from '../../src/account/application-passwords.ts'
import { Door } from '../../src/account/door.ts'
import { Refusals } from '../../src/account/refusals.ts'
import { SelfService } from '../../src/account/self-service.ts'
import { SqliteApplicationPasswords } from '../../src/account/sqlite-application-passwords.ts'
import { ServerIdentities } from '../../src/base/server-tls.ts'
import type { Directory } from '../../src/directory/directory.ts'
import { ExportFileSource } from '../../src/directory/export-file-source.ts'
import { accountRoutes } from '../../src/web/account/account-routes.ts'
import { PublicServer, type PublicOptions } from '../../src/web/public-server.ts'
import { setupPageRoutes } from '../../src/web/setup/setup-page.ts'
import { directoryOf, DOMAINS } from '../directory/fixture.ts'
import { testCertificates } from '../support/certificates.ts'
import { clientSettingsOf } from '../support/client-settings.ts'
import { ssha } from '../support/password.ts'
import { freePort } from '../support/ports.ts'
import { makeScratch, scratchFolder } from '../support/scratch.ts'
import { throttleOf } from '../support/throttle.ts'

/*
 * Where the page is and where it is not, and the headers that protect it; the directory is an export file, so that there is
 * only the mail password. The whole of it in a browser is in test/browser/account-page.test.ts.
 */
const PASSWORD = 'canary-demo'
const PROXIED = { 'x-forwarded-for': '198.51.100.7', 'x-forwarded-proto': 'https' }

let service: SelfService
let directory: Directory
let server: PublicServer | undefined

beforeAll(async () => {
  const folder = await makeScratch()
  const path = join(folder, 'passwords')
  await writeFile(path, `alice:${ssha(PASSWORD)}\n`)
  const source = new ExportFileSource({ name: 'export-file', path, domains: DOMAINS, settle: 0 })
  directory = directoryOf(folder, { sources: [source] }).directory
  await directory.start()
  return async () => {
    await directory.stop()
    await rm(folder, { recursive: true, force: true })
  }
})

afterEach(async () => {
  await server?.stop()
  server = undefined
})

/** @returns the port it listens on */
async function started(options: Partial<PublicOptions> = {}): Promise<number> {
  const report = (): void => undefined
  const clock = Date.now
  const applicationPasswords = new ApplicationPasswords({
    store: new SqliteApplicationPasswords(':memory:'),
    directory,
    report,
    clock,
  })
  service = new SelfService({
    directory,
    door: new Door({
      directory,
      throttle: throttleOf(clock),
      report,
      clock,
      delay: async () => undefined,
    }),
    applicationPasswords,
    mail: {
      limits: async () => ({ over: 'hold', uses: [] }),
      waiting: () => Promise.reject(new Error('the store is away')),
      refused: async () => [],
      classify: () => 'other',
    },
    refusals: new Refusals(clock),
    clock,
  })
  const { proxies = [] } = options
  const port = await freePort()
  server = new PublicServer({
    host: '127.0.0.1',
    port,
    routes: [
      setupPageRoutes(clientSettingsOf({ submission: 0 })),
      accountRoutes({ service, domain: 'example.org', proxies, clock }),
    ],
    ...options,
  })
  await server.start()
  return port
}

function ask(
  port: number,
  path: string,
  headers: Record<string, string> = {},
  form?: Record<string, string>,
): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}${path}`, {
    redirect: 'manual',
    headers,
    ...(form && { method: 'POST', body: new URLSearchParams(form) }),
  })
}

function signIn(port: number, headers: Record<string, string> = {}): Promise<Response> {
  const form = { login: 'alice', way: 'mail', password: PASSWORD }
  return ask(port, '/account/sign-in', { 'sec-fetch-site': 'same-origin', ...headers }, form)
}

const cookieOf = (answer: Response): string => answer.headers.get('set-cookie') ?? ''

test('on this host it is there without TLS, with a cookie that needs none', async () => {
  const port = await started()
  const answer = await signIn(port)
  expect(answer.status).toBe(303)
  expect(cookieOf(answer)).toMatch(
    /^mailcanary-account=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/,
  )
  const [cookie = ''] = cookieOf(answer).split(';')
  const page = await (await ask(port, '/account', { cookie })).text()
  expect(page).toContain('<h1>alice</h1>')
  // Nothing to change here, and what cannot be asked at the moment is said to be that.
  expect(page).not.toContain('Change it')
  expect(page).toContain('This cannot be shown at the moment; try later.')
  const strange = await ask(port, '/account', { cookie: 'mailcanary-account=guessed' })
  expect(await strange.text()).toContain('Sign in')
})

test('a proxy that nobody has named gets none: what is before it could be anybody', async () => {
  const port = await started()
  const marks = [PROXIED, { forwarded: 'for=198.51.100.7' }, { via: '1.1 proxy' }]
  for (const headers of marks as readonly Record<string, string>[]) {
    expect((await ask(port, '/account', headers)).status).toBe(404)
    expect((await signIn(port, headers)).status).toBe(404)
    expect((await ask(port, '/', headers)).status).toBe(200)
  }
})

test('behind a named proxy it is there for https and nothing else, and counts by the client', async () => {
  const port = await started({ proxies: ['127.0.0.1/32'] })
  expect((await ask(port, '/account')).status).toBe(404)
  const clear = { ...PROXIED, 'x-forwarded-proto': 'http' }
  expect((await ask(port, '/account', clear)).status).toBe(404)
  expect(cookieOf(await signIn(port, PROXIED))).toMatch(
    /^__Host-mailcanary-account=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
  )
  const guess = (i: number, client: string): Promise<Response> =>
    ask(
      port,
      '/account/sign-in',
      { ...PROXIED, 'x-forwarded-for': `203.0.113.9, ${client}`, 'sec-fetch-site': 'same-origin' },
      { login: 'alice', way: 'mail', password: `wrong ${i}` },
    )
  for (let i = 0; i < 10; i++) expect((await guess(i, '198.51.100.7')).status).toBe(403)
  expect((await guess(10, '198.51.100.7')).status).toBe(429)
  expect((await guess(10, '198.51.100.8')).status).toBe(403)
  // Who knows the password that was right before is not locked out by guesses.
  expect((await signIn(port, PROXIED)).status).toBe(303)
})

test('beyond this host plain HTTP is for the proxies alone', async () => {
  const port = await started({ host: '0.0.0.0', proxies: ['192.0.2.0/24'] })
  // From this host, but not one of the proxies: what it says of itself counts for nothing.
  expect((await ask(port, '/account', PROXIED)).status).toBe(404)
})

test('over TLS of our own its cookie is for TLS and this host alone', async () => {
  const folder = await scratchFolder()
  const certificates = await testCertificates(join(folder, 'ca'))
  const pair = await certificates.issue('relay.example.org')
  const tls = new ServerIdentities([{ certificate: pair.certificatePem, key: pair.keyPem }])
  const port = await started({ tls })
  const body = new URLSearchParams({ login: 'alice', way: 'mail', password: PASSWORD }).toString()
  const cookies = await new Promise<readonly string[] | undefined>((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        path: '/account/sign-in',
        method: 'POST',
        ca: certificates.caPem,
        servername: 'relay.example.org',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          host: `relay.example.org:${port}`,
          origin: `https://relay.example.org:${port}`,
          // A word of somebody who is no proxy.
          'x-forwarded-proto': 'http',
        },
      },
      answer => {
        answer.resume()
        resolve(answer.headers['set-cookie'])
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
  expect(cookies?.[0]).toMatch(/^__Host-mailcanary-account=.*; Secure$/)
})

test('no script, no frame, no other site, no cache', async () => {
  const port = await started()
  const page = await ask(port, '/account')
  expect(page.headers.get('content-security-policy')).toBe(
    "default-src 'none';style-src 'self';img-src 'self';base-uri 'none';form-action 'self';frame-ancestors 'none'",
  )
  expect(page.headers.get('cache-control')).toBe('no-store')
  expect(page.headers.get('referrer-policy')).toBe('same-origin')
  expect(await page.text()).not.toMatch(/<script|style=|onclick/)
  // What is no page has neither forms nor scripts.
  const style = await ask(port, '/assets/account.css')
  expect(style.headers.get('content-security-policy')).toContain("form-action 'none'")
  expect(style.status).toBe(200)
})

test('nobody is signed in by a form of another site', async () => {
  const port = await started()
  const foreign = [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'none', origin: `http://127.0.0.1:${port}` },
    { origin: 'https://example.net' },
    { origin: 'null' },
    {},
  ] as readonly Record<string, string>[]
  for (const headers of foreign) {
    const form = { login: 'alice', way: 'mail', password: PASSWORD }
    const answer = await ask(port, '/account/sign-in', headers, form)
    expect(answer.status).toBe(403)
    expect(answer.headers.has('set-cookie')).toBe(false)
  }
})

test('takes nothing but a small form', async () => {
  const port = await started()
  const post = (body: string, type: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}/account/sign-in`, {
      method: 'POST',
      body,
      headers: { 'content-type': type, 'sec-fetch-site': 'same-origin' },
    })
  expect((await post('{}', 'application/json')).status).toBe(415)
  expect((await post('a'.repeat(9_000), 'application/x-www-form-urlencoded')).status).toBe(413)
  expect((await post('', 'application/x-www-form-urlencoded')).status).toBe(422)
})

test('a signed-in page is for its cookie until it signs out', async () => {
  const port = await started()
  const [cookie = ''] = cookieOf(await signIn(port)).split(';')
  const page = await (await ask(port, '/account', { cookie })).text()
  const token = /name="form_token" value="([^"]+)"/.exec(page)?.[1] ?? ''
  const headers = { cookie, 'sec-fetch-site': 'same-origin' }
  expect((await ask(port, '/account/look', headers, { form_token: token })).status).toBe(303)
  expect((await ask(port, '/account/look', headers, { form_token: 'x' })).status).toBe(403)
  const out = await ask(port, '/account/sign-out', headers, { form_token: token })
  expect(cookieOf(out)).toMatch(/^mailcanary-account=;.*Max-Age=0$/)
  const after = await ask(port, '/account/look', headers, { form_token: token })
  expect(after.status).toBe(403)
  expect(await after.text()).toContain('You are signed out')
})
