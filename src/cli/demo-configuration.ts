import type { CertificatePair } from '../base/certificate.ts'
import { ServerIdentities } from '../base/server-tls.ts'
import type { LoadedProbes } from '../config/load-probes.ts'
import type { LoadedRelay } from '../config/load-relay.ts'
import { probesSchema } from '../config/probes-schema.ts'
import { relaySchema } from '../config/relay-schema.ts'
import type { DemoWorld } from '../demo/world.ts'

/** Ports of our own in the demo; the world's are in `demo/ports.ts`. */
export interface DemoPorts {
  readonly submissions: number
  readonly submission: number
  readonly publicWeb: number
  readonly admin: number
}

export function demoPorts(base: number): DemoPorts {
  return {
    submissions: 2465 + base,
    submission: 2587 + base,
    publicWeb: 8025 + base,
    admin: 9464 + base,
  }
}

const HOST = '127.0.0.1'
const RELAY = 'relay.example.org'
const LOG = { format: 'human', level: 'info' }

/** The relay as anybody would configure it for the demo's world, but for its impatience. */
export function demoRelay(
  world: DemoWorld,
  tls: CertificatePair,
  ports: DemoPorts,
  state: string,
): LoadedRelay {
  const { url, peopleDn, bindDn, bindPassword } = world.ldap
  const config = relaySchema.parse({
    hostname: RELAY,
    state,
    log: LOG,
    admin: { listen: `${HOST}:${ports.admin}` },
    web: {
      listen: `${HOST}:${ports.publicWeb}`,
      status: true,
      account: { application_passwords: true },
      incoming: [{ host: HOST, port: world.providers[0]?.imapPort }],
    },
    listen: {
      submissions: [`${HOST}:${ports.submissions}`],
      submission: [`${HOST}:${ports.submission}`],
    },
    tls: { certificate: 'made by the demo', key: 'made by the demo' },
    directory: {
      domains: ['example.org'],
      sync_every: '15s',
      ldap: { url, bind_dn: bindDn, base: peopleDn },
    },
    // The same hurry for the canaries: more in an hour than anybody has in a day.
    limits: {
      logins: {
        [world.canary.login]: {
          messages_per_hour: 'none',
          messages_per_day: 'none',
          recipients_per_hour: 'none',
          recipients_per_day: 'none',
        },
      },
    },
    // There is no world but this one.
    checks: { enabled: false },
    // An hour of the world is a minute here.
    delivery: {
      retry: ['5s', '10s', '15s', '30s'],
      delay_notice_after: '5m',
      give_up_after: '15m',
      back_off: { recovery: '3s', longest_pause: '20s' },
    },
  })
  return {
    path: 'demo',
    config,
    store: undefined,
    admin: { tls: undefined, token: undefined },
    tls: new ServerIdentities([tls]),
    ldap: { ca: undefined, bindPassword },
    smarthost: { ca: undefined, password: undefined },
  }
}

/** Canaries every ten seconds to three providers, through our relay and through the server that was there before. */
export function demoProbes(world: DemoWorld, ports: DemoPorts, state: string): LoadedProbes {
  const { canary, oldServer, ca } = world
  const accounts = world.providers.filter(({ name }) => name !== 'other')
  const from = `${canary.login}@example.org`
  const config = probesSchema.parse({
    state,
    log: LOG,
    admin: { listen: `${HOST}:${ports.admin}` },
    origins: {
      relay: {
        submission: {
          host: HOST,
          port: ports.submissions,
          server_name: RELAY,
          username: canary.login,
        },
        from,
        trace: 'local',
      },
      'old-server': {
        submission: {
          host: HOST,
          port: oldServer.port,
          tls: 'starttls',
          server_name: 'old.example.org',
          username: oldServer.username,
        },
        from,
      },
    },
    seeds: Object.fromEntries(
      accounts.map(({ name, seedAddress, imapPort, imapHost, username }) => [
        name,
        {
          provider: name,
          // Real Outlook.com takes OAuth 2 alone; nothing in the demo is to need a registration.
          sign_in: 'password',
          address: seedAddress,
          imap: { host: HOST, port: imapPort, server_name: imapHost, username },
          daily_cap: 'none',
        },
      ]),
    ),
    probes: [
      {
        name: 'everyone',
        origins: ['relay', 'old-server'],
        seeds: accounts.map(({ name }) => name),
        every: '10s',
        jitter: '3s',
        deadline: '20s',
      },
    ],
    imap: { poll_every: '1s', retry_after: '3s' },
  })
  return {
    path: 'demo',
    config,
    store: undefined,
    admin: { tls: undefined, token: undefined },
    traces: new Map(),
    bounces: new Map(),
    origins: new Map([
      ['relay', { ca, password: canary.password }],
      ['old-server', { ca, password: oldServer.password }],
    ]),
    seeds: new Map(accounts.map(({ name, password }) => [name, { ca, password }])),
    oauth: { tokenKey: undefined, clientSecrets: new Map() },
  }
}
