import type { AccountEvent } from './account/events.ts'
import { Refusals } from './account/refusals.ts'
import { createSelfService, type Account } from './app/account-part.ts'
import {
  certificatePlace,
  keepAdminCertificate,
  keepCertificates,
  type CertificateKeeper,
} from './app/certificate-keeper.ts'
import { clientSettings } from './app/client-settings.ts'
import { createDirectoryControl } from './app/directory-control.ts'
import { freeSpaceOf } from './app/free-space.ts'
import { probeNow } from './app/probe-now.ts'
import { providersOf, type ProbeNames } from './app/prober-parts.ts'
import { Probing } from './app/probing.ts'
import type { Pseudonyms } from './app/pseudonyms.ts'
import { createQueueControl } from './app/queue-control.ts'
import { readiness } from './app/readiness.ts'
import { createRelay, type Relay } from './app/relay-parts.ts'
import { Reloading, type LoadedFiles } from './app/reloading.ts'
import { selfCheckSettings } from './app/self-check-settings.ts'
import type { Surroundings } from './app/surroundings.ts'
import { askTimetable } from './app/timetable-control.ts'
import { whoIs } from './app/who.ts'
import type { CertificatePair } from './base/certificate.ts'
import type { Clock } from './base/clock.ts'
import { startInOrder, type Part } from './base/lifecycle.ts'
import { messageOf, Problem } from './base/problem.ts'
import type { LoadedRelay } from './config/load-relay.ts'
import type { RelayConfig } from './config/relay-schema.ts'
import { SelfChecker } from './observe/checks/self-checker.ts'
import { createHealth } from './observe/health.ts'
import type { Log } from './observe/log.ts'
import { createMetrics } from './observe/metrics.ts'
import { createRemoteTrace } from './observe/remote-trace.ts'
import { createTrace } from './observe/trace.ts'
import { readPeriod } from './probe/period.ts'
import { SqliteHistory } from './probe/sqlite-history.ts'
import { wilson } from './probe/statistics/interval.ts'
import { accountRoutes } from './web/account/account-routes.ts'
import { isLoopback } from './web/admin-access.ts'
import { AdminServer } from './web/admin-server.ts'
import { ControlServer } from './web/control-server.ts'
import { LiveStatus } from './web/live-status.ts'
import { PublicServer, type PublicOptions } from './web/public-server.ts'
import { publicStatusRoutes } from './web/public-status.ts'
import { RealMailTally } from './web/real-mail.ts'
import { setupPageRoutes } from './web/setup/setup-page.ts'
import { setupRoutes } from './web/setup/setup-routes.ts'
import { publicView } from './web/status-view.ts'
import { createStatusSource } from './web/status.ts'

/*
 * The composition root: configuration -> parts -> start in order, stop in reverse. Nothing below knows the shape of a
 * configuration file, and nothing above knows how the parts are wired.
 */

export interface AppOptions extends Surroundings, LoadedFiles {
  /** Reads the files again, to take what has changed; without it there are none. */
  readonly reread?: () => Promise<LoadedFiles>
  readonly log: Log
  readonly version: string
  /** False where only single canaries are wanted: no schedule, no listener. */
  readonly daemon: boolean
  /** What people are called in the log; without them they cannot be looked up. */
  readonly pseudonyms?: Pseudonyms
}

export interface App {
  readonly relay: Relay | undefined
  readonly probing: Probing | undefined
  /** Where the status page is; '' without one. */
  readonly adminUrl: () => string
  /** Takes what has changed in the files, as far as it can be without a restart. */
  readonly reload: () => Promise<void>
  /** Stops everything in reverse order. */
  readonly stop: () => Promise<void>
}

/**
 * Builds and starts what the configuration asks for.
 *
 * @throws Problem where something cannot be had: a port, a file, a folder
 */
