import type { Comparison } from './compared.ts'
import type { Times } from './counts.ts'
import type { Summary } from './summary.ts'
import { dayWords, periodWords, points, pWords, rateWords, secondsWords } from './words.ts'

/** Rows for a table; the first is its head. */
export type Rows = readonly (readonly string[])[]

/** A part of a report for a terminal: a heading, rows that stand below each other, paragraphs. */
export interface Section {
  readonly title: string
  readonly rows: Rows
  readonly notes: readonly string[]
}

export function summarySections(summary: Summary): readonly Section[] {
  const { since, until, routes, seeds, canaries, timesSince } = summary
  const unknown = routes.reduce((sum, route) => sum + route.counts.unknown, 0)
  return [
    {
      title: `Canaries of ${periodWords(since, until)}: ${canaries}`,
      rows: [
        ['PROVIDER', 'ORIGIN', 'ARRIVED', 'IN THE INBOX', 'HALF WITHIN', '9 OF 10', 'LATE'],
        ...routes.map(route => [
          route.provider,
          route.origin,
          rateWords(route.arrived),
          rateWords(route.inbox),
          ...timeCells(route.times),
          String(route.late),
        ]),
      ],
      notes: [
        ...(canaries === 0 ? ['No canary has had a verdict in this time.'] : []),
        ...(unknown > 0
          ? [
              `${unknown} more could not be judged, since a mailbox could not be read: they are in no rate.`,
            ]
          : []),
        ...(timesSince > since
          ? [`Times are of the newest arrivals, since ${dayWords(timesSince)}.`]
          : []),
      ],
    },
    {
      title: 'Seed accounts',
      rows: [
        ['SEED', 'PROVIDER', 'ARRIVED', 'IN THE INBOX', 'UNKNOWN'],
        ...seeds.map(row => [
          row.seed,
          row.provider,
          rateWords(row.arrived),
          rateWords(row.inbox),
          String(row.counts.unknown),
        ]),
      ],
      notes: [
        'Intervals hold the true rate with 95 % confidence (Wilson). Method and limits: docs/statistics.md',
      ],
    },
  ]
}

function timeCells(times: Times | undefined): readonly string[] {
  return times
    ? [`${secondsWords(times.p50)} (n = ${times.n})`, secondsWords(times.p90)]
    : ['–', '–']
}

export function comparisonSections(comparison: Comparison): readonly Section[] {
  const { a, b, since, until, rates, times } = comparison
  return [
    {
      title: `${a} against ${b}, ${periodWords(since, until)}`,
      rows: [
        [
          'PROVIDER',
          'MEASURE',
          a.toUpperCase(),
          b.toUpperCase(),
          'POINTS',
          'BY DAYS',
          'PAIRS',
          'P',
        ],
        ...rates.map(({ provider, measure, difference, byDays, ...rate }) => [
          provider,
          measure,
          rateWords(rate.a),
          rateWords(rate.b),
          difference
            ? `${points(difference.estimate)} (${points(difference.low)} to ${points(difference.high)})`
            : '–',
          byDays ? `${points(byDays.low)} to ${points(byDays.high)}` : 'too few',
          rate.pairs === 0 ? 'no' : String(rate.pairs),
          pWords(rate.pAdjusted),
        ]),
      ],
      notes: [...rates.map(({ sentence }) => sentence), ...times.map(({ sentence }) => sentence)],
    },
  ]
}
