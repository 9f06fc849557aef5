import { HOUR, MINUTE, SECOND } from '../base/clock.ts'
import type { Part } from '../base/lifecycle.ts'
import { Periodic } from '../base/periodic.ts'
import { messageOf } from '../base/problem.ts'
import { Secret } from '../base/secret.ts'
import type { LoadedProbes } from '../config/load-probes.ts'
import { OTHER_PROVIDER, findProvider } from '../mail/provider-table.ts'
import type { Provider } from '../mail/provider.ts'
import { OTHER } from '../mail/providers.ts'
import type { Probe } from '../probe/catalogue.ts'
import { clampBaseline } from '../probe/detector-baseline.ts'
import { Detector, type DetectorOptions } from '../probe/detector.ts'
import type { ReportProbeEvent } from '../probe/events.ts'
import type { HistoryStore } from '../probe/history.ts'
import type { Origin } from '../probe/origin.ts'
import { Prober } from '../probe/prober.ts'
import type { Seed } from '../probe/seed.ts'
import type { MessageTrace } from '../probe/trace.ts'
import { openMemory } from './prober-memory.ts'
import type { Surroundings } from './surroundings.ts'

/** The prober, in the order in which its parts start. */
export interface Probing {
  readonly parts: readonly Part[]
  readonly history: HistoryStore
  readonly prober: Prober
  /** Undefined where only single canaries are wanted. */
  readonly detector: Detector | undefined
  /** Names of the probes by the name of their group, for commands. */
  readonly groups: ReadonlyMap<string, readonly string[]>
  readonly seeds: readonly Seed[]
}

/**
 * @param trace of the relay in this process, where there is one
 * @param scheduled false where only single canaries are wanted
 */
export async function createProbing(
  loaded: LoadedProbes,
  surroundings: Surroundings,
  report: ReportProbeEvent,
  { trace, scheduled }: { readonly trace: MessageTrace | undefined; readonly scheduled: boolean },
): Promise<Probing> {
  const { config } = loaded
  const { clock, random, folder, providers } = surroundings
  const { history, leases, tokenKey } = await openMemory(loaded.store, folder)
  const seeds = seedsOf(loaded, providersOf(loaded, providers))
  const groups = groupsOf(loaded)
  const prober = new Prober({
    history,
    origins: originsOf(loaded),
    seeds,
    probes: [...groups.values()].flat(),
    tokenKey,
    ...(leases && { leases }),
    report,
    clock,
    random,
    scheduled,
    traceOf: origin => (config.origins[origin]?.trace === 'local' ? trace : undefined),
  })
  const retention = new Periodic({
    name: 'history retention',
    every: HOUR,
    run: () => history.sweep(clock() - config.retention.canaries),
    failed: error => {
      report({ kind: 'probe-fault', part: 'history retention', cause: messageOf(error) })
    },
  })
  const detector = scheduled ? detectorOf(loaded, seeds, { history, report, clock }) : undefined
  const parts = [
    { name: 'history', start: () => Promise.resolve(), stop: () => history.close() },
    retention,
    ...(detector === undefined ? [] : [detector]),
    prober,
  ]
  const names = new Map(
    [...groups].map(([group, probes]) => [group, probes.map(({ name }) => name)]),
  )
  return { parts, history, prober, detector, groups: names, seeds }
}

function detectorOf(
  { config }: LoadedProbes,
  seeds: readonly Seed[],
  outside: Pick<DetectorOptions, 'history' | 'report' | 'clock'>,
): Detector {
  const providers = [...new Set(seeds.map(({ provider }) => provider.name))]
  const origins = Object.keys(config.origins)
  const { slow_after: slowAfter, baselines } = config.detector
  return new Detector({
    ...outside,
    slowAfter: slowAfter / SECOND,
    watched: origins.flatMap(origin => providers.map(provider => ({ origin, provider }))),
    baselineOf: (origin, provider, signal) => {
      const set = baselines.find(
        row => row.origin === origin && row.provider === provider && row.signal === signal,
      )
      return set && clampBaseline(1 - set.healthy)
    },
  })
}

/** The providers that are known, and what the file says of further ones; a row of the file wins. */
export function providersOf(
  { config }: LoadedProbes,
  known: readonly Provider[],
): readonly Provider[] {
  const own = Object.entries(config.providers).map(([name, row]): Provider => {
    const base = findProvider(name, known) ?? { ...OTHER, name }
    return {
      ...base,
      mxSuffixes: [...base.mxSuffixes, ...row.mx_suffixes],
      junkNames: [...row.junk_names, ...base.junkNames],
      authHosts: [...row.auth_hosts, ...base.authHosts],
      ...(row.imap_host !== undefined && {
        imap: {
          host: row.imap_host,
          port: row.imap_port,
          auth: 'password',
          idle: row.idle,
          ipv4Only: false,
        },
      }),
    }
  })
  const replaced = new Set(own.map(({ name }) => name))
  return [...own, ...known.filter(({ name }) => !replaced.has(name))]
}

function originsOf({ config, origins }: LoadedProbes): Origin[] {
  return Object.entries(config.origins).map(([name, { submission, from }]) => {
    const { ca, password } = origins.get(name) ?? {}
    const { host, port, tls, server_name: servername, username } = submission
    return {
      name,
      host,
      port,
      tls,
      from,
      ...(ca !== undefined && { ca }),
      ...(servername !== undefined && { servername }),
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
    }
  })
}

function seedsOf({ config, seeds }: LoadedProbes, providers: readonly Provider[]): Seed[] {
  return Object.entries(config.seeds).map(([name, seed]) => {
    const { ca, password = new Secret('') } = seeds.get(name) ?? {}
    const provider =
      findProvider(seed.provider, providers) ?? findProvider(OTHER_PROVIDER, providers) ?? OTHER
    const { host, port, server_name: servername, username } = seed.imap
    return {
      name,
      provider,
      address: seed.address,
      imap: {
        host: host ?? provider.imap?.host ?? '',
        port: port ?? provider.imap?.port ?? 993,
        username: username ?? seed.address,
        credential: () => Promise.resolve({ kind: 'password', password }),
        ...(ca !== undefined && { ca }),
        ...(servername !== undefined && { servername }),
      },
      ...(seed.junk_folder !== undefined && { junkFolder: seed.junk_folder }),
      dailyCap: seed.daily_cap,
      pollEvery: config.imap.poll_every,
      othersEvery: Math.max(
        config.imap.poll_every,
        Math.min(10 * config.imap.poll_every, 10 * MINUTE),
      ),
      retryAfter: {
        least: config.imap.retry_after,
        most: Math.max(config.imap.retry_after, 30 * MINUTE),
      },
    }
  })
}

/** Every origin to every seed of a group. A pair that stands in two groups is two probes. */
function groupsOf({ config }: LoadedProbes): Map<string, Probe[]> {
  const taken = new Set<string>()
  return new Map(
    config.probes.map(group => {
      const probes: Probe[] = []
      for (const origin of group.origins) {
        for (const seed of group.seeds) {
          const pair = `${origin}/${seed}`
          const name = taken.has(pair) ? `${group.name}:${pair}` : pair
          taken.add(pair)
          probes.push({
            name,
            origin,
            seed,
            content: 'plain',
            schedule:
              group.every === undefined
                ? { kind: 'cron', expression: group.cron ?? '', jitter: group.jitter }
                : {
                    kind: 'every',
                    every: group.every,
                    jitter: Math.min(group.every, group.jitter),
                  },
            ...(group.paired && { set: `${group.name}/${seed}` }),
            deadline: group.deadline,
          })
        }
      }
      return [group.name, probes]
    }),
  )
}
