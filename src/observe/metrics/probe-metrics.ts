import type { Registry } from 'prom-client'

import type { Clock } from '../../base/clock.ts'
import { SECOND } from '../../base/clock.ts'
import { AUTH_RESULTS } from '../../mail/authentication-results.ts'
import type { ProbeEvent } from '../../probe/events.ts'
import { VERDICT_LABELS } from '../../probe/model.ts'
import { SKIP_REASONS } from '../../probe/schedule.ts'
import { combinations, counter, durations, extend, gauge } from './instruments.ts'

export interface SeedName {
  readonly name: string
  readonly provider: string
  /** Signs in with OAuth 2. */
  readonly oauth?: boolean
  /** When the account was made, milliseconds since the epoch. */
  readonly createdAt?: number
}

/** Metrics of the prober: what became of canaries, and whether we can see. */
export function probeMetrics(
  registry: Registry,
  names: {
    readonly origins: readonly string[]
    readonly seeds: readonly SeedName[]
    readonly probes: readonly string[]
  },
  clock: Clock,
): (event: ProbeEvent) => void {
  const seeds = names.seeds.map(({ name, provider }) => ({ provider, seed: name }))
  const pairs = names.origins.flatMap(origin => seeds.map(seed => ({ origin, ...seed })))
  const routes = names.origins.flatMap(origin =>
    providersOf(names.seeds).map(provider => ({ origin, provider })),
  )
  // A canary of an origin or a seed that was taken out of the configuration makes no series: labels are a closed set.
  const announced = new Set(pairs.map(keyOf))
  const canaries = counter(
    registry,
    'mailcanary_canaries_total',
    'Canaries by final verdict. unknown is blindness of the prober, and no loss.',
    extend(pairs, 'verdict', VERDICT_LABELS),
  )
  const submitted = counter(
    registry,
    'mailcanary_canaries_submitted_total',
    'Canaries an origin has accepted.',
    pairs,
  )
  const arrival = durations(
    registry,
    'mailcanary_canary_arrival_seconds',
    'Seconds from the submission of a canary to its arrival, for those that arrived in time.',
    routes,
  )
  const late = counter(
    registry,
    'mailcanary_canaries_late_total',
    'Canaries that arrived after they were judged missing; their verdict stays missing.',
  )
  const auth = counter(
    registry,
    'mailcanary_canary_auth_total',
    'Results of SPF, DKIM and DMARC as the provider wrote them into canaries that arrived.',
    extend(extend(routes, 'check', ['spf', 'dkim', 'dmarc']), 'result', AUTH_RESULTS),
  )
  const seedUp = gauge(
    registry,
    'mailcanary_seed_up',
    'Whether the mailbox of the seed could be read at the last look (1), or not or not yet (0).',
    seeds,
  )
  const tokens = names.seeds
    .filter(seed => seed.oauth === true)
    .map(({ name, provider }) => ({ provider, seed: name }))
  const tokenValid = gauge(
    registry,
    'mailcanary_seed_token_valid',
    'Whether the OAuth 2 sign-in of the seed is good (1), or a person has to sign in again or has not yet (0).',
    tokens,
  )
  const tokenExpiry = gauge(
    registry,
    'mailcanary_seed_token_expiry_timestamp_seconds',
    'Unix time at which the access token of the seed ends; it is refreshed before. 0 before the first.',
    tokens,
  )
  const tokenFailures = counter(
    registry,
    'mailcanary_seed_token_failures_total',
    'Refreshes that failed: refused needs a person, unavailable is tried again.',
    extend(tokens, 'result', ['refused', 'unavailable']),
  )
  const dated = names.seeds.filter(seed => seed.createdAt !== undefined)
  const created = gauge(
    registry,
    'mailcanary_seed_created_timestamp_seconds',
    'Unix time at which the account of the seed was made, as configured.',
    dated.map(({ name, provider }) => ({ provider, seed: name })),
  )
  for (const { name, provider, createdAt = 0 } of dated) {
    created.set({ provider, seed: name }, createdAt / SECOND)
  }
  const lastVerdict = gauge(
    registry,
    'mailcanary_last_verdict_timestamp_seconds',
    'Unix time of the last verdict other than unknown; the start of this process before the first.',
    routes,
    Math.floor(clock() / SECOND),
  )
  const skipped = counter(
    registry,
    'mailcanary_probe_ticks_skipped_total',
    'Ticks of the schedules at which a probe sent no canary.',
    combinations({ reason: SKIP_REASONS }),
  )
  const paused = gauge(
    registry,
    'mailcanary_probe_paused',
    'Whether a probe does not send (1): by an operator, or because too many of its canaries have no verdict.',
    combinations({ probe: names.probes, cause: ['operator', 'undecided'] }),
  )
  const forged = counter(
    registry,
    'mailcanary_canaries_forged_total',
    'Messages that claimed to be a canary and could not prove it.',
    seeds,
  )
  const faults = counter(
    registry,
    'mailcanary_probe_faults_total',
    'Faults inside the prober, each with a line in the log.',
  )

  return event => {
    switch (event.kind) {
      case 'canary-submitted': {
        const { origin, provider, seed } = event
        if (!announced.has(keyOf(event))) return
        submitted.inc({ origin, provider, seed })
        return
      }
      case 'verdict': {
        const { origin, provider, seed, verdict } = event
        if (!announced.has(keyOf(event))) return
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
          lastVerdict.set({ origin, provider }, Math.floor(clock() / SECOND))
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
}

function keyOf(pair: {
  readonly origin: string
  readonly provider: string
  readonly seed: string
}): string {
  return JSON.stringify([pair.origin, pair.provider, pair.seed])
}

function providersOf(seeds: readonly SeedName[]): readonly string[] {
  return [...new Set(seeds.map(seed => seed.provider))]
}
