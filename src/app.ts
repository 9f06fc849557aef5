import type { AccountEvent } from './account/events.ts'
import { Refusals } from './account/refusals.ts'
import { createSelfService } from './app/account-part.ts'
import { createAdminPart } from './app/admin-part.ts'
import { certificatePlace, keepCertificates } from './app/certificate-keeper.ts'
import { createControlPart } from './app/control-part.ts'
import { freeSpaceOf } from './app/free-space.ts'
import { providersOf, type ProbeNames } from './app/prober-parts.ts'
import { Probing } from './app/probing.ts'
import type { Pseudonyms } from './app/pseudonyms.ts'
import { createPublicPart } from './app/public-part.ts'
import { createRelay, type Relay } from './app/relay-parts.ts'
import { Reloading, type LoadedFiles } from './app/reloading.ts'
import { createSelfChecker } from './app/self-check-part.ts'
import type { Surroundings } from './app/surroundings.ts'
import { startInOrder } from './base/lifecycle.ts'
import { Problem } from './base/problem.ts'
import type { Log } from './observe/log.ts'
import { createMetrics } from './observe/metrics.ts'
import { createRemoteTrace } from './observe/remote-trace.ts'
import { createTrace } from './observe/trace.ts'
import { SqliteHistory } from './probe/sqlite-history.ts'
import { wilson } from './probe/statistics/interval.ts'
import { RealMailTally } from './web/real-mail.ts'
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
        admin?.server.changed()
        pages?.changed()
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
  const certificates =
    daemon && relay !== undefined && options.relay !== undefined
      ? keepCertificates(options.relay, relay.report, clock, identities => {
          relay.submission.useIdentities(identities)
          pages?.useIdentities(identities)
        })
      : undefined
  const status = createStatusSource({
    // A relay alone has no canaries to show; its page says so.
    history: probing?.history ?? new SqliteHistory(':memory:'),
    real,
    names: () => probing?.names ?? NO_PROBES,
    interval: wilson,
    version: options.version,
    clock,
  })
  const loaded = options.relay ?? options.probes
  const admin =
    daemon && loaded
      ? createAdminPart(loaded, relay, {
          metrics: async () => ({ contentType: metrics.contentType, text: await metrics.text() }),
          status,
          fateElsewhere: async (origin, id) => probing?.relaysElsewhere.get(origin)?.fate(id),
          report: relay?.report ?? (event => log.relay(event)),
          clock,
        })
      : undefined
  const control =
    daemon &&
    createControlPart(surroundings, {
      relay,
      probing,
      loaded: options.relay,
      pseudonyms: options.pseudonyms,
      reload: () => reloading.tell(),
      say: sentence => log.say(sentence),
    })
  const web = daemon ? options.relay?.config.web : undefined
  const account =
    web && options.relay && relay
      ? createSelfService(options.relay, surroundings, relay, { report: reportAccount, refusals })
      : undefined
  const pages =
    web && options.relay
      ? createPublicPart(options.relay, web, {
          account,
          identity: () => certificates?.identity,
          status,
          clock,
        })
      : undefined
  const selfChecker =
    checks?.enabled === true && options.relay
      ? createSelfChecker(options.relay, surroundings, {
          expiry: () => certificates?.expiry,
          report: metrics.selfCheck,
          say: (sentence, level) => log.say(sentence, level),
        })
      : undefined

  const reloading = new Reloading({
    files: { relay: options.relay, probes: options.probes },
    read: options.reread ?? noFiles,
    async useCertificates(file) {
      await certificates?.reload(file && certificatePlace(file.config))
      await admin?.certificate?.reload()
    },
    async useDirectory(file) {
      const reason = await relay?.useDirectory(file)
      if (reason === undefined) account?.useDirectory(file)
      return reason
    },
    async useProbes(file) {
      const reason = await probing?.replace(file, metrics.rename)
      admin?.server.changed()
      pages?.changed()
      return reason
    },
    report: ({ text, level }) => log.say(text, level),
    done: metrics.reloaded,
  })
  const stop = await startInOrder(
    [
      options.pseudonyms,
      ...(relay?.parts ?? []),
      probing,
      admin?.server,
      control,
      ...(pages?.parts ?? []),
      certificates,
      admin?.certificate,
      selfChecker,
    ].filter(part => part !== undefined && part !== false),
  )
  return {
    relay,
    probing,
    stop,
    reload: async () => void (await reloading.run()),
    adminUrl: () => admin?.server.url ?? '',
  }
}

const NO_PROBES: ProbeNames = { origins: [], seeds: [], probes: [] }

function noFiles(): never {
  throw new Problem('this runs without configuration files: there is nothing to read again')
}

function ageOf({ directory }: Relay): { ageSeconds: number; accounts: number } | undefined {
  const { ageSeconds, accounts } = directory.status()
  return ageSeconds === undefined ? undefined : { ageSeconds, accounts }
}
