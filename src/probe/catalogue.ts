import { Problem } from '../base/problem.ts'
import { type Content, CONTENTS } from './content.ts'
import type { Origin } from './origin.ts'
import type { Turn } from './rotation.ts'
import type { Schedule } from './schedule.ts'
import type { Seed } from './seed.ts'

/** Origin x seed x content, on a schedule. */
export interface Probe {
  /** `origin/seed`, or `origin/seed/content`. */
  readonly name: string
  readonly origin: string
  readonly seed: string
  readonly content: string
  readonly schedule: Schedule
  /** Probes of one set send at the same ticks, to be compared as pairs: they have one schedule and one seed. */
  readonly set?: string
  /** Milliseconds from the beginning of a canary until it counts as lost. */
  readonly deadline: number
  /** Shares its ticks with others; absent where every tick is its own. */
  readonly turn?: Turn
}

/** What a probe is made of. */
export interface ProbeParts {
  readonly origin: Origin
  readonly seed: Seed
  readonly content: Content
}

/** Every origin, seed and probe by its name. */
export class Catalogue {
  readonly seeds: ReadonlyMap<string, Seed>
  readonly probes: ReadonlyMap<string, Probe>
  readonly #origins: ReadonlyMap<string, Origin>
  readonly #contents: ReadonlyMap<string, Content>

  /**
   * @param contents beside those that are shipped; one of the same name replaces it
   * @throws Problem if a probe names an origin, a seed or a content that does not exist
   */
  constructor(
    origins: readonly Origin[],
    seeds: readonly Seed[],
    probes: readonly Probe[],
    contents: readonly Content[] = [],
  ) {
    this.#origins = byName(origins)
    this.#contents = new Map([...CONTENTS, ...byName(contents)])
    this.seeds = byName(seeds)
    this.probes = byName(probes)
    for (const probe of probes) this.parts(probe)
  }

  /** @throws Problem if there is none of that name */
  probe(name: string): Probe {
    const probe = this.probes.get(name)
    if (!probe) throw new Problem(`there is no probe "${name}"`)
    return probe
  }

  /** The probes that send together, by the name of their set; a probe of none is one by itself. */
  sets(): ReadonlyMap<string, readonly [Probe, ...Probe[]]> {
    const sets = new Map<string, [Probe, ...Probe[]]>()
    for (const probe of this.probes.values()) {
      const name = probe.set ?? probe.name
      const set = sets.get(name)
      if (set) set.push(probe)
      else sets.set(name, [probe])
    }
    return sets
  }

  /** What an origin may call itself in the Received fields it writes; none for one that is configured no more. */
  namesOf(origin: string): readonly string[] {
    const found = this.#origins.get(origin)
    const host = found && 'host' in found ? [found.host, found.servername] : []
    const names = [...host, found?.receivedBy]
    return names.flatMap(name => (name === undefined ? [] : [name.toLowerCase()]))
  }

  /** Name of the mailbox to which reports of an origin come back; undefined where none is read. */
  bouncesOf(origin: string): string | undefined {
    return this.#origins.get(origin)?.bounces?.mailbox
  }

  /** @throws Problem if one of them does not exist */
  parts(probe: Probe): ProbeParts {
    const { name } = probe
    const origin = this.#origins.get(probe.origin)
    const seed = this.seeds.get(probe.seed)
    const content = this.#contents.get(probe.content)
    if (!origin) throw new Problem(`probe "${name}": there is no origin "${probe.origin}"`)
    if (!seed) throw new Problem(`probe "${name}": there is no seed "${probe.seed}"`)
    if (!content) throw new Problem(`probe "${name}": there is no content "${probe.content}"`)
    return { origin, seed, content }
  }
}

function byName<T extends { readonly name: string }>(rows: readonly T[]): ReadonlyMap<string, T> {
  const named = new Map(rows.map(row => [row.name, row]))
  if (named.size < rows.length) {
    const twice = rows.find((row, i) => rows.findIndex(other => other.name === row.name) < i)
    throw new Problem(`two rows are called "${twice?.name}"`)
  }
  return named
}
