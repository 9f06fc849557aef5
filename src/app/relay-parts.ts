import { X509Certificate } from 'node:crypto'

import { HOUR, SECOND } from '../base/clock.ts'
import type { Part } from '../base/lifecycle.ts'
import { Periodic } from '../base/periodic.ts'
import { messageOf } from '../base/problem.ts'
import type { LoadedRelay } from '../config/load-relay.ts'
import { Directory } from '../directory/directory.ts'
import type { ReportDirectoryEvent } from '../directory/events.ts'
import { ExportFileSource } from '../directory/export-file-source.ts'
import { GUARD_LIMITS } from '../directory/guard.ts'
import { LdapSource } from '../directory/ldap-source.ts'
import { SCHEMAS } from '../directory/schema.ts'
import type { DirectorySource } from '../directory/source.ts'
import { classify, findProvider, providerOfHost } from '../mail/provider-table.ts'
import type { ReportRelayEvent } from '../relay/events.ts'
import { RETRY_DEFAULTS } from '../relay/queue/retry.ts'
import { QueueRunner } from '../relay/queue/runner.ts'
import { SqliteQueueStore } from '../relay/queue/sqlite-store.ts'
import { SubmissionServer } from '../relay/submission/server.ts'
import { DirectMx } from '../relay/transport/direct-mx.ts'
import type { Classify } from '../relay/transport/host-result.ts'
import type { Resolver } from '../relay/transport/resolver.ts'
import { Smarthost } from '../relay/transport/smarthost.ts'
import { SystemResolver } from '../relay/transport/system-resolver.ts'
import type { Transport } from '../relay/transport/transport.ts'
import type { Surroundings } from './surroundings.ts'

/** The relay, in the order in which its parts start. */
export interface Relay {
  readonly parts: readonly Part[]
  readonly store: SqliteQueueStore
  readonly directory: Directory
  readonly submission: SubmissionServer
  /** When the certificate of the listeners ends, milliseconds since the epoch. */
  readonly certificateExpiry: () => number
}

interface Reports {
  readonly relay: ReportRelayEvent
  readonly directory: ReportDirectoryEvent
}

/** @throws Problem where the queue cannot be opened */
export async function createRelay(
  loaded: LoadedRelay,
  surroundings: Surroundings,
  report: Reports,
): Promise<Relay> {
  const { config } = loaded
  const { clock, random, folder } = surroundings
  const store = await SqliteQueueStore.open(folder.file('queue.sqlite'))
  const directory = createDirectory(loaded, surroundings, report.directory)
  const transport = createTransport(loaded, surroundings)
  const runner = new QueueRunner({
    store,
    routeOf: () => transport,
    report: report.relay,
    providerOf: host => providerOfHost(host, surroundings.providers),
    hostname: config.hostname,
    clock,
    random,
    retry: {
      schedule: [
        config.delivery.retry[0] ?? RETRY_DEFAULTS.schedule[0],
        ...config.delivery.retry.slice(1),
      ],
      giveUpAfter: config.delivery.give_up_after,
      delayNoticeAfter: config.delivery.delay_notice_after,
    },
    concurrency: {
      total: config.delivery.concurrency,
      perDomain: config.delivery.concurrency_per_destination,
    },
    stopGrace: 5 * SECOND,
  })
  const submission = new SubmissionServer({
    hostname: config.hostname,
    listeners: listenersOf(loaded),
    certificate: loaded.tls,
    authenticate: (login, password) => directory.authenticate(login, password),
    ready: () => (directory.ready() ? undefined : 'no directory data is loaded yet'),
    store,
    onAccepted: () => runner.wake(),
    report: report.relay,
    clock,
    postmaster: `postmaster@${config.directory.domains[0] ?? config.hostname}`,
    limits: {
      messageBytes: config.limits.message_size,
      recipients: config.limits.recipients,
      connections: config.limits.connections,
    },
  })
  const retention = new Periodic({
    name: 'queue retention',
    every: HOUR,
    run: () => store.sweep(clock() - config.retention.messages),
    failed: error => {
      report.relay({ kind: 'relay-fault', part: 'queue retention', cause: messageOf(error) })
    },
  })
  const parts = [
    { name: 'queue store', start: () => Promise.resolve(), stop: () => store.close() },
    retention,
    directory,
    { name: 'transport', start: () => Promise.resolve(), stop: () => transport.close() },
    runner,
    submission,
  ]
  const { validToDate } = new X509Certificate(loaded.tls.certificate)
  return { parts, store, directory, submission, certificateExpiry: () => validToDate.getTime() }
}

