import { afterEach, expect, test } from 'vitest'

import { createAuthority } from '../../src/base/certificate.ts'
import { newId } from '../../src/base/id.ts'
import { Secret } from '../../src/base/secret.ts'
import { ServerIdentities } from '../../src/base/server-tls.ts'
import { createHealth } from '../../src/observe/health.ts'
import { createRemoteTrace } from '../../src/observe/remote-trace.ts'
import { SqliteHistory } from '../../src/probe/sqlite-history.ts'
import type { MessageRecord } from '../../src/relay/queue/store.ts'
import { AdminServer, type AdminOptions } from '../../src/web/admin-server.ts'
import { sampleStatus } from '../support/sample-history.ts'

const ID = newId(Date.now)
const TOKEN = new Secret('a-token-that-is-only-test-data-0123456789')

const RECORD: MessageRecord = {
  message: {
    id: ID,
    login: 'canary',
    acceptedAt: 1_000,
    messageId: '<a@example.org>',
    size: 10,
    envelope: { reversePath: '', recipients: [], eightBit: false, smtputf8: false },
  },
  recipients: [
    {
      address: 'seed@example.net',
      state: 'delivered',
      dueAt: 0,
      attempts: 1,
      lastReply: '250 2.0.0 OK',
      lastHost: 'mx.example.net',
    },
  ],
  timeline: [
    {
      at: 3_000,
      kind: 'delivered',
      domain: 'example.net',
      host: 'mx.example.net',
      reply: '250 2.0.0 OK',
      tls: 'TLSv1.3',
      note: '',
    },
  ],
}

let stop: () => Promise<void> = () => Promise.resolve()
afterEach(() => stop())

/** A relay on another host, as its admin listener shows it: over TLS, with a token. */
async function relay(options: Partial<AdminOptions> = {}): Promise<{
  readonly url: string
  readonly ca: string
}> {
  const authority = await createAuthority('test authority')
  const pair = await authority.issue(['127.0.0.1', 'localhost'])
  const history = new SqliteHistory(':memory:')
  const server = new AdminServer({
    host: '127.0.0.1',
    port: 0,
    metrics: async () => ({ contentType: 'text/plain', text: '' }),
    health: createHealth({ alive: [], ready: [] }),
    status: sampleStatus(history, Date.now),
    trace: async id => (id === ID ? RECORD : undefined),
    tls: new ServerIdentities([{ certificate: pair.certificate, key: pair.key }]),
    token: TOKEN,
    ...options,
  })
  await server.start()
  stop = async () => {
    await server.stop()
    await history.close()
  }
  return { url: `https://localhost:${server.port}`, ca: authority.certificate }
}

test('the fate of a message is told by the admin listener of a relay elsewhere', async () => {
  const trace = createRemoteTrace({ ...(await relay()), token: TOKEN })
  expect(await trace.fate(ID)).toEqual({
    kind: 'delivered',
    at: 3_000,
    host: 'mx.example.net',
    reply: { code: 250, enhanced: '2.0.0', text: 'OK' },
    tls: 'TLSv1.3',
  })
  expect(await trace.fate(newId(Date.now))).toBeUndefined()
})

test('without the right token nothing is told, and the reason says where to look', async () => {
  const { url, ca } = await relay()
  const asked = createRemoteTrace({ url, ca, token: new Secret('wrong') }).fate(ID)
  await expect(asked).rejects.toThrow('does not take our token (401): see trace_token_file')
})

test('a certificate that nobody vouches for is not told the token', async () => {
  const { url } = await relay()
  await expect(createRemoteTrace({ url, token: TOKEN }).fate(ID)).rejects.toThrow(/certificate/)
})

test('a relay that cannot tell is no relay that knows nothing', async () => {
  const { url, ca } = await relay({ trace: () => Promise.reject(new Error('the store is away')) })
  await expect(createRemoteTrace({ url, ca, token: TOKEN }).fate(ID)).rejects.toThrow('answered 50')
  await stop()
  stop = () => Promise.resolve()
  await expect(createRemoteTrace({ url, ca, token: TOKEN }).fate(ID)).rejects.toThrow()
})
