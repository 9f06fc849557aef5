import { HOUR, SECOND } from '../base/clock.ts'
import type { Part } from '../base/lifecycle.ts'
import { Periodic } from '../base/periodic.ts'
import { messageOf } from '../base/problem.ts'
import type { LoadedProbes } from '../config/load-probes.ts'
import { providerRows } from '../config/provider-rows.ts'
import type { Provider } from '../mail/provider.ts'
import type { Probe } from '../probe/catalogue.ts'
import { WORDS } from '../probe/content-words.ts'
import type { Content } from '../probe/content.ts'
import { clampBaseline } from '../probe/detector-baseline.ts'
import { Detector, type DetectorOptions } from '../probe/detector.ts'
import type { ReportProbeEvent } from '../probe/events.ts'
import type { HistoryStore } from '../probe/history.ts'
import { TokenRefresher } from '../probe/oauth/token-refresher.ts'
import { Prober } from '../probe/prober.ts'
import type { Seed } from '../probe/seed.ts'
import type { MessageTrace } from '../probe/trace.ts'
import { bouncesOf, originsOf, remoteTracesOf, type TraceAt } from './origin-parts.ts'
import type { ProberMemory } from './prober-memory.ts'
import { seedsOf } from './seed-parts.ts'
import type { Surroundings } from './surroundings.ts'

/** What metrics and the status page call things by. */
export interface ProbeNames {
  readonly origins: readonly string[]
  readonly seeds: readonly {
    readonly name: string
    readonly provider: string
    /** Signs in with OAuth 2. */
    readonly oauth: boolean
    /** When the account was made, milliseconds since the epoch. */
    readonly createdAt?: number
  }[]
  readonly probes: readonly string[]
}

/** What one probes.yaml comes to, in the order in which its parts start: replaced as a whole when the file changes. */
export interface ProbingParts {
  readonly parts: readonly Part[]
  readonly prober: Prober
  /** Undefined where only single canaries are wanted. */
  readonly detector: Detector | undefined
  /** Names of the probes by the name of their group, for commands. */
  readonly groups: ReadonlyMap<string, readonly string[]>
  readonly names: ProbeNames
  /** Those that can be asked what became of a message, by the name of their origin. */
  readonly relaysElsewhere: ReadonlyMap<string, MessageTrace>
}

export interface ProbingOptions {
  readonly memory: ProberMemory
  readonly report: ReportProbeEvent
  /** Of the relay in this process, where there is one. */
  readonly trace: MessageTrace | undefined
  /** Of relays elsewhere; nobody asks them where it is absent. */
  readonly traceAt?: TraceAt
  /** False where only single canaries are wanted. */
  readonly scheduled: boolean
}

/** @throws Problem if a probe names what does not exist */
export function createParts(
  loaded: LoadedProbes,
  surroundings: Surroundings,
  { memory, report, trace, traceAt, scheduled }: ProbingOptions,
): ProbingParts {
  const { config } = loaded
  const { clock, random, folder, providers } = surroundings
  const { history, leases, tokenKey } = memory
  const { seeds, tokens } = seedsOf(loaded, providersOf(loaded, providers), {
    folder: folder.path,
    report,
    clock,
  })
  const groups = groupsOf(loaded)
  const probes = [...groups.values()].flat()
  const names = {
    origins: Object.keys(config.origins),
    seeds: seeds.map(({ name, provider, signIn, createdAt }) => ({
      name,
      provider: provider.name,
      oauth: signIn === 'oauth2',
      ...(createdAt !== undefined && { createdAt }),
    })),
    probes: probes.map(({ name }) => name),
  }
  const relaysElsewhere = traceAt
    ? remoteTracesOf(loaded, traceAt)
    : new Map<string, MessageTrace>()
  const prober = new Prober({
    history,
    origins: originsOf(loaded),
    seeds,
    probes,
    contents: contentsOf(loaded),
    tokenKey,
    ...(leases && { leases }),
    report,
    clock,
    random,
    scheduled,
    bounces: bouncesOf(loaded),
    traceOf: origin =>
      config.origins[origin]?.trace === 'local' ? trace : relaysElsewhere.get(origin),
  })
  const retention = new Periodic({
    name: 'history retention',
    every: HOUR,
    run: () => sweep(history, clock() - config.retention.canaries, names.probes),
    failed: error => {
      report({ kind: 'probe-fault', part: 'history retention', cause: messageOf(error) })
    },
  })
  const detector = scheduled ? detectorOf(loaded, seeds, { history, report, clock }) : undefined
  return {
    parts: [
      retention,
      ...(tokens.length === 0 ? [] : [new TokenRefresher(tokens)]),
      ...(detector === undefined ? [] : [detector]),
      prober,
    ],
    prober,
    detector,
    groups: new Map(
      [...groups].map(([group, members]) => [group, members.map(({ name }) => name)]),
    ),
    names,
    relaysElsewhere,
  }
}

/** Forgets canaries, and the pauses of probes that are configured no more: who stopped them is of interest to nobody. */
async function sweep(
  history: HistoryStore,
  before: number,
  probes: readonly string[],
): Promise<void> {
  await history.sweep(before)
  for (const { probe, at } of await history.pauses()) {
    if (at < before && !probes.includes(probe)) await history.resume(probe)
  }
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
  return providerRows(config.providers, known)
}

/** Every origin to every seed of a group, in every content. What stands in two groups is two probes. */
function groupsOf({ config }: LoadedProbes): Map<string, Probe[]> {
  const taken = new Set<string>()
  const providerOf = (seed: string): string => config.seeds[seed]?.provider ?? ''
  return new Map(
    config.probes.map(group => {
      const probes: Probe[] = []
      for (const { origin, seed, content } of combinationsOf(group)) {
        const usual = group.contents.length === 1 && content === 'plain'
        const parts = usual ? `${origin}/${seed}` : `${origin}/${seed}/${content}`
        const name = taken.has(parts) ? `${group.name}:${parts}` : parts
        taken.add(parts)
        const sharing = group.seeds.filter(other => providerOf(other) === providerOf(seed))
        probes.push({
          name,
          origin,
          seed,
          content,
          ...(group.rotate_seeds && {
            turn: { index: sharing.indexOf(seed), of: sharing.length },
          }),
          schedule:
            group.every === undefined
              ? {
                  kind: 'cron',
                  expression: group.cron ?? '',
                  zone: group.timezone ?? 'UTC',
                  jitter: group.jitter,
                }
              : {
                  kind: 'every',
                  every: group.every,
                  jitter: Math.min(group.every, group.jitter),
                },
          ...(group.paired && { set: `${group.name}/${seed}/${content}` }),
          deadline: group.deadline,
        })
      }
      return [group.name, probes]
    }),
  )
}

function combinationsOf(
  group: LoadedProbes['config']['probes'][number],
): readonly { readonly origin: string; readonly seed: string; readonly content: string }[] {
  return group.origins.flatMap(origin =>
    group.seeds.flatMap(seed => group.contents.map(content => ({ origin, seed, content }))),
  )
}

/** What the file says replaces our words list by list. */
function contentsOf({ config }: LoadedProbes): Content[] {
  return Object.entries(config.contents).map(([name, { form, automatic, ...words }]) => ({
    name,
    form,
    automatic,
    subjects: words.subjects ?? WORDS.subjects,
    greetings: words.greetings ?? WORDS.greetings,
    sentences: words.sentences ?? WORDS.sentences,
    closings: words.closings ?? WORDS.closings,
  }))
}
