import { newId } from '../../src/base/id.ts'
import type { Deferred, Delivered, Outcome } from '../../src/mail/outcome.ts'
import type {
  Lease,
  LeaseRequest,
  NewMessage,
  QueueStore,
  Settlement,
} from '../../src/relay/queue/store.ts'

/** A moment the samples count from. */
export const T0 = Date.UTC(2026, 0, 5, 8)

export const DELIVERED: Delivered = {
  kind: 'delivered',
  reply: { code: 250, enhanced: '2.0.0', text: 'Ok: queued as 4XY' },
  host: 'mx.example.net',
  tls: 'TLSv1.3',
  class: 'none',
  dsn: true,
}

export const DEFERRED: Deferred = {
  kind: 'deferred',
  reply: { code: 451, enhanced: '4.7.1', text: 'Greylisted' },
  host: 'mx.example.net',
  tls: '',
  class: 'transient',
  indeterminate: false,
}

export const BOUNCED: Outcome = {
  kind: 'bounced',
  reply: { code: 550, enhanced: '5.1.1', text: 'No such user' },
  host: 'mx.example.net',
  tls: 'TLSv1.2',
  class: 'mailbox',
}

/** A message to these addresses, accepted at T0 unless told. */
export function message(to: readonly string[], acceptedAt = T0): NewMessage {
  const id = newId(() => acceptedAt)
  return {
    id,
    envelope: {
      reversePath: 'alice@example.org',
      recipients: to.map(address => ({ address })),
      eightBit: false,
      smtputf8: false,
    },
    login: 'alice',
    acceptedAt,
    messageId: `<${id}@example.org>`,
  }
}

/** Puts a message with a small body. @returns it */
export async function put(
  store: QueueStore,
  made: NewMessage,
  content: Uint8Array | string = 'Subject: hello\r\n\r\nhello\r\n',
): Promise<NewMessage> {
  const body = store.newBody()
  await body.write(Buffer.from(content))
  await store.put(made, body)
  return made
}

/** Leases what is due at `now` for a minute. */
export function lease(
  store: QueueStore,
  now = T0,
  more: Partial<LeaseRequest> = {},
): Promise<readonly Lease[]> {
  const request = { until: now + 60_000, limit: 100, perDomain: 100, running: new Map() }
  return store.lease({ now, ...request, ...more })
}

/** The lease of the only delivery that is due. */
export async function leaseOne(store: QueueStore, now = T0): Promise<Lease> {
  const [only, ...others] = await lease(store, now)
  if (only === undefined || others.length > 0) throw new Error('not exactly one delivery is due')
  return only
}

/** The same outcome for every recipient of a lease. */
export function settlement(
  leased: Lease,
  outcome: Outcome,
  more: Partial<Settlement> = {},
): Settlement {
  const next = outcome.kind === 'deferred' ? 'queued' : outcome.kind
  return {
    at: T0 + 1_000,
    results: leased.recipients.map(({ index }) => ({
      index,
      outcome,
      next,
      delayReported: false,
    })),
    dueAt: T0 + 300_000,
    reports: [],
    ...more,
  }
}

export async function chunksOf(store: QueueStore, id: string): Promise<readonly Uint8Array[]> {
  const chunks: Uint8Array[] = []
  for await (const chunk of store.body(id)) chunks.push(chunk)
  return chunks
}

export async function bodyOf(store: QueueStore, id: string): Promise<Buffer> {
  return Buffer.concat(await chunksOf(store, id))
}
