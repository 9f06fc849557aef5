import { SECOND } from '../../base/clock.ts'
import type { ProbeEvent } from '../../probe/events.ts'
import { counter, extend, gauge, type Labels } from './instruments.ts'
import {
  labelsOf,
  type ProbeNames,
  type ProbeSeries,
  SEED_LABELS,
  type SeedName,
  seedsOf,
} from './probe-series.ts'

type SeedEvent = Extract<
  ProbeEvent,
  { readonly kind: 'seed-up' | 'seed-down' | 'token-refreshed' | 'token-failed' }
>

interface SeedMetrics {
  readonly report: (event: SeedEvent) => void
  /** After the names have changed. */
  readonly renamed: () => void
}

/** Metrics of the seed accounts: whether we can see, and for how long still. */
export function seedMetrics(named: ProbeSeries): SeedMetrics {
  const up = named.of(seedsOf, (registry, series) =>
    gauge(
      registry,
      'mailcanary_seed_up',
      'Whether the mailbox of the seed could be read at the last look (1), or not or not yet (0).',
      series,
    ),
  )
  const tokenValid = named.of(tokensOf, (registry, series) =>
    gauge(
      registry,
      'mailcanary_seed_token_valid',
      'Whether the OAuth 2 sign-in of the seed is good (1), or a person has to sign in again or has not yet (0).',
      series,
      0,
      SEED_LABELS,
    ),
  )
  const tokenExpiry = named.of(tokensOf, (registry, series) =>
    gauge(
      registry,
      'mailcanary_seed_token_expiry_timestamp_seconds',
      'Unix time at which the access token of the seed ends; it is refreshed before. 0 before the first.',
      series,
      0,
      SEED_LABELS,
    ),
  )
  const tokenFailures = named.of(
    of => extend(tokensOf(of), 'result', ['refused', 'unavailable']),
    (registry, series) =>
      counter(
        registry,
        'mailcanary_seed_token_failures_total',
        'Refreshes that failed: refused needs a person, unavailable is tried again.',
        series,
        [...SEED_LABELS, 'result'],
      ),
  )
  const created = named.of(
    ({ seeds }) => seeds.filter(isDated).map(labelsOf),
    (registry, series) =>
      gauge(
        registry,
        'mailcanary_seed_created_timestamp_seconds',
        'Unix time at which the account of the seed was made, as configured.',
        series,
        0,
        SEED_LABELS,
      ),
  )
  const renamed = (): void => {
    for (const seed of named.names.seeds.filter(isDated)) {
      created.set(labelsOf(seed), seed.createdAt / SECOND)
    }
  }
  renamed()
  const report = (event: SeedEvent): void => {
    const { provider, seed } = event
    switch (event.kind) {
      case 'seed-up':
      case 'seed-down':
        up.set({ provider, seed }, event.kind === 'seed-up' ? 1 : 0)
        return
      case 'token-refreshed':
        tokenValid.set({ provider, seed }, 1)
        tokenExpiry.set({ provider, seed }, Math.floor(event.until / SECOND))
        return
      case 'token-failed':
        tokenFailures.inc({ provider, seed, result: event.result })
        if (event.result === 'refused') tokenValid.set({ provider, seed }, 0)
        return
    }
  }
  return { report, renamed }
}

function tokensOf({ seeds }: ProbeNames): readonly Labels[] {
  return seeds.filter(({ oauth }) => oauth === true).map(labelsOf)
}

function isDated(seed: SeedName): seed is SeedName & { readonly createdAt: number } {
  return seed.createdAt !== undefined
}
