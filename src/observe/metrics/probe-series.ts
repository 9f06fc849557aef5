import type { Counter, Gauge, Histogram, Registry } from 'prom-client'

import { followSeries, type Labels } from './instruments.ts'

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

/** Metrics whose series are called by what is configured, and that go on with other names when that changes. */
export class ProbeSeries {
  readonly registry: Registry
  #names: ProbeNames
  readonly #followers: ((next: ProbeNames) => void)[] = []

  constructor(registry: Registry, names: ProbeNames) {
    this.registry = registry
    this.#names = names
  }

  get names(): ProbeNames {
    return this.#names
  }

  /**
   * Makes a metric with a series for everything that has a name.
   *
   * @param value at which a series begins that comes later
   */
  of<M extends Counter | Gauge | Histogram>(
    seriesOf: (names: ProbeNames) => readonly Labels[],
    make: (registry: Registry, series: readonly Labels[]) => M,
    value: () => number = () => 0,
  ): M {
    const metric = make(this.registry, seriesOf(this.#names))
    this.#followers.push(next =>
      followSeries(metric, seriesOf(this.#names), seriesOf(next), value()),
    )
    return metric
  }

  /** Goes on with other names: what stays keeps its numbers. */
  rename(next: ProbeNames): void {
    for (const follow of this.#followers) follow(next)
    this.#names = next
  }
}

export const SEED_LABELS = ['provider', 'seed']

export function labelsOf({ name, provider }: SeedName): {
  readonly provider: string
  readonly seed: string
} {
  return { provider, seed: name }
}

/** A series for every seed. */
export function seedsOf({ seeds }: ProbeNames): readonly Labels[] {
  return seeds.map(labelsOf)
}

/** A series for every origin at every seed. */
export function pairsOf({ origins, seeds }: ProbeNames): readonly Labels[] {
  return origins.flatMap(origin => seeds.map(seed => ({ origin, ...labelsOf(seed) })))
}

/** A series for every origin at every provider. */
export function routesOf({ origins, seeds }: ProbeNames): readonly Labels[] {
  const providers = [...new Set(seeds.map(seed => seed.provider))]
  return origins.flatMap(origin => providers.map(provider => ({ origin, provider })))
}
