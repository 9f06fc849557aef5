import { writeFile } from 'node:fs/promises'

import type { Command } from 'commander'

import { readPeriodAlone } from '../app/prober-alone.ts'
import { DAY } from '../base/clock.ts'
import { parseDuration } from '../base/duration.ts'
import { messageOf, Problem } from '../base/problem.ts'
import { collectPeriod, type Period, type PeriodPart, type PeriodRequest } from '../probe/period.ts'
import { compare } from '../report/comparison.ts'
import { reportPage } from '../report/page.ts'
import { summarise } from '../report/summary.ts'
import { comparisonSections, type Section, summarySections } from '../report/text.ts'
import type { CommandContext } from './context.ts'
import { print, printJson } from './print.ts'
import { addProberOptions, askProber, type ProberOptions } from './prober-access.ts'
import { table } from './table.ts'

interface Options extends ProberOptions {
  readonly since: string
  readonly until?: string
  readonly json?: boolean
}

interface ReportOptions extends Options {
  readonly compare?: string
  readonly html?: string
}

const WHEN = 'so long ago (30d), or a day in UTC (2026-11-01)'

/** `mailcanary report`: what became of the canaries of a period. */
export function addReport(program: Command, { version }: CommandContext): void {
  addProberOptions(
    program
      .command('report')
      .description(
        'Say what became of the canaries of a period: text, JSON, or a page with charts.',
      ),
  )
    .option('--since <when>', `beginning: ${WHEN}`, '30d')
    .option('--until <when>', `end: ${WHEN}; now unless told`)
    .option('--compare <origins>', 'also hold two origins against each other: relay,old')
    .option(
      '--html <file>',
      'write a page that loads nothing, to be mailed and printed; - for standard output',
    )
    .option('--json', 'one document for scripts')
    .addHelpText(
      'after',
      `
Every rate has its sample size and its 95 % interval. Method and limits: docs/statistics.md

Exit code: 0 done, 1 a problem was printed.

Examples:
  mailcanary report --since 7d
  mailcanary report --since 2026-10-01 --until 2026-11-01 --compare relay,old --html october.html`,
    )
    .action(async (options: ReportOptions) => {
      const pair = options.compare === undefined ? undefined : pairOf(options.compare)
      const period = await periodOf(options, pair)
      const summary = summarise(period)
      const comparison = pair && compare(period, ...pair)
      if (options.html !== undefined) {
        const shown = { summary, at: Date.now(), version, ...(comparison && { comparison }) }
        await writePage(options.html, reportPage(shown))
      } else if (options.json === true) {
        printJson({ ...summary, ...(comparison && { comparison }) })
      } else {
        printSections([
          ...summarySections(summary),
          ...(comparison ? comparisonSections(comparison) : []),
        ])
      }
    })
}

/** `mailcanary compare`: whether mail from one origin arrives better than from another. */
export function addCompare(program: Command): void {
  addProberOptions(
    program
      .command('compare')
      .description('Hold two origins against each other: arrival, placement and time, by provider.')
      .requiredOption('--origins <a,b>', 'two origins: relay,old'),
  )
    .option('--since <when>', `beginning: ${WHEN}`, '30d')
    .option('--until <when>', `end: ${WHEN}; now unless told`)
    .option('--json', 'one document for scripts')
    .addHelpText(
      'after',
      `
Canaries that were sent together are compared as pairs. A difference is called one only where an exact test says so, corrected
for the number of questions, and whole days drawn again say the same. Method and limits: docs/statistics.md

Exit code: 0 done, 1 a problem was printed.

Example: mailcanary compare --origins relay,old --since 30d`,
    )
    .action(async (options: Options & { readonly origins: string }) => {
      const pair = pairOf(options.origins)
      const comparison = compare(await periodOf(options, pair), ...pair)
      if (options.json === true) printJson(comparison)
      else printSections(comparisonSections(comparison))
    })
}

function pairOf(text: string): readonly [string, string] {
  const [a, b, ...rest] = text.split(',').map(word => word.trim())
  if (a && b && a !== b && rest.length === 0) return [a, b]
  throw new Problem(`${text}: name two origins with a comma between them, such as relay,old`)
}

async function periodOf(
  options: Options,
  pair: readonly [string, string] | undefined,
): Promise<Period> {
  const now = Date.now()
  const request: PeriodRequest = {
    since: momentOf(options.since, now),
    until: options.until === undefined ? now : momentOf(options.until, now),
    ...(pair && { compare: pair }),
  }
  if (request.since >= request.until) throw new Problem('the period ends before it begins')
  const parts = askProber<PeriodPart>(options, '/period', request, (probes, folder) =>
    readPeriodAlone(probes, folder, request),
  )
  const period = await collectPeriod(request, parts)
  const known = new Set(period.tallies.map(({ origin }) => origin))
  const unheard = pair?.find(origin => !known.has(origin))
  if (unheard === undefined) return period
  const heard =
    known.size === 0 ? 'there are none at all' : `there are some from ${[...known].join(', ')}`
  throw new Problem(`no canary from ${unheard} has had a verdict in this time; ${heard}`)
}

function momentOf(text: string, now: number): number {
  const ago = parseDuration(text)
  if (ago !== undefined) return now - ago
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN
  if (Number.isNaN(day))
    throw new Problem(`${text}: should be how long ago (30d), or a day in UTC (2026-11-01)`)
  return Math.min(day, now + DAY)
}

async function writePage(file: string, page: string): Promise<void> {
  if (file === '-') process.stdout.write(page)
  else {
    await writeFile(file, page, { mode: 0o644 }).catch((error: unknown) => {
      throw new Problem(`${file} cannot be written: ${messageOf(error)}`)
    })
    print([`written to ${file}`])
  }
}

function printSections(sections: readonly Section[]): void {
  for (const [i, { title, rows, notes }] of sections.entries()) {
    if (i > 0) print([''])
    print([title, '', ...(rows.length > 1 ? table(rows) : [])])
    if (notes.length > 0) print(['', ...notes])
  }
}
