import { request, type IncomingMessage } from 'node:http'
import { request as requestOverTls } from 'node:https'
import type { TLSSocket } from 'node:tls'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { createAuthority } from '../../src/base/certificate.ts'
import { startInOrder } from '../../src/base/lifecycle.ts'
import { Problem } from '../../src/base/problem.ts'
import { Secret } from '../../src/base/secret.ts'
import { ServerIdentities } from '../../src/base/server-tls.ts'
import { createHealth, type HealthCheck } from '../../src/observe/health.ts'
import { SqliteHistory } from '../../src/probe/sqlite-history.ts'
import type { MessageRecord } from '../../src/relay/queue/store.ts'
import { AdminServer, type AdminOptions } from '../../src/web/admin-server.ts'
import { hasSession } from '../../src/web/admin-session.ts'
import type { CanaryDetails } from '../../src/web/browser/status-data.ts'
import { sighting } from '../contract/history-samples.ts'
import { addCanary, sampleStatus, verdictOf } from '../support/sample-history.ts'

const message: MessageRecord = {
  message: {
    id: '01HZXAMP0E000001',
    login: 'alice',
    acceptedAt: 1_000,
    messageId: '<a@example.org>',
    size: 10,
    envelope: { reversePath: '', recipients: [], eightBit: false, smtputf8: false },
  },
  recipients: [],
  timeline: [],
}

let history: SqliteHistory
let server: AdminServer
let origin: string

function optionsWith(options: Partial<AdminOptions> = {}): AdminOptions {
  return {
    host: '127.0.0.1',
    port: 0,
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', text: 'up 1\n' }),
    health: createHealth({ alive: [], ready: [] }),
    status: sampleStatus(history, Date.now),
    trace: async id => (id === message.message.id ? message : undefined),
    ...options,
  }
}

async function startWith(options: Partial<AdminOptions> = {}): Promise<void> {
  server = new AdminServer(optionsWith(options))
  await server.start()
  origin = `${options.tls ? 'https' : 'http'}://127.0.0.1:${server.port}`
}

beforeEach(() => {
  history = new SqliteHistory(':memory:')
})
afterEach(() => server.stop())

/** What server-sent events tell, one by one. */
async function* statusEvents(answer: Response): AsyncGenerator {
  let text = ''
  for await (const chunk of answer.body ?? []) {
    text += Buffer.from(chunk).toString()
    const events = text.split('\n\n')
    text = events.pop() ?? ''
    for (const event of events) {
      const data = /^data: (.*)$/m.exec(event)?.[1]
      if (data !== undefined) yield JSON.parse(data)
    }
  }
}

/** Status of a request that names its host as it likes, which fetch does not allow. */
async function statusFor(headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    request(`${origin}/api/status`, { headers }, answer => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
      .once('error', reject)
      .end()
  })
}