export async function startApp(options: AppOptions): Promise<App> {
  const { log, clock, daemon } = options
  const providers =
    options.probes === undefined
      ? options.providers
      : providersOf(options.probes, options.providers)
  const surroundings: Surroundings = { ...options, providers }

  // Events go up into these; the metrics are made below, from what the parts can be asked.
  const names = providers.map(({ name }) => name)
  const real = new RealMailTally({ clock, providers: names })
  const refusals = new Refusals(clock)
  const relay =
    options.relay &&
    (await createRelay(options.relay, surroundings, {
      relay: event => {
        metrics.relay(event)
        real.record(event)
        refusals.record(event)
        log.relay(event)
      },
      directory: event => {
        metrics.directory(event)
        log.directory(event)
      },
      account: reportAccount,
    }))
  function reportAccount(event: AccountEvent): void {
    metrics.account(event)
    log.account(event)
  }
  const probing =
    options.probes &&
    (await Probing.open(
      options.probes,
      // Without the providers of the file, which may become another.
      options,
      event => {
        metrics.probe(event)
        log.probe(event)
        admin?.changed()
        publicLive?.changed()
      },
      {
        trace: relay && createTrace(id => relay.store.find(id)),
        traceAt: createRemoteTrace,
        scheduled: daemon,
      },
    ))

  const checks = daemon ? options.relay?.config.checks : undefined
  const metrics = createMetrics({
    ...(probing?.names ?? NO_PROBES),
    providers: names,
    version: options.version,
    clock,
    ...(checks?.enabled === true && { blocklists: checks.blocklists }),
    inputs: {
      freeSpace: freeSpaceOf(options.folder.path, clock),
      ...(probing?.detector && { detector: () => probing.detector?.readings ?? [] }),
      ...(relay && {
        queue: () => relay.store.counts(),
        sites: () => relay.sites(),
        directory: () => ageOf(relay),
        certificateExpiry: () => certificates?.expiry,
      }),
    },
  })
  const queue =
    relay &&
    createQueueControl({
      store: relay.store,
      providers,
      clock,
      wake: relay.wake,
      sites: relay.sites,
      report: relay.report,
      say: sentence => log.say(sentence),
    })
  const directory =
    relay &&
    options.relay &&
    createDirectoryControl({
      directory: relay.directory,
      say: sentence => log.say(sentence),
    })
  const certificates =
    daemon && relay !== undefined && options.relay !== undefined
      ? keepCertificates(options.relay, relay.report, clock, identities => {
          relay.submission.useIdentities(identities)
          publicServer?.useIdentities(identities)
        })
      : undefined
  const parts: Part[] = [
    ...(options.pseudonyms === undefined ? [] : [options.pseudonyms]),
    ...(relay?.parts ?? []),
    ...(probing === undefined ? [] : [probing]),
  ]

  let admin: AdminServer | undefined
  let adminCertificate: CertificateKeeper | undefined
  // A relay alone has no canaries to show; its page says so.
  const status = createStatusSource({
    history: probing?.history ?? new SqliteHistory(':memory:'),
    real,
    names: () => probing?.names ?? NO_PROBES,
    interval: wilson,
    version: options.version,
    clock,
  })
  const loaded = options.relay ?? options.probes
  if (daemon && loaded !== undefined) {
    const { listen, names: hostNames } = loaded.config.admin
    const server = new AdminServer({
      ...listen,
      ...(loaded.admin.tls && { tls: loaded.admin.tls }),
      ...(loaded.admin.token && { token: loaded.admin.token }),
      hostNames,
      metrics: async () => ({ contentType: metrics.contentType, text: await metrics.text() }),
      health: createHealth({ alive: [], ready: relay === undefined ? [] : readiness(relay) }),
      status,
      trace: async id => relay?.store.find(id),
    })
    admin = server
    adminCertificate = keepAdminCertificate(
      loaded,
      relay?.report ?? (event => log.relay(event)),
      clock,
      identities => server.useIdentities(identities),
    )
    parts.push(
      admin,
      new ControlServer(options.folder.file('control.sock'), {
        probe: name => probeNow(probing ?? noProber(), name, clock),
        timetable: request => askTimetable(probing ?? noProber(), request),
        period: request => readPeriod((probing ?? noProber()).history, request),
        queue: request => (queue ?? noRelay())(request),
        directory: request => (directory ?? noRelay())(request),
        reload: () => reloading.tell(),
        who: pseudonym =>
          relay && options.relay && options.pseudonyms
            ? whoIs(pseudonym, options.pseudonyms, relay, options.relay)
            : noRelay(),
      }),
    )
  }

  let publicServer: PublicServer | undefined
  let publicLive: LiveStatus | undefined
  let account: Account | undefined
  const web = options.relay?.config.web
  if (daemon && options.relay !== undefined && relay !== undefined && web !== undefined) {
    const { tls } = options.relay
    account = createSelfService(options.relay, surroundings, relay, {
      report: reportAccount,
      refusals,
    })
    const { routes, ...listener } = publicOptions(options.relay, web, {
      account,
      clock,
      identity: () => certificates?.identity ?? tls.pair,
    })
    const view = publicView(status)
    if (web.status) publicLive = new LiveStatus(range => view.status(range))
    publicServer = new PublicServer({
      ...listener,
      routes: [...routes, ...(publicLive ? [publicStatusRoutes(view, publicLive)] : [])],
    })
    parts.push(...(account?.parts ?? []), publicServer)
  }
  if (certificates !== undefined) parts.push(certificates)
  if (adminCertificate !== undefined) parts.push(adminCertificate)
  if (checks?.enabled === true && options.relay !== undefined) {
    const { tls } = options.relay
    parts.push(
      new SelfChecker({
        ...selfCheckSettings(options.relay, clock),
        every: checks.every,
        expiry: () => certificates?.expiry ?? tls.expiry,
        random: options.random,
        report: (report, news) => {
          metrics.selfCheck(report)
          for (const { check, about, detail } of news)
            log.say(`${check}: ${about} ${detail}`, 'warn')
        },
        failed: error => log.say(`the checks failed: ${messageOf(error)}`, 'error'),
      }),
    )
  }

  const reloading = new Reloading({
    files: { relay: options.relay, probes: options.probes },
    read: options.reread ?? noFiles,
    async useCertificates(file) {
      await certificates?.reload(file && certificatePlace(file.config))
      await adminCertificate?.reload()
    },
    async useDirectory(file) {
      const reason = await relay?.useDirectory(file)
      if (reason === undefined) account?.useDirectory(file)
      return reason
    },
    async useProbes(file) {
      const reason = await probing?.replace(file, metrics.rename)
      admin?.changed()
      publicLive?.changed()
      return reason
    },
    report: ({ text, level }) => log.say(text, level),
    done: metrics.reloaded,
  })
  const stop = await startInOrder(parts)
  return {
    relay,
    probing,
    stop,
    reload: async () => void (await reloading.run()),
    adminUrl: () => (admin === undefined ? '' : admin.url),
  }
}

