import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

import { Secret } from '../../src/base/secret.ts'
import type { Provider } from '../../src/mail/provider.ts'
import type { Probe } from '../../src/probe/catalogue.ts'
import type { ProbeEvent } from '../../src/probe/events.ts'
import type { HistoryStore } from '../../src/probe/history.ts'
import type { Origin } from '../../src/probe/origin.ts'
import { Prober, type ProberOptions } from '../../src/probe/prober.ts'
import type { Seed } from '../../src/probe/seed.ts'
import type { Submit } from '../../src/probe/sender.ts'
import { SqliteHistory } from '../../src/probe/sqlite-history.ts'
import { type Dovecot, startDovecot } from '../support/dovecot.ts'

export const KEY = Buffer.from('a key that is only test data')
export const SEED_ADDRESS = 'seed@mail.example.net'

export const PROVIDER: Provider = {
  name: 'example',
  mxSuffixes: ['.example.net'],
  imap: {
    host: 'imap.example.net',
    port: 993,
    auth: 'password',
    idle: true,
    ipv4Only: false,
  },
  junkNames: [],
  authHosts: [],
  replyRules: [],
  verified: 'documentation',
}

/** A provider of one seed: a real Dovecot. */
export async function startProvider(scratch: string, name: string): Promise<Dovecot> {
  const folder = join(scratch, name)
  await mkdir(folder, { mode: 0o755 })
  return startDovecot({
    folder,
    name: 'mail.example.net',
    users: { [SEED_ADDRESS]: 'canary-demo' },
  })
}

export function seedOf(dovecot: Dovecot, changes: Partial<Seed> = {}): Seed {
  return {
    name: 'example-1',
    provider: PROVIDER,
    address: SEED_ADDRESS,
    imap: {
      host: dovecot.ip,
      port: dovecot.imapsPort,
      ca: dovecot.ca,
      servername: 'mail.example.net',
      username: SEED_ADDRESS,
      credential: async () => ({ kind: 'password', password: new Secret('canary-demo') }),
    },
    pollEvery: 300,
    othersEvery: 1_000_000,
    retryAfter: { least: 50, most: 200 },
    ...changes,
  }
}

/** An origin that hands over to the provider at once, with the header fields it is told to add. */
export function deliverTo(dovecot: Dovecot, extra = ''): Submit {
  return async options => {
    await dovecot.deliver(options.to, Buffer.concat([Buffer.from(extra), options.message]))
    return { kind: 'submitted', at: options.clock(), queueId: '' }
  }
}

export const ORIGIN: Origin = {
  name: 'relay',
  host: '127.0.0.1',
  port: 1,
  tls: 'none',
  from: 'canary@example.org',
}

export const PROBE: Probe = {
  name: 'relay/example-1',
  origin: 'relay',
  seed: 'example-1',
  content: 'plain',
  schedule: { kind: 'every', every: 3_600_000, jitter: 0 },
  deadline: 20_000,
}

/** A prober that sends only when told, and everything it has reported. */
export function proberOf(options: Partial<ProberOptions> & { readonly seeds: readonly Seed[] }): {
  readonly prober: Prober
  readonly events: ProbeEvent[]
  readonly history: HistoryStore
} {
  const events: ProbeEvent[] = []
  const history = options.history ?? new SqliteHistory(':memory:')
  const prober = new Prober({
    origins: [ORIGIN],
    probes: [PROBE],
    tokenKey: KEY,
    report: event => events.push(event),
    clock: Date.now,
    random: Math.random,
    scheduled: false,
    ...options,
    history,
  })
  return { prober, events, history }
}
