/*
 * Measures the statistics by simulation and writes the tables of docs/statistics.md: `npm run simulate`. Chance is
 * seeded, so that the same code gives the same tables.
 */
import { readFileSync, writeFileSync } from 'node:fs'

import { seededRandom } from '../../src/probe/statistics/seeded-random.ts'
import { atQuantile, delays, falseAlarmsAYear, falseAlarmsAYearLearnt } from './detector.ts'
import {
  coverageOfDays,
  coverageOfDifference,
  coverageOfPairs,
  coverageOfWilson,
  sizeOfFisher,
  sizeOfMcNemar,
} from './intervals.ts'

const DOCUMENT = 'docs/statistics.md'

function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)} %`
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

const DROPS = [0.95, 0.9, 0.8, 0.5, 0]

function delayCell(healthy: number, to: number, learnt: boolean): string {
  if (to >= healthy) return '–'
  const sorted = delays(seededRandom(2), {
    healthy: 1 - healthy,
    dropped: 1 - to,
    ...(!learnt && { baseline: 1 - healthy }),
    runs: 2_000,
  })
  return `${atQuantile(sorted, 0.5)} (${atQuantile(sorted, 0.9)}, ${sorted.at(-1)})`
}

function detection(): string {
  const rows = [
    ...[0.99, 0.97, 0.95, 0.9, 0.7].map(healthy => ({ healthy, learnt: false })),
    ...[0.99, 0.95, 0.9].map(healthy => ({ healthy, learnt: true })),
  ].map(({ healthy, learnt }) => {
    const failing = 1 - healthy
    const random = seededRandom(1)
    const alarms = learnt
      ? falseAlarmsAYearLearnt(random, { failing, years: 200 })
      : falseAlarmsAYear(random, { failing, baseline: failing, years: 200 })
    return [
      `${percent(healthy, 0)}, ${learnt ? 'learnt' : 'set'}`,
      alarms.toFixed(2),
      ...DROPS.map(to => delayCell(healthy, to, learnt)),
    ]
  })
  return markdown(
    ['healthy', 'false alarms a year', ...DROPS.map(to => `to ${percent(to, 0)}`)],
    rows,
  )
}

function wrongBaseline(): string {
  const rows = [0.98, 0.97, 0.95].map(healthy => [
    percent(healthy, 0),
    falseAlarmsAYear(seededRandom(3), { failing: 1 - healthy, baseline: 0.01, years: 50 }).toFixed(
      1,
    ),
    falseAlarmsAYear(seededRandom(3), {
      failing: 1 - healthy,
      baseline: 1 - healthy,
      years: 50,
    }).toFixed(1),
  ])
  return markdown(
    ['really healthy', 'alarms a year, baseline set to 99 %', 'with the right baseline'],
    rows,
  )
}

function together(): string {
  const rows = [0.95, 0.9, 0.8, 0.5, 0].map(to => {
    const sorted = delays(seededRandom(2), {
      healthy: 0.01,
      dropped: 1 - to,
      baseline: 0.01,
      runs: 2_000,
    })
    const median = atQuantile(sorted, 0.5)
    return [percent(to, 0), ...[1, 3, 10].map(seeds => `${Math.ceil((median * 10) / seeds)} min`)]
  })
  return markdown(['drop from 99 % to', '1 seed', '3 seeds', '10 seeds'], rows)
}

function intervals(): string {
  const random = seededRandom(4)
  const runs = 20_000
  const rows = [
    ...[
      [10, 0.9],
      [30, 0.95],
      [100, 0.99],
      [1_000, 0.99],
      [1_000, 0.8],
    ].map(([n = 0, p = 0]) => [
      `Wilson, ${n} canaries of which ${percent(p, 0)} arrive`,
      percent(coverageOfWilson(random, n, p, runs)),
    ]),
    ...[
      [50, 0.95, 0.95],
      [100, 0.99, 0.9],
      [1_000, 0.99, 0.97],
    ].map(([n = 0, p = 0, q = 0]) => [
      `Newcombe, ${n} against ${n}, ${percent(p, 0)} against ${percent(q, 0)}`,
      percent(coverageOfDifference(random, { n, p, m: n, q }, runs / 4)),
    ]),
    ...[
      [50, 0.95, 0.95, 0],
      [100, 0.99, 0.9, 0.05],
      [1_000, 0.99, 0.97, 0.1],
    ].map(([n = 0, p = 0, q = 0, shared = 0]) => [
      `Newcombe, ${n} pairs, ${percent(p, 0)} against ${percent(q, 0)}, ${percent(shared, 0)} lost by both`,
      percent(coverageOfPairs(random, { n, p, q, shared }, runs / 4)),
    ]),
  ]
  return markdown(['95 % interval', 'holds the truth'], rows)
}

function sizes(): string {
  const random = seededRandom(5)
  const rows = [
    ...[
      [30, 0.9],
      [200, 0.95],
      [1_000, 0.98],
    ].map(([n = 0, p = 0]) => [
      `Fisher, ${n} against ${n}, both ${percent(p, 0)}`,
      percent(sizeOfFisher(random, n, p, 4_000)),
    ]),
    ...[
      [50, 0.9, 0.05],
      [200, 0.95, 0.05],
      [1_000, 0.98, 0.02],
    ].map(([n = 0, p = 0, shared = 0]) => [
      `McNemar, ${n} pairs, both ${percent(p, 0)}, ${percent(shared, 0)} lost by both`,
      percent(sizeOfMcNemar(random, { n, p, shared }, 4_000)),
    ]),
  ]
  return markdown(['test at 5 %', 'says that equal origins differ'], rows)
}

function blocks(): string {
  const model = { perDay: 144, p: 0.98, bad: 0.2, badDays: 0.2, moreForA: 0.1 }
  const rows = [8, 14, 30, 60].map(days => {
    const found = coverageOfDays(seededRandom(6), { ...model, days }, 300)
    return [String(days), percent(found.blocks, 0), percent(found.independent, 0)]
  })
  return markdown(['days', 'by day blocks', 'as if independent (Newcombe)'], rows)
}

const TABLES: Readonly<Record<string, () => string>> = {
  detection,
  'wrong-baseline': wrongBaseline,
  together,
  intervals,
  sizes,
  blocks,
}

let text = readFileSync(DOCUMENT, 'utf8')
for (const [name, make] of Object.entries(TABLES)) {
  const begin = `<!-- measured: ${name} -->\n`
  const from = text.indexOf(begin)
  const to = text.indexOf('<!-- end -->', from)
  if (from < 0 || to < 0) throw new Error(`${DOCUMENT} has no place for the table ${name}`)
  const table = make()
  process.stdout.write(`${name}\n\n${table}\n\n`)
  text = `${text.slice(0, from)}${begin}${table}\n${text.slice(to)}`
}
writeFileSync(DOCUMENT, text)
