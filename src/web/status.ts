import { DAY, HOUR, MINUTE, type Clock } from '../base/clock.ts'
import type {
  CanaryFilter,
  CanaryRecord,
  HistoryStore,
  ListedCanary,
  Tally,
} from '../probe/history.ts'
import type { Look } from '../probe/model.ts'
import { quantile } from '../probe/statistics.ts'
import {
  VERDICTS,
  type ArrivalSeries,
  type Cell,
  type PlacementSeries,
  type Quantiles,
  type RangeName,
  type Rate,
  type RealMail,
  type SeedState,
  type Status,
  type VerdictCounts,
} from './browser/status-data.ts'
import { summaryOf } from './canary-summary.ts'
import type { RealMailTally } from './real-mail.ts'

/** The 95 % interval of a share of which `k` of `n` were seen, 0 to 1. */
export type IntervalOf = (k: number, n: number) => { readonly low: number; readonly high: number }

/** Where the status page gets its data. */
export interface StatusSource {
  status(range: RangeName): Promise<Status>
  canaries(filter: CanaryFilter): Promise<readonly ListedCanary[]>
  canary(id: string): Promise<CanaryRecord | undefined>
}

export interface StatusOptions {
  readonly history: HistoryStore
  readonly real: RealMailTally
  readonly origins: readonly string[]
  readonly seeds: readonly { readonly name: string; readonly provider: string }[]
  readonly interval: IntervalOf
  readonly version: string
  readonly clock: Clock
}

// Wide enough for a chart, and a step holds several canaries of a probe that runs every few minutes.
const WINDOWS: Readonly<Record<RangeName, { readonly length: number; readonly step: number }>> = {
  '15m': { length: 15 * MINUTE, step: MINUTE },
  '1h': { length: HOUR, step: 5 * MINUTE },
  '6h': { length: 6 * HOUR, step: 15 * MINUTE },
  '24h': { length: DAY, step: HOUR },
  '7d': { length: 7 * DAY, step: 6 * HOUR },
  '30d': { length: 30 * DAY, step: DAY },
}

const SHOWN_CANARIES = 40
// Enough for stable quantiles, and a bound for a month of a busy prober.
const SAMPLED_ARRIVALS = 20_000
// A seed is looked at every few minutes: after this long without, what we knew is old.
const STALE_LOOK = 30 * MINUTE

/** The page's data out of the history, counted anew for every question: rates are never stored. */
export function createStatusSource(options: StatusOptions): StatusSource {
  const { history } = options
  return {
    status: range => statusOf(options, range),
    canaries: filter => history.list(filter),
    canary: id => history.find(id),
  }
}

async function statusOf(options: StatusOptions, range: RangeName): Promise<Status> {
  const { history, seeds, interval, clock } = options
  const at = clock()
  const { length, step } = WINDOWS[range]
  // Steps begin at multiples of their length, so that a bar does not change its content from one poll to the next.
  const last = at - (at % step)
  const first = last - length + step
  const steps = Array.from({ length: length / step }, (_, index) => first + index * step)
  const until = last + step
  const [tallies, arrivals, records, looks] = await Promise.all([
    history.tally(first, until, step),
    history.arrivals(first, until, SAMPLED_ARRIVALS),
    history.list({ limit: SHOWN_CANARIES }),
    Promise.all(seeds.map(seed => history.lastLook(seed.name))),
  ])
  const origins = distinct([...options.origins, ...tallies.map(tally => tally.origin)])
  const providers = distinct([
    ...seeds.map(seed => seed.provider),
    ...tallies.map(tally => tally.provider),
  ])
  const groups = groupsOf(origins, providers, tallies)
  const stepAt = (time: number): number => Math.floor((time - first) / step)
  return {
    version: options.version,
    at,
    range,
    steps,
    origins,
    providers,
    cells: groups.map(group => cellOf(group, interval)),
    placement: groups.map(({ origin, provider, tallies }) => ({
      origin,
      provider,
      steps: steps.map((_, index) =>
        sum(tallies.filter(tally => stepAt(tally.from) === index).map(tally => tally.counts)),
      ),
    })),
    arrival: providers.map(provider => {
      const ofProvider = arrivals.filter(arrival => arrival.provider === provider)
      return {
        provider,
        all: quantilesOf(ofProvider.map(arrival => arrival.seconds)),
        steps: steps.map((_, index) =>
          quantilesOf(
            ofProvider
              .filter(arrival => stepAt(arrival.submittedAt) === index)
              .map(arrival => arrival.seconds),
          ),
        ),
      } satisfies ArrivalSeries
    }),
    seeds: seeds.map((seed, index) => seedState(seed, looks[index], at)),
    real: { since: Math.max(first, options.real.since), providers: realMail(options, first) },
    canaries: records
      .toSorted((a, b) => b.canary.scheduledAt - a.canary.scheduledAt)
      .map(summaryOf),
  }
}

interface Group {
  readonly origin: string
  readonly provider: string
  readonly tallies: readonly Tally[]
}

function groupsOf(
  origins: readonly string[],
  providers: readonly string[],
  tallies: readonly Tally[],
): readonly Group[] {
  return origins.flatMap(origin =>
    providers.map(provider => ({
      origin,
      provider,
      tallies: tallies.filter(tally => tally.origin === origin && tally.provider === provider),
    })),
  )
}

function cellOf({ origin, provider, tallies }: Group, interval: IntervalOf): Cell {
  const counts = sum(tallies.map(tally => tally.counts))
  const arrived = counts.inbox + counts.spam + counts.other
  // Blind is not missing: what could not be seen is in no denominator.
  const judged = arrived + counts.missing + counts.bounced + counts.rejected
  return {
    origin,
    provider,
    counts,
    arrived: rate(arrived, judged, interval),
    inbox: rate(counts.inbox, judged, interval),
    late: tallies.reduce((total, tally) => total + tally.late, 0),
  }
}

function rate(hits: number, n: number, interval: IntervalOf): Rate {
  const { low, high } = interval(hits, n)
  return { hits, n, low, high }
}

function sum(rows: readonly VerdictCounts[]): VerdictCounts {
  const total = Object.fromEntries(VERDICTS.map(verdict => [verdict, 0])) as Record<
    keyof VerdictCounts,
    number
  >
  for (const row of rows) {
    for (const verdict of VERDICTS) total[verdict] += row[verdict]
  }
  return total satisfies PlacementSeries['steps'][number]
}

function quantilesOf(seconds: readonly number[]): Quantiles {
  const p50 = quantile(seconds, 0.5)
  const p90 = quantile(seconds, 0.9)
  if (p50 === undefined || p90 === undefined) return { n: 0 }
  return { n: seconds.length, p50, p90 }
}

function seedState(
  seed: { readonly name: string; readonly provider: string },
  look: Look | undefined,
  now: number,
): SeedState {
  const known = { seed: seed.name, provider: seed.provider }
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
        rate: rate(tally.delivered, tally.delivered + tally.bounced, interval),
      }),
    )
    .toSorted((a, b) => b.rate.n - a.rate.n)
}

function distinct(names: readonly string[]): readonly string[] {
  return [...new Set(names)]
}
