import { request } from 'node:http'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { createAuthority } from '../../src/base/certificate.ts'
import { startInOrder } from '../../src/base/lifecycle.ts'
import { Problem } from '../../src/base/problem.ts'
import { Secret } from '../../src/base/secret.ts'
import { createHealth, type HealthCheck } from '../../src/observe/health.ts'
import { SqliteHistory } from '../../src/probe/sqlite-history.ts'
import type { MessageRecord } from '../../src/relay/queue/store.ts'
import { AdminServer, type AdminOptions } from '../../src/web/admin-server.ts'
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
      tls: await authority.issue(['127.0.0.1']),
      token: new Secret('canary-demo'),
    })
    const ask = (authorization: string): Promise<number> => askOverTls(server.port, authorization)
    expect(await ask('')).toBe(401)
    expect(await ask('Bearer wrong')).toBe(401)
    expect(await ask('Bearer canary-demo')).toBe(200)
    expect(await ask(`Basic ${Buffer.from('any:canary-demo').toString('base64')}`)).toBe(200)
    expect(await ask(`Basic ${Buffer.from('canary-demo:').toString('base64')}`)).toBe(401)
  })
})

async function askOverTls(port: number, authorization: string): Promise<number> {
  const { request } = await import('node:https')
  return new Promise((resolve, reject) => {
    request(
      {
        host: '127.0.0.1',
        port,
        path: '/metrics',
        rejectUnauthorized: false,
        headers: { authorization },
      },
      answer => {
        answer.resume()
        resolve(answer.statusCode ?? 0)
      },
    )
      .once('error', reject)
      .end()
  })
}
