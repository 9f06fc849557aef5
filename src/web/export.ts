import { Readable } from 'node:stream'

import type { CanaryList, CanarySummary, Status } from './browser/status-data.ts'
import { csvLine } from './csv.ts'

const PAGE = 500
/** A month of a canary every thirty seconds; whoever wants more asks for the time before. */
export const MAX_EXPORTED = 100_000

/** Asks for the part of the list that was scheduled before `until`. */
type AskList = (page: { readonly until?: number; readonly limit: number }) => Promise<CanaryList>

/** All canaries of a list as CSV, read page by page: however many there are, one page is in memory. */
export function canariesCsv(ask: AskList): Readable {
  return Readable.from(csvLines(ask), { objectMode: false, highWaterMark: 1 })
}

async function* csvLines(ask: AskList): AsyncGenerator<string> {
  yield csvLine([
    'at',
    'id',
    'origin',
    'provider',
    'seed',
    'verdict',
    'seconds',
    'late',
    'stage',
    'detail',
    'queue_id',
    'spf',
    'dkim',
    'dmarc',
  ])
  for await (const page of pagesOf(ask)) {
    yield page
      .map(canary =>
        csvLine([
          new Date(canary.at).toISOString(),
          canary.id,
          canary.origin,
          canary.provider,
          canary.seed,
          canary.verdict,
          canary.seconds,
          canary.late ? 'late' : '',
          canary.stage,
          canary.detail,
          canary.queueId,
          canary.auth?.spf,
          canary.auth?.dkim,
          canary.auth?.dmarc,
        ]),
      )
      .join('')
  }
}

/** The same as a JSON array, an object a line. */
export function canariesJson(ask: AskList): Readable {
  return Readable.from(jsonLines(ask), { objectMode: false, highWaterMark: 1 })
}

async function* jsonLines(ask: AskList): AsyncGenerator<string> {
  let before = '[\n'
  for await (const page of pagesOf(ask)) {
    for (const canary of page) {
      yield `${before}${JSON.stringify(canary)}`
      before = ',\n'
    }
  }
  yield before === '[\n' ? '[]\n' : '\n]\n'
}

async function* pagesOf(ask: AskList): AsyncGenerator<readonly CanarySummary[]> {
  let page = await ask({ limit: PAGE })
  for (let sent = page.canaries.length; ; sent += page.canaries.length) {
    if (page.canaries.length > 0) yield page.canaries
    if (page.older === undefined || sent >= MAX_EXPORTED) return
    page = await ask({ until: page.older, limit: PAGE })
  }
}

/** The matrix as CSV: each share with what it is of, and its interval. */
export function statusCsv({ cells }: Status): string {
  const lines = cells.map(({ origin, provider, counts, inbox, arrived, late }) => [
    origin,
    provider,
    inbox.n,
    inbox.hits,
    inbox.n === 0 ? undefined : Number(inbox.low.toFixed(4)),
    inbox.n === 0 ? undefined : Number(inbox.high.toFixed(4)),
    arrived.hits,
    counts.spam,
    counts.other,
    counts.missing,
    late,
    counts.bounced,
    counts.rejected,
    counts.unknown,
  ])
  return [
    [
      'origin',
      'provider',
      'judged',
      'inbox',
      'inbox_low',
      'inbox_high',
      'arrived',
      'spam',
      'other',
      'missing',
      'late',
      'bounced',
      'rejected',
      'unknown',
    ],
    ...lines,
  ]
    .map(csvLine)
    .join('')
}