describe('the admin listener', () => {
  it('hands out the metrics with their own media type', async () => {
    await startWith()
    const answer = await fetch(`${origin}/metrics`)
    expect(answer.headers.get('content-type')).toContain('version=0.0.4')
    expect(await answer.text()).toBe('up 1\n')
  })

  it('answers 503 and says which check failed, while it is alive but not ready', async () => {
    const full: HealthCheck = { name: 'store', check: () => ({ ok: false, detail: 'disk full' }) }
    await startWith({ health: createHealth({ alive: [], ready: [full] }) })
    expect((await fetch(`${origin}/healthz`)).status).toBe(200)
    const ready = await fetch(`${origin}/readyz`)
    expect(ready.status).toBe(503)
    expect(await ready.json()).toMatchObject({ checks: [{ name: 'store', detail: 'disk full' }] })
  })

  it('serves the page and everything it refers to, under a policy without inline code', async () => {
    await startWith()
    const page = await fetch(origin)
    const policy = page.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toContain('unsafe')
    const html = await page.text()
    expect(html).not.toMatch(/<script(?![^>]*src=)|<style|\son\w+=|\sstyle=/)
    // The page's own code exists only after the build.
    const links = [...html.matchAll(/(?:href|src)="(\/assets\/(?!main\.js)[^"]+)"/g)]
    expect(links.map(([, path]) => path)).toContain('/assets/chart.umd.min.js')
    for (const [, path] of links) {
      expect((await fetch(origin + path)).status, path).toBe(200)
    }
  })

  it('serves nothing but the files of the page', async () => {
    await startWith()
    for (const path of ['/assets/main.ts', '/assets/../admin-server.ts', '/assets/%2e%2e/a.js']) {
      expect((await fetch(origin + path)).status, path).toBe(404)
    }
  })

  it('shows what became of a canary, and never its token', async () => {
    await startWith()
    const { id } = await addCanary(history, { at: Date.now(), verdict: verdictOf('bounced') })
    const list = (await (await fetch(`${origin}/api/canaries`)).json()) as { canaries: unknown[] }
    expect(list.canaries).toMatchObject([{ id, verdict: 'bounced', stage: 'provider-refused' }])
    const details = await (await fetch(`${origin}/api/canaries/${id}`)).text()
    expect(details).toContain('S3150')
    expect(details).not.toContain('token')
  })

  it('cuts the token out of the header that it shows, in whatever case, and tells the hops', async () => {
    await startWith()
    const canary = await addCanary(history, { at: Date.now(), verdict: verdictOf('inbox') })
    const header = [
      'Received: by mx.example.net with ESMTPS id 1; Thu, 15 Jan 2026 12:00:05 +0000',
      'Received: from relay.example.org by mx.example.net with ESMTPS; Thu, 15 Jan 2026 12:00:03 +0000',
      `Message-ID: <${canary.token.toUpperCase()}@example.org>`,
      `X-Reference: ${canary.token}`,
      '',
    ].join('\r\n')
    await history.sighted(canary.id, sighting({ header }))
    const answer = await fetch(`${origin}/api/canaries/${canary.id}`)
    const text = await answer.text()
    expect(text.toLowerCase()).not.toContain(canary.token)
    const details = JSON.parse(text) as CanaryDetails
    expect(details.sightings[0]?.header).toContain('X-Reference: [token cut]')
    expect(details.sightings[0]?.hops.map(({ by, delay }) => [by, delay])).toEqual([
      ['mx.example.net', undefined],
      ['mx.example.net', 2_000],
    ])
  })

  it('gives the list and the matrix as files, and no formula in them', async () => {
    await startWith()
    const text = '=HYPERLINK("https://evil.example","a, b")'
    const reply = { code: 550, enhanced: '', text }
    await addCanary(history, {
      at: 1_000,
      verdict: { kind: 'rejected', cause: 'refused', reply },
    })
    for (let at = 2_000; at < 2_600; at++)
      await addCanary(history, { at, verdict: verdictOf('inbox') })
    const csv = await fetch(`${origin}/api/canaries.csv`)
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    expect(csv.headers.get('content-disposition')).toContain('filename="mailcanary-canaries.csv"')
    const lines = (await csv.text()).trimEnd().split('\r\n')
    // More than one part of the list, each canary once.
    expect(new Set(lines.map(line => line.split(',')[1])).size).toBe(602)
    expect(lines.at(-1)).toContain('"refused: 550 =HYPERLINK(""https://evil.example"",""a, b"")"')
    const json = await fetch(`${origin}/api/canaries.json?verdict=rejected`)
    expect(await json.json()).toMatchObject([{ verdict: 'rejected' }])
    expect(await (await fetch(`${origin}/api/canaries.json?origin=none`)).json()).toEqual([])
    const matrix = await (await fetch(`${origin}/api/status.csv?range=1h`)).text()
    expect(matrix).toMatch(/^origin,provider,judged,inbox,inbox_low,inbox_high,/)
    expect(matrix.split('\r\n')).toHaveLength(8)
  })

  it('tells who follows the status at once, and again when something has changed', async () => {
    await startWith()
    const stop = new AbortController()
    const answer = await fetch(`${origin}/api/events?range=1h`, { signal: stop.signal })
    expect(answer.headers.get('content-type')).toBe('text/event-stream')
    const events = statusEvents(answer)
    expect((await events.next()).value).toMatchObject({ range: '1h', any: false })
    await addCanary(history, { at: Date.now(), verdict: verdictOf('inbox') })
    server.changed()
    expect((await events.next()).value).toMatchObject({ any: true })
    stop.abort()
  })

  it('passes its filters on to the history', async () => {
    await startWith()
    await addCanary(history, { at: 2_000, verdict: verdictOf('inbox') })
    await addCanary(history, { at: 1_000, verdict: verdictOf('missing') })
    const answer = await fetch(`${origin}/api/canaries?verdict=missing&limit=5`)
    expect(await answer.json()).toMatchObject({ canaries: [{ verdict: 'missing' }] })
  })

  it('answers questions it does not understand with 400, and says which part', async () => {
    await startWith()
    for (const query of ['status?range=99y', 'canaries?limit=100000', 'canaries?colour=red']) {
      const answer = await fetch(`${origin}/api/${query}`)
      expect(answer.status, query).toBe(400)
      expect(Object.keys((await answer.json()) as object)).toEqual(['error'])
    }
  })

  it('knows a message by its queue id, and no other', async () => {
    await startWith()
    const known = await fetch(`${origin}/api/messages/${message.message.id}`)
    expect(await known.json()).toMatchObject({ message: { id: message.message.id } })
    for (const id of ['01HZXAMP0E000002', 'nonsense', '__proto__', 'x'.repeat(90)]) {
      expect((await fetch(`${origin}/api/messages/${id}`)).status, id).toBe(404)
    }
  })

  it('lets nobody keep the numbers', async () => {
    await startWith()
    for (const path of ['/api/status', '/api/canaries', '/metrics', '/readyz']) {
      expect((await fetch(origin + path)).headers.get('cache-control'), path).toBe('no-store')
    }
  })

  it('tells of a canary all the same where a relay elsewhere cannot be asked', async () => {
    const { id } = await addCanary(history, { at: Date.now() - 60_000 })
    await startWith({
      trace: async () => undefined,
      fateElsewhere: () => Promise.reject(new Error('no answer')),
    })
    const answer = await fetch(`${origin}/api/canaries/${id}`)
    expect(answer.status).toBe(200)
    expect(await answer.json()).not.toHaveProperty('elsewhere')
  })

  it('says that it cannot answer while the history is away, without its words', async () => {
    await startWith({ trace: () => Promise.reject(new Error('/var/lib/secret is on fire')) })
    const answer = await fetch(`${origin}/api/messages/${message.message.id}`)
    expect(answer.status).toBe(503)
    expect(await answer.text()).not.toContain('secret')
  })

  it('refuses a browser that was sent here under a stranger’s name', async () => {
    await startWith({ hostNames: ['mail.example.org'] })
    expect(await statusFor({ host: `evil.example:${server.port}` })).toBe(421)
    expect(await statusFor({ host: `localhost:${server.port}` })).toBe(200)
    expect(await statusFor({ host: 'mail.example.org' })).toBe(200)
    expect(await statusFor({ host: '[::1]:9464' })).toBe(200)
  })

  it('says in one sentence that another program has its port', async () => {
    await startWith()
    const second = new AdminServer(optionsWith({ port: server.port }))
    await expect(startInOrder([second])).rejects.toThrow(
      `The admin web listener cannot have 127.0.0.1:${server.port}: another program listens there.`,
    )
  })

  it('stops though a page keeps its connection', async () => {
    await startWith()
    await (await fetch(`${origin}/api/status`)).text()
    await server.stop()
    await expect(fetch(origin)).rejects.toThrow('fetch failed')
  })
})

