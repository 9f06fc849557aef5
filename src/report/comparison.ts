import { DAY } from '../base/clock.ts'
import type { PairCount } from '../probe/history.ts'
import type { VerdictLabel } from '../probe/model.ts'
import type { ArrivalTime, Period } from '../probe/period.ts'
import { dayBlockInterval } from '../probe/statistics/day-blocks.ts'
import { difference, pairedDifference, type Pairs } from '../probe/statistics/difference.ts'
import { fisher, mcNemar } from '../probe/statistics/exact.ts'
import { holm } from '../probe/statistics/holm.ts'
import {
  type ComparedRate,
  type ComparedTime,
  type Comparison,
  type Measure,
  MEASURES,
} from './compared.ts'
import { arrivedOf, type Counts, distinct, judgedOf, rateOf, sumOf, timesOf } from './counts.ts'
import { sentenceOf, timeSentenceOf } from './sentences.ts'
import { medianOfDays, timeBins } from './time-bins.ts'

/** Holds two origins against each other. @param period read for these two */
export function compare(period: Period, a: string, b: string): Comparison {
  const { since, until, tallies, arrivals } = period
  const both = tallies.filter(({ origin }) => origin === a || origin === b)
  const providers = distinct(both.map(({ provider }) => provider)).toSorted()
  const rates = providers.flatMap(provider =>
    MEASURES.map(measure => rateOfPeriod(period, { a, b, provider, measure })),
  )
  const adjusted = holm(rates.map(({ p }) => p))
  return {
    since,
    until,
    a,
    b,
    rates: rates.map((rate, i) => {
      const known = { ...rate, pAdjusted: adjusted[i] ?? 1 }
      return { ...known, sentence: sentenceOf(known, a, b) }
    }),
    times: providers.map(provider => {
      const ofProvider = arrivals.filter(row => row.provider === provider)
      return timeOfPeriod(ofProvider, { a, b, provider })
    }),
  }
}

interface Question {
  readonly a: string
  readonly b: string
  readonly provider: string
  readonly measure: Measure
}

function rateOfPeriod(
  { tallies, pairs }: Period,
  { a, b, provider, measure }: Question,
): Omit<ComparedRate, 'pAdjusted' | 'sentence'> {
  const ofProvider = tallies.filter(row => row.provider === provider)
  const shareOf = (counts: Counts): { k: number; n: number } => ({
    k: measure === 'inbox' ? counts.inbox : arrivedOf(counts),
    n: judgedOf(counts),
  })
  const ofOrigin = (origin: string): { k: number; n: number } =>
    shareOf(sumOf(ofProvider.filter(row => row.origin === origin)))
  const [first, second] = [ofOrigin(a), ofOrigin(b)]
  const own = pairs.filter(row => row.provider === provider)
  const table = pairsOf(own, measure)
  const n = table.both + table.onlyA + table.onlyB + table.neither
  // Where most were sent together, the pairs tell more than what was sent alone.
  const paired = n > 0 && 2 * n >= Math.min(first.n, second.n)
  const byDay = paired
    ? days(own, row => row.day).map(rows => pairsOf(rows, measure))
    : days(
        ofProvider.filter(({ origin }) => origin === a || origin === b),
        row => row.from,
      ).map(rows => ({
        a: shareOf(sumOf(rows.filter(row => row.origin === a))),
        b: shareOf(sumOf(rows.filter(row => row.origin === b))),
      }))
  return {
    provider,
    measure,
    a: rateOf(first.k, first.n),
    b: rateOf(second.k, second.n),
    pairs: paired ? n : 0,
    difference: paired ? pairedDifference(table) : difference(first, second),
    byDays: dayBlockInterval<Pairs | TwoShares>(byDay, differenceOfDays),
    p: paired ? mcNemar(table) : fisher(first, second),
  }
}

interface TwoShares {
  readonly a: { readonly k: number; readonly n: number }
  readonly b: { readonly k: number; readonly n: number }
}

function differenceOfDays(drawn: readonly (Pairs | TwoShares)[]): number | undefined {
  let [ka, na, kb, nb] = [0, 0, 0, 0]
  for (const day of drawn) {
    if ('both' in day) {
      const n = day.both + day.onlyA + day.onlyB + day.neither
      ka += day.both + day.onlyA
      kb += day.both + day.onlyB
      na += n
      nb += n
    } else {
      ka += day.a.k
      na += day.a.n
      kb += day.b.k
      nb += day.b.n
    }
  }
  return na === 0 || nb === 0 ? undefined : ka / na - kb / nb
}

/** A pair of which either is unknown says nothing. */
function pairsOf(rows: readonly PairCount[], measure: Measure): Pairs {
  const pairs = { both: 0, onlyA: 0, onlyB: 0, neither: 0 }
  const good = (label: VerdictLabel): boolean =>
    label === 'inbox' || (measure === 'arrival' && (label === 'spam' || label === 'other'))
  for (const { a, b, n } of rows) {
    if (a === 'unknown' || b === 'unknown') continue
    if (good(a)) pairs[good(b) ? 'both' : 'onlyA'] += n
    else pairs[good(b) ? 'onlyB' : 'neither'] += n
  }
  return pairs
}

function timeOfPeriod(
  arrivals: readonly ArrivalTime[],
  { a, b, provider }: Omit<Question, 'measure'>,
): ComparedTime {
  const secondsOf = (origin: string, rows: readonly ArrivalTime[]): readonly number[] =>
    rows.filter(row => row.origin === origin).map(({ seconds }) => seconds)
  const first = timesOf(secondsOf(a, arrivals))
  const second = timesOf(secondsOf(b, arrivals))
  const binned = days(
    arrivals.filter(({ origin }) => origin === a || origin === b),
    row => Math.floor(row.submittedAt / DAY),
  ).map(rows => ({ a: timeBins(secondsOf(a, rows)), b: timeBins(secondsOf(b, rows)) }))
  const byDays = dayBlockInterval(binned, drawn => {
    const one = medianOfDays(drawn.map(day => day.a))
    const other = medianOfDays(drawn.map(day => day.b))
    return one === undefined || other === undefined ? undefined : one - other
  })
  const known = {
    provider,
    a: first,
    b: second,
    difference: first && second && first.p50 - second.p50,
    byDays,
  }
  return { ...known, sentence: timeSentenceOf(known, a, b) }
}

function days<T>(rows: readonly T[], dayOf: (row: T) => number): readonly (readonly T[])[] {
  // In their order, so that the same canaries give the same interval however they were read.
  const groups = [...Map.groupBy(rows, dayOf)].toSorted(([a], [b]) => a - b)
  return groups.map(([, group]) => group)
}
