import { join } from 'node:path'

import { stringify } from 'yaml'

import { writeAtomically } from '../base/atomic-file.ts'
import type { CertificatePair } from '../base/certificate.ts'
import { DAY } from '../base/clock.ts'
import { ServerIdentities } from '../base/server-tls.ts'
import type { LoadedProbes } from '../config/load-probes.ts'
import type { LoadedRelay } from '../config/load-relay.ts'
import { probesSchema } from '../config/probes-schema.ts'
import { relaySchema } from '../config/relay-schema.ts'
import { GMAIL_DIALECT, YAHOO_DIALECT } from '../demo/dialect.ts'
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
// Old enough that nobody says of them that providers are strict with new accounts.
const AGED = new Date(Date.now() - 90 * DAY).toISOString().slice(0, 10)
const RELAY = 'relay.example.org'
const LOG = { format: 'human', level: 'info' }

/** Names of files in the state folder. */
const FILES = {
  ca: 'ca.pem',
  certificate: 'relay.crt',
  key: 'relay.key',
  directoryPassword: 'directory-password',
  canaryPassword: 'canary-password',
  oldServerPassword: 'old-server-password',
} as const

/** The relay as anybody would configure it for the demo's world, but for its impatience. */
export function demoRelay(
  world: DemoWorld,
  tls: CertificatePair,
  ports: DemoPorts,
  state: string,
): LoadedRelay {
  return {
    path: 'demo',
    config: relaySchema.parse(relaySettings(world, ports, state)),
    store: undefined,
    admin: { tls: undefined, token: undefined },
    tls: new ServerIdentities([tls]),
    ldap: { ca: undefined, bindPassword: world.ldap.bindPassword },
    smarthost: { ca: undefined, password: undefined },
  }
}

function relaySettings(world: DemoWorld, ports: DemoPorts, state: string): object {
  const { url, peopleDn, bindDn } = world.ldap
  return {
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
    tls: { certificate: join(state, FILES.certificate), key: join(state, FILES.key) },
    directory: {
      domains: ['example.org'],
      sync_every: '15s',
      ldap: {
        url,
        bind_dn: bindDn,
        bind_password_file: join(state, FILES.directoryPassword),
        base: peopleDn,
      },
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
  }
}

/** Canaries every ten seconds to three providers, through our relay and through the server that was there before. */
export function demoProbes(world: DemoWorld, ports: DemoPorts, state: string): LoadedProbes {
  const { canary, oldServer, ca } = world
  return {
    path: 'demo',
    config: probesSchema.parse(probesSettings(world, ports, state)),
    store: undefined,
    admin: { tls: undefined, token: undefined },
    traces: new Map(),
    bounces: new Map(),
    origins: new Map([
      ['relay', { ca, password: canary.password }],
      ['old-server', { ca, password: oldServer.password }],
    ]),
    seeds: new Map(accountsOf(world).map(({ name, password }) => [name, { ca, password }])),
    oauth: { tokenKey: undefined, clientSecrets: new Map() },
  }
}

function probesSettings(world: DemoWorld, ports: DemoPorts, state: string): object {
  const { canary, oldServer } = world
  const accounts = accountsOf(world)
  const from = `${canary.login}@example.org`
  const ca = join(state, FILES.ca)
  return {
    state,
    log: LOG,
    admin: { listen: `${HOST}:${ports.admin}` },
    origins: {
      relay: {
        submission: {
          host: HOST,
          port: ports.submissions,
          server_name: RELAY,
          ca,
          username: canary.login,
          password_file: join(state, FILES.canaryPassword),
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
          ca,
          username: oldServer.username,
          password_file: join(state, FILES.oldServerPassword),
        },
        from,
      },
    },
    seeds: Object.fromEntries(
      accounts.map(({ name, seedAddress, imapPort, imapHost, username }) => [
        name,
        {
          provider: name,
          address: seedAddress,
          password_file: join(state, seedPasswordFile(name)),
          imap: { host: HOST, port: imapPort, server_name: imapHost, ca, username },
          created: AGED,
          daily_cap: 'none',
        },
      ]),
    ),
    providers: {
      gmail: { auth_hosts: [GMAIL_DIALECT.authHost] },
      // Real Outlook.com takes OAuth 2 alone; nothing in the demo is to need a registration.
      hotmail: { auth: 'password' },
      yahoo: { auth_hosts: [YAHOO_DIALECT.authHost] },
    },
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
  }
}

/** Where there is a seed. */
function accountsOf({ providers }: DemoWorld): DemoWorld['providers'] {
  return providers.filter(({ name }) => name !== 'other')
}

/**
 * Writes the same configuration into the state folder, with all that it names: for the commands that read it,
 * `mailcanary seed check --probes FOLDER/probes.yaml`.
 */
export async function writeDemoFiles(
  world: DemoWorld,
  tls: CertificatePair,
  ports: DemoPorts,
  state: string,
): Promise<void> {
  const { canary, oldServer, ldap } = world
  const head = '# Written by mailcanary demo, at each start.\n'
  const files = {
    'relay.yaml': head + stringify(relaySettings(world, ports, state)),
    'probes.yaml': head + stringify(probesSettings(world, ports, state)),
    [FILES.ca]: world.ca,
    [FILES.certificate]: tls.certificate,
    [FILES.key]: tls.key,
    [FILES.directoryPassword]: ldap.bindPassword.reveal(),
    [FILES.canaryPassword]: canary.password.reveal(),
    [FILES.oldServerPassword]: oldServer.password.reveal(),
    ...Object.fromEntries(
      accountsOf(world).map(({ name, password }) => [seedPasswordFile(name), password.reveal()]),
    ),
  }
  for (const [name, content] of Object.entries(files)) {
    await writeAtomically(join(state, name), content)
  }
}

function seedPasswordFile(name: string): string {
  return `seed-${name}-password`
}