describe('the admin listener beyond loopback', () => {
  it('does not start without a certificate and a token', async () => {
    await startWith()
    const open = new AdminServer(optionsWith({ host: '0.0.0.0', token: new Secret('t') }))
    await expect(open.start()).rejects.toThrow(Problem)
    await open.stop()
  })

  it('answers only who shows the token, as a program or as a person would', async () => {
    const authority = await createAuthority('test')
    await startWith({
      host: '0.0.0.0',
      tls: new ServerIdentities([await authority.issue(['status.example.org', '127.0.0.1'])]),
      token: new Secret('canary-demo'),
    })
    const ask = async (authorization: string): Promise<number | undefined> =>
      (await askOverTls({ path: '/metrics', headers: { authorization } })).statusCode
    expect(await ask('')).toBe(401)
    expect(await ask('Bearer wrong')).toBe(401)
    expect(await ask('Bearer canary-demo')).toBe(200)
    expect(await ask(`Basic ${Buffer.from('any:canary-demo').toString('base64')}`)).toBe(200)
    expect(await ask(`Basic ${Buffer.from('canary-demo:').toString('base64')}`)).toBe(401)
    // The names of its certificate are names of ours; others are not.
    const named = (host: string): Promise<IncomingMessage> =>
      askOverTls({ path: '/metrics', headers: { host, authorization: 'Bearer canary-demo' } })
    expect((await named('status.example.org')).statusCode).toBe(200)
    expect((await named('evil.example')).statusCode).toBe(421)
  })

  it('lets a browser log in with the token, and out again; it keeps a session, not the token', async () => {
    const authority = await createAuthority('test')
    const token = new Secret('canary-demo')
    await startWith({
      host: '0.0.0.0',
      tls: new ServerIdentities([await authority.issue(['127.0.0.1'])]),
      token,
    })
    const accept = 'text/html,*/*'
    const first = await askOverTls({ path: '/canaries/X?a=b', headers: { accept } })
    expect(first.statusCode).toBe(303)
    const to = '/login?to=%2Fcanaries%2FX%3Fa%3Db'
    expect(first.headers.location).toBe(to)
    const login = async (form: Record<string, string>): Promise<IncomingMessage> =>
      askOverTls({
        path: '/login',
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(form).toString(),
      })
    const wrong = await login({ token: 'guess', to: '/' })
    expect(wrong.statusCode).toBe(401)
    expect(wrong.headers['set-cookie']).toBeUndefined()
    const right = await login({ token: 'canary-demo', to: '/canaries/X?a=b' })
    expect(right.statusCode).toBe(303)
    expect(right.headers.location).toBe('/canaries/X?a=b')
    const [cookie = ''] = right.headers['set-cookie'] ?? []
    expect(cookie).toMatch(/^__Host-.*; Path=\/; Max-Age=\d+; Secure; HttpOnly; SameSite=Lax$/)
    expect(cookie).not.toContain('canary-demo')
    const session = cookie.split(';', 1)[0] ?? ''
    const status = async (value: string): Promise<number | undefined> =>
      (await askOverTls({ path: '/api/status', headers: { cookie: value } })).statusCode
    expect(await status(`other=1; ${session}`)).toBe(200)
    // Neither a longer life nor another key is believed.
    expect(await status(session.replace(/=(\d+)/, (_, until) => `=${Number(until) + 1}`))).toBe(401)
    expect(hasSession(session, new Secret('another'), Date.now())).toBe(false)
    expect(hasSession(session, token, Date.now() + 8 * 86_400_000)).toBe(false)
    // Nobody is led away by a link to the login page.
    for (const elsewhere of ['//evil.example/', 'https://evil.example/', '/\\evil.example']) {
      expect((await login({ token: 'canary-demo', to: elsewhere })).headers.location).toBe('/')
    }
  })

  it('shows another certificate without a restart', async () => {
    const authority = await createAuthority('test')
    const identities = async (name: string): Promise<ServerIdentities> =>
      new ServerIdentities([await authority.issue([name])])
    await startWith({ host: '0.0.0.0', tls: await identities('a.example'), token: new Secret('t') })
    const shown = async (): Promise<string> => {
      const answer = await askOverTls({ path: '/login', headers: {} })
      return String((answer.socket as TLSSocket).getPeerCertificate().subject.CN)
    }
    expect(await shown()).toBe('a.example')
    server.useIdentities(await identities('b.example'))
    expect(await shown()).toBe('b.example')
  })
})

async function askOverTls(question: {
  readonly path: string
  readonly method?: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}): Promise<IncomingMessage> {
  const { body = '', ...options } = question
  return new Promise((resolve, reject) => {
    const asked = requestOverTls(
      { host: '127.0.0.1', port: server.port, rejectUnauthorized: false, agent: false, ...options },
      answer => {
        answer.resume()
        resolve(answer)
      },
    )
    asked.once('error', reject).end(body)
  })
}
