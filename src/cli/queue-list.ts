import {
  titleOf,
  type ListedDelivery,
  type QueueAnswer,
  type StandingHold,
} from '../app/queue-control.ts'
import { formatDuration } from '../base/duration.ts'
import { siteLine } from './site-words.ts'
import { amount, table } from './table.ts'
import { ago, dateTime, whenNext } from './times.ts'

const HEADING = ['ID', 'AGE', 'STATE', 'DESTINATION', 'TRIES', 'NEXT TRY', 'LOGIN', 'REASON']

/**
 * The queue as people read it: what is kept back, the deliveries with the reason why each is still here, and how many.
 *
 * @param width of the terminal, undefined where there is none
 */
export function listLines(
  answers: readonly QueueAnswer[],
  now: number,
  width?: number,
): readonly string[] {
  const lines: string[] = []
  const deliveries: ListedDelivery[] = []
  let summary = ''
  for (const answer of answers) {
    if (answer.kind === 'queue') {
      lines.push(...holdLines(answer.holds, now))
      lines.push(...answer.slowed.map(site => siteLine(site, now)))
      const { queued, active, held, oldestAt } = answer.counts
      const oldest =
        oldestAt === undefined ? '' : `; the oldest has waited ${formatDuration(now - oldestAt)}`
      summary = `in the queue: ${queued} queued, ${active} active, ${held} held${oldest}`
    }
    if (answer.kind === 'delivery') deliveries.push(answer.delivery)
    if (answer.kind === 'listed') {
      const shown = amount(answer.deliveries, 'delivery', 'deliveries')
      const more = answer.more
        ? `the oldest ${shown}, and there are more (--limit shows them)`
        : shown
      summary = `${answer.deliveries === 0 ? 'nothing found' : more}; ${summary}`
    }
  }
  if (deliveries.length > 0) {
    lines.push(...table([HEADING, ...deliveries.map(one => rowOf(one, now))], width))
  }
  return [...lines, summary]
}

/** What stands, so that nobody wonders why nothing leaves. */
export function holdLines(holds: readonly StandingHold[], now: number): readonly string[] {
  return holds.map(hold => {
    const kept = amount(hold.deliveries, 'delivery', 'deliveries')
    return `HELD: ${titleOf(hold)}, set ${dateTime(hold.at)} (${ago(hold.at, now)}) by ${hold.by}: ${kept}`
  })
}

function rowOf(delivery: ListedDelivery, now: number): readonly string[] {
  const { acceptedAt, attempts, domain, id, login, recipients, state } = delivery
  return [
    id,
    formatDuration(Math.max(0, now - acceptedAt)),
    state,
    recipients > 1 ? `${domain} (${recipients})` : domain,
    String(attempts),
    { held: '-', active: 'running', queued: whenNext(delivery.dueAt, now) }[state],
    login === '' ? '(report)' : login,
    reasonOf(delivery),
  ]
}

function reasonOf({ kept, lastHost, lastReply, state }: ListedDelivery): string {
  const said = lastHost === '' ? lastReply : `${lastHost}: ${lastReply}`
  const reason = state === 'held' ? [kept, said].filter(part => part !== '').join('; ') : said
  return reason === '' ? 'not tried yet' : reason
}
