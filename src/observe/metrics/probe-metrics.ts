import type { Counter, Gauge, Histogram, Registry } from 'prom-client'

import type { Clock } from '../../base/clock.ts'
import { SECOND } from '../../base/clock.ts'
import { AUTH_RESULTS } from '../../mail/authentication-results.ts'
import type { ProbeEvent } from '../../probe/events.ts'
import { VERDICT_LABELS } from '../../probe/model.ts'
import { SKIP_REASONS } from '../../probe/schedule.ts'
import {
  combinations,
  counter,
  durations,
  extend,
  followSeries,
  gauge,
  type Labels,
} from './instruments.ts'

export interface SeedName {
  readonly name: string
  readonly provider: string
  /** Signs in with OAuth 2. */
  readonly oauth?: boolean
  /** When the account was made, milliseconds since the epoch. */
  readonly createdAt?: number
}

/** By what the prober's series are called. */
export interface ProbeNames {
  readonly origins: readonly string[]
  readonly seeds: readonly SeedName[]
  readonly probes: readonly string[]
}

interface ProbeMetrics {
  readonly report: (event: ProbeEvent) => void
  /** Goes on with other names: what stays keeps its numbers. */
  readonly rename: (names: ProbeNames) => void
}

/** Metrics of the prober: what became of canaries, and whether we can see. */
export function probeMetrics(registry: Registry, first: ProbeNames, clock: Clock): ProbeMetrics {
  let names = first
  let known = knownOf(first)
  const followers: ((next: ProbeNames) => void)[] = []
  const now = (): number => Math.floor(clock() / SECOND)

  /** A metric whose series are called by the names. */
  function named<M extends Counter | Gauge | Histogram>(
    make: (series: readonly Labels[]) => M,
    seriesOf: (names: ProbeNames) => readonly Labels[],
    value: () => number = () => 0,
  ): M {
    const metric = make(seriesOf(names))
    followers.push(next => followSeries(metric, seriesOf(names), seriesOf(next), value()))
    return metric
  }

  const canaries = named(
    series =>
      counter(
        registry,
        'mailcanary_canaries_total',
        'Canaries by final verdict. unknown is blindness of the prober, and no loss.',
        series,
      ),
    of => extend(pairsOf(of), 'verdict', VERDICT_LABELS),
  )
  const submitted = named(
    series =>
      counter(
        registry,
        'mailcanary_canaries_submitted_total',
        'Canaries an origin has accepted.',
        series,
      ),
    pairsOf,
  )
  const arrival = named(
    series =>
      durations(
        registry,
        'mailcanary_canary_arrival_seconds',
        'Seconds from the submission of a canary to its arrival, for those that arrived in time.',
        series,
      ),
    routesOf,
  )
  const late = counter(
    registry,
    'mailcanary_canaries_late_total',
    'Canaries that arrived after they were judged missing; their verdict stays missing.',
  )
  const auth = named(
    series =>
      counter(
        registry,
        'mailcanary_canary_auth_total',
        'Results of SPF, DKIM and DMARC as the provider wrote them into canaries that arrived.',
        series,
      ),
    of => extend(extend(routesOf(of), 'check', ['spf', 'dkim', 'dmarc']), 'result', AUTH_RESULTS),
  )
  const seedUp = named(
    series =>
      gauge(
        registry,
        'mailcanary_seed_up',
        'Whether the mailbox of the seed could be read at the last look (1), or not or not yet (0).',
        series,
      ),
    ({ seeds }) => seeds.map(labelsOf),
  )
  const tokenValid = named(
    series =>
      gauge(
        registry,
        'mailcanary_seed_token_valid',
        'Whether the OAuth 2 sign-in of the seed is good (1), or a person has to sign in again or has not yet (0).',
        series,
        0,
        SEED_LABELS,
      ),
    tokensOf,
  )
  const tokenExpiry = named(
    series =>
      gauge(
        registry,
        'mailcanary_seed_token_expiry_timestamp_seconds',
        'Unix time at which the access token of the seed ends; it is refreshed before. 0 before the first.',
        series,
        0,
        SEED_LABELS,
      ),
    tokensOf,
  )
  const tokenFailures = named(
    series =>
      counter(
        registry,
        'mailcanary_seed_token_failures_total',
        'Refreshes that failed: refused needs a person, unavailable is tried again.',
        series,
        [...SEED_LABELS, 'result'],
      ),
    of => extend(tokensOf(of), 'result', ['refused', 'unavailable']),
  )
  const created = named(
    series =>
      gauge(
        registry,
        'mailcanary_seed_created_timestamp_seconds',
        'Unix time at which the account of the seed was made, as configured.',
        series,
        0,
        SEED_LABELS,
      ),
    ({ seeds }) => seeds.filter(isDated).map(labelsOf),
  )
  const tellAges = (): void => {
    for (const seed of names.seeds.filter(isDated)) {
      created.set(labelsOf(seed), seed.createdAt / SECOND)
    }
  }
  tellAges()
  const lastVerdict = named(
    series =>
      gauge(
        registry,
        'mailcanary_last_verdict_timestamp_seconds',
        'Unix time of the last verdict other than unknown; the start of this process before the first.',
        series,
        now(),
      ),
    routesOf,
    now,
  )
  const skipped = counter(
    registry,
    'mailcanary_probe_ticks_skipped_total',
    'Ticks of the schedules at which a probe sent no canary.',
    combinations({ reason: SKIP_REASONS }),
  )
  const paused = named(
    series =>
      gauge(
        registry,
        'mailcanary_probe_paused',
        'Whether a probe does not send (1): by an operator, or because too many of its canaries have no verdict.',
        series,
      ),
    ({ probes }) => combinations({ probe: probes, cause: ['operator', 'undecided'] }),
  )
  const forged = named(
    series =>
      counter(
        registry,
        'mailcanary_canaries_forged_total',
        'Messages that claimed to be a canary and could not prove it.',
        series,
      ),
    ({ seeds }) => seeds.map(labelsOf),
  )
  const faults = counter(
    registry,
    'mailcanary_probe_faults_total',
    'Faults inside the prober, each with a line in the log.',
  )

  function rename(next: ProbeNames): void {
    for (const follow of followers) follow(next)
    names = next
    known = knownOf(next)
    tellAges()
  }

  const report = (event: ProbeEvent): void => {
    // The last canaries of what is configured no more have verdicts, and no series.
    if ('seed' in event && !known.seeds.has(event.seed)) return
    if ('origin' in event && !known.origins.has(event.origin)) return
    switch (event.kind) {
      case 'canary-submitted': {
        const { origin, provider, seed } = event
        submitted.inc({ origin, provider, seed })
        return
      }
      case 'verdict': {
        const { origin, provider, seed, verdict } = event
        canaries.inc({ origin, provider, seed, verdict })
        if (event.seconds !== undefined) {
          // Two clocks took part; a canary does not arrive before it was sent.
          arrival.observe({ origin, provider }, Math.max(0, event.seconds))
        }
        if (event.auth) {
          for (const [check, result] of Object.entries(event.auth)) {
            auth.inc({ origin, provider, check, result: String(result) })
          }
        }
        if (verdict !== 'unknown') {
          lastVerdict.set({ origin, provider }, now())
        }
        return
      }
      case 'canary-late':
        late.inc()
        return
      case 'seed-up':
      case 'seed-down':
        seedUp.set({ provider: event.provider, seed: event.seed }, event.kind === 'seed-up' ? 1 : 0)
        return
      case 'token-refreshed': {
        const { provider, seed, until } = event
        tokenValid.set({ provider, seed }, 1)
        tokenExpiry.set({ provider, seed }, Math.floor(until / SECOND))
        return
      }
      case 'token-failed': {
        const { provider, seed, result } = event
        tokenFailures.inc({ provider, seed, result })
        if (result === 'refused') tokenValid.set({ provider, seed }, 0)
        return
      }
      case 'tick-skipped':
        skipped.inc({ reason: event.reason }, event.ticks)
        return
      case 'probe-standing': {
        const { probe } = event
        paused.set({ probe, cause: 'operator' }, event.paused ? 1 : 0)
        paused.set({ probe, cause: 'undecided' }, event.undecided ? 1 : 0)
        return
      }
      case 'detector-alarm':
      case 'detector-calm':
        // Read at each scrape.
        return
      case 'forged-canary':
        forged.inc({ provider: event.provider, seed: event.seed })
        return
      case 'probe-fault':
        faults.inc()
        return
    }
  }
  return { report, rename }
}

const SEED_LABELS = ['provider', 'seed']

function labelsOf({ name, provider }: SeedName): {
  readonly provider: string
  readonly seed: string
} {
  return { provider, seed: name }
}

function pairsOf({ origins, seeds }: ProbeNames): readonly Labels[] {
  return origins.flatMap(origin => seeds.map(seed => ({ origin, ...labelsOf(seed) })))
}

function routesOf({ origins, seeds }: ProbeNames): readonly Labels[] {
  return origins.flatMap(origin => providersOf(seeds).map(provider => ({ origin, provider })))
}

function tokensOf({ seeds }: ProbeNames): readonly Labels[] {
  return seeds.filter(({ oauth }) => oauth === true).map(labelsOf)
}

function isDated(seed: SeedName): seed is SeedName & { readonly createdAt: number } {
  return seed.createdAt !== undefined
}

function knownOf({ origins, seeds }: ProbeNames): {
  readonly origins: ReadonlySet<string>
  readonly seeds: ReadonlySet<string>
} {
  return { origins: new Set(origins), seeds: new Set(seeds.map(({ name }) => name)) }
}

function providersOf(seeds: readonly SeedName[]): readonly string[] {
  return [...new Set(seeds.map(seed => seed.provider))]
}
