import { DAY } from '../base/clock.ts'
import { MOST_ARRIVALS, type Period } from '../probe/period.ts'
import {
  arrivedOf,
  type Counts,
  distinct,
  judgedOf,
  type Rate,
  rateOf,
  sumOf,
  type Times,
  timesOf,
} from './counts.ts'

/** What became of the canaries of one origin to one provider. */
export interface Route {
  readonly origin: string
  readonly provider: string
  readonly counts: Counts
  /** Of those that could be judged: how many arrived anywhere, and how many in the inbox. */
  readonly arrived: Rate
  readonly inbox: Rate
  /** Missing ones that came after their deadline. */
  readonly late: number
  readonly times: Times | undefined
  readonly days: readonly DayOfRoute[]
}

export interface DayOfRoute {
  /** Beginning of the day (UTC), milliseconds since the epoch. */
  readonly day: number
  readonly counts: Counts
  readonly times: Times | undefined
}

export interface SeedRow {
  readonly seed: string
  readonly provider: string
  readonly counts: Counts
  readonly arrived: Rate
  readonly inbox: Rate
}

/** The summary of a period. Times are milliseconds since the epoch. */
export interface Summary {
  readonly since: number
  readonly until: number
  readonly canaries: number
  readonly routes: readonly Route[]
  readonly seeds: readonly SeedRow[]
  /** Times of arrival are those since then, where the period has too many. */
  readonly timesSince: number
}

export function summarise(period: Period): Summary {
  const { since, until, tallies, arrivals } = period
  const origins = distinct(tallies.map(({ origin }) => origin)).toSorted()
  const providers = distinct(tallies.map(({ provider }) => provider)).toSorted()
  const first = Math.floor(since / DAY) * DAY
  const days = Array.from({ length: Math.ceil((until - first) / DAY) }, (_, i) => first + i * DAY)
  const routes = providers.flatMap(provider =>
    origins.flatMap((origin): Route[] => {
      const own = tallies.filter(row => row.origin === origin && row.provider === provider)
      if (own.length === 0) return []
      const counts = sumOf(own)
      const times = arrivals.filter(row => row.origin === origin && row.provider === provider)
      const byDay = Map.groupBy(times, row => Math.floor(row.submittedAt / DAY) * DAY)
      return [
        {
          origin,
          provider,
          counts,
          arrived: rateOf(arrivedOf(counts), judgedOf(counts)),
          inbox: rateOf(counts.inbox, judgedOf(counts)),
          late: own.reduce((sum, row) => sum + row.late, 0),
          times: timesOf(times.map(({ seconds }) => seconds)),
          days: days.map(day => ({
            day,
            counts: sumOf(own.filter(row => row.from === day)),
            times: timesOf((byDay.get(day) ?? []).map(({ seconds }) => seconds)),
          })),
        },
      ]
    }),
  )
  const seeds = distinct(tallies.map(({ seed }) => seed))
    .toSorted()
    .map((seed): SeedRow => {
      const own = tallies.filter(row => row.seed === seed)
      const counts = sumOf(own)
      const judged = judgedOf(counts)
      return {
        seed,
        provider: own[0]?.provider ?? '',
        counts,
        arrived: rateOf(arrivedOf(counts), judged),
        inbox: rateOf(counts.inbox, judged),
      }
    })
  return {
    since,
    until,
    canaries: Object.values(sumOf(tallies)).reduce((sum, n) => sum + n, 0),
    routes,
    seeds,
    timesSince: arrivals.length < MOST_ARRIVALS ? since : (arrivals[0]?.submittedAt ?? since),
  }
}