function listenersOf({ config }: LoadedRelay): {
  name: string
  host: string
  port: number
  tls: 'implicit' | 'starttls'
}[] {
  const { submissions, submission } = config.listen
  return [
    ...submissions.map(({ host, port }) => ({
      name: 'submissions',
      host,
      port,
      tls: 'implicit' as const,
    })),
    ...submission.map(({ host, port }) => ({
      name: 'submission',
      host,
      port,
      tls: 'starttls' as const,
    })),
  ]
}

function createDirectory(
  { config, ldap: secrets }: LoadedRelay,
  { clock, random, folder }: Surroundings,
  report: ReportDirectoryEvent,
): Directory {
  const { domains, ldap, export_file: exportFile, ...rest } = config.directory
  const sources: DirectorySource[] = []
  if (ldap !== undefined && secrets !== undefined) {
    const preset = SCHEMAS[ldap.schema]
    const { filter = preset.people.filter } = ldap
    sources.push(
      new LdapSource({
        name: 'ldap',
        url: ldap.url,
        startTls: ldap.starttls,
        ...(secrets.ca !== undefined && { ca: secrets.ca }),
        ...(ldap.server_name !== undefined && { servername: ldap.server_name }),
        bindDn: ldap.bind_dn,
        bindPassword: secrets.bindPassword,
        base: ldap.base,
        ...(ldap.role_base !== undefined && { roleBase: ldap.role_base }),
        schema: {
          ...preset,
          people: { ...preset.people, filter, password: ldap.password_attribute },
        },
        domains,
        operationTimeout: ldap.timeout,
        // A page of a large directory takes one operation; a whole reading takes many.
        readTimeout: 30 * ldap.timeout,
        clock,
      }),
    )
  }
  if (exportFile !== undefined) {
    sources.push(
      new ExportFileSource({ name: 'export-file', path: exportFile.path, domains, settle: SECOND }),
    )
  }
  return new Directory({
    sources,
    snapshotPath: folder.file('directory.json'),
    domains,
    acceptAddressAsLogin: true,
    senders: new Map(Object.entries(rest.senders)),
    syncEvery: rest.sync_every,
    fullEvery: rest.full_scan_every,
    guard: { ...GUARD_LIMITS, share: rest.max_loss_percent / 100 },
    report,
    clock,
    random,
  })
}

function createTransport(
  { config, smarthost: secrets }: LoadedRelay,
  world: Surroundings,
): Transport {
  const { direct, smarthost } = config.delivery
  const resolver: Resolver =
    world.resolver ?? new SystemResolver({ servers: direct.nameservers, port: direct.port })
  const byHost: Classify = (reply, host) =>
    classify(reply, findProvider(providerOfHost(host, world.providers), world.providers))
  if (smarthost !== undefined) {
    const { username, host, port, tls } = smarthost
    const { ca, password } = secrets
    return new Smarthost({
      hostname: config.hostname,
      host,
      port,
      tls,
      ...(ca !== undefined && { ca }),
      ...(username !== undefined &&
        password !== undefined && { credentials: { user: username, password } }),
      resolver,
      classify: byHost,
    })
  }
  return new DirectMx({
    hostname: config.hostname,
    resolver,
    classify: byHost,
    tls: { policy: direct.tls },
    own: { names: [config.hostname], addresses: [] },
    addressOrder: direct.address_order,
    clock: world.clock,
    random: world.random,
  })
}
