import { MINUTE, type Clock } from '../base/clock.ts'
import type { CanaryFilter, CanaryRecord, HistoryStore, ListedCanary } from '../probe/history.ts'
import type { Look } from '../probe/model.ts'
import type { RangeName, RealMail, SeedReport, SeedState, Status } from './browser/status-data.ts'
import { arrivalOf, cellOf, groupsOf, placementOf, rateOf, type IntervalOf } from './cells.ts'
import type { RealMailTally } from './real-mail.ts'
import { windowOf } from './time-window.ts'

/** Where the status page gets its data. */
export interface StatusSource {
  status(range: RangeName): Promise<Status>
  canaries(filter: CanaryFilter): Promise<readonly ListedCanary[]>
  canary(id: string): Promise<CanaryRecord | undefined>
  /** One seed by its name; undefined where none has it. */
  seed(name: string, range: RangeName): Promise<SeedReport | undefined>
}

interface NamedSeed {
  readonly name: string
  readonly provider: string
  /** When the account was made, milliseconds since the epoch. */
  readonly createdAt?: number
}

export interface StatusOptions {
  readonly history: HistoryStore
  readonly real: RealMailTally
  /** What is configured now. */
  readonly names: () => {
    readonly origins: readonly string[]
    readonly seeds: readonly NamedSeed[]
  }
  readonly interval: IntervalOf
  readonly version: string
  readonly clock: Clock
}

// A seed is looked at every few minutes: after this long without, what we knew is old.
const STALE_LOOK = 30 * MINUTE

/** The page's data out of the history, counted anew for every question: rates are never stored. */
export function createStatusSource(options: StatusOptions): StatusSource {
  const { history, names } = options
  return {
    status: range => statusOf(options, range),
    canaries: filter => history.list(filter),
    canary: id => history.find(id),
    seed: async (name, range) => {
      const seed = names().seeds.find(one => one.name === name)
      return seed && reportOf(options, seed, range)
    },
  }
}

async function statusOf(options: StatusOptions, range: RangeName): Promise<Status> {
  const { history, interval, clock } = options
  const { seeds, ...names } = options.names()
  const at = clock()
  const window = windowOf(range, at)
  const { since, until, step, steps } = window
  const [tallies, arrivals, [newest], looks] = await Promise.all([
    history.tally(since, until, step),
    history.arrivalCounts(since, until, step),
    history.list({ limit: 1 }),
    Promise.all(seeds.map(seed => history.lastLook(seed.name))),
  ])
  const origins = distinct([...names.origins, ...tallies.map(tally => tally.origin)])
  const providers = distinct([
    ...seeds.map(seed => seed.provider),
    ...tallies.map(tally => tally.provider),
  ])
  const groups = groupsOf(origins, providers, tallies)
  return {
    version: options.version,
    at,
    public: false,
    range,
    steps,
    origins,
    providers,
    cells: groups.map(group => cellOf(group, interval)),
    placement: groups.map(group => placementOf(group, window)),
    arrival: providers.map(provider =>
      arrivalOf(
        provider,
        arrivals.filter(arrival => arrival.provider === provider),
        window,
      ),
    ),
    seeds: seeds.map((seed, index) => seedState(seed, looks[index], at)),
    real: { since: Math.max(since, options.real.since), providers: realMail(options, since) },
    any: newest !== undefined,
  }
}

async function reportOf(
  { history, names, interval, clock }: StatusOptions,
  seed: NamedSeed,
  range: RangeName,
): Promise<SeedReport> {
  const at = clock()
  const window = windowOf(range, at)
  const { since, until, step, steps } = window
  const [tallies, arrivals, look] = await Promise.all([
    history.tally(since, until, step),
    history.arrivalCounts(since, until, step, seed.name),
    history.lastLook(seed.name),
  ])
  const own = tallies.filter(tally => tally.seed === seed.name)
  const from = distinct([...names().origins, ...own.map(tally => tally.origin)])
  const groups = groupsOf(from, [seed.provider], own)
  return {
    at,
    range,
    steps,
    state: seedState(seed, look, at),
    cells: groups.map(group => cellOf(group, interval)),
    placement: groups.map(group => placementOf(group, window)),
    arrival: arrivalOf(seed.provider, arrivals, window),
  }
}

function seedState(seed: NamedSeed, look: Look | undefined, now: number): SeedState {
  const { name, provider, createdAt } = seed
  const known = { seed: name, provider, ...(createdAt !== undefined && { createdAt }) }
  if (!look) return { ...known, state: 'unread', lookedAt: 0, blindness: '', detail: '' }
  const fresh = now - look.endedAt < STALE_LOOK ? 'reading' : 'stale'
  return {
    ...known,
    state: look.complete ? fresh : 'blind',
    lookedAt: look.endedAt,
    blindness: look.blindness ?? '',
    detail: look.detail,
  }
}

function realMail({ real, interval }: StatusOptions, since: number): readonly RealMail[] {
  return real
    .read(since)
    .map(tally =>
      Object.assign(tally, {
        rate: rateOf(tally.delivered, tally.delivered + tally.bounced, interval),
      }),
    )
    .toSorted((a, b) => b.rate.n - a.rate.n)
}

function distinct(names: readonly string[]): readonly string[] {
  return [...new Set(names)]
}