function publicOptions(
  loaded: LoadedRelay,
  { listen, proxies }: NonNullable<RelayConfig['web']>,
  about: {
    readonly account: Account | undefined
    readonly identity: () => CertificatePair
    readonly clock: Clock
  },
): PublicOptions {
  const { account, identity, clock } = about
  const facts = clientSettings(loaded)
  return {
    ...listen,
    // Plain HTTP is for proxies, and for this host.
    ...(!isLoopback(listen.host) && proxies.length === 0 && { tls: loaded.tls }),
    proxies,
    routes: [
      setupPageRoutes(facts),
      setupRoutes({ facts, identity, clock }),
      ...(account === undefined
        ? []
        : [accountRoutes({ service: account.service, domain: facts.domains[0], proxies, clock })]),
    ],
  }
}

const NO_PROBES: ProbeNames = { origins: [], seeds: [], probes: [] }

function noFiles(): never {
  throw new Problem('this runs without configuration files: there is nothing to read again')
}

function noProber(): never {
  throw new Problem('the daemon runs without probes: start it with --probes FILE')
}

function noRelay(): never {
  throw new Problem('the daemon runs without a relay, and has no queue: start it with --relay FILE')
}

function ageOf({ directory }: Relay): { ageSeconds: number; accounts: number } | undefined {
  const { ageSeconds, accounts } = directory.status()
  return ageSeconds === undefined ? undefined : { ageSeconds, accounts }
}
