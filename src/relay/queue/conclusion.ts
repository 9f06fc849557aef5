import type { Random } from '../../base/clock.ts'
import type { Outcome } from '../../mail/outcome.ts'
import { formatReply } from '../../mail/reply.ts'
import type { RelayEvent } from '../events.ts'
import { groupAlike } from './alike.ts'
import { owedReports, writeReports, type Judged } from './reports.ts'
import { decide, type RetryOptions } from './retry.ts'
import type { Lease, QueueStore, Settlement } from './store.ts'

/** What follows from an attempt. */
export interface Conclusion {
  readonly settlement: Settlement
  readonly judged: readonly Judged[]
}

/** Decides about every recipient of an attempt, and writes the reports that are owed now. Stores nothing. */
export async function conclude(
  lease: Lease,
  outcomes: readonly Outcome[],
  options: {
    readonly store: QueueStore
    readonly hostname: string
    readonly clock: () => number
    readonly random: Random
    readonly retry: RetryOptions
  },
): Promise<Conclusion> {
  const { message } = lease
  const { retry, store, hostname } = options
  const at = options.clock()
  // One draw for the delivery: its recipients are tried again together.
  const drawn = options.random()
  const judged = outcomes.flatMap((outcome, i): Judged[] => {
    const recipient = lease.recipients[i]
    if (recipient === undefined) return []
    const facts = {
      outcome,
      attempts: lease.attempts + 1,
      acceptedAt: message.acceptedAt,
      now: at,
      delayReported: recipient.delayReported,
    }
    return [{ recipient, outcome, decision: decide(facts, retry, () => drawn) }]
  })
  const reports = await writeReports(message, owedReports(message, judged), {
    store,
    hostname,
    at,
    retryUntil: message.acceptedAt + retry.giveUpAfter,
  })
  return {
    judged,
    settlement: { at, results: judged.map(resultOf), dueAt: dueAtOf(judged, at), reports },
  }
}

function resultOf({ recipient, outcome, decision }: Judged): Settlement['results'][number] {
  const told = decision.next === 'queued' && decision.delayNotice
  return {
    index: recipient.index,
    outcome,
    next: decision.next,
    delayReported: recipient.delayReported || told,
  }
}

/** The latest that any recipient asks for: coming earlier would annoy that one, coming later only delays the others. */
function dueAtOf(judged: readonly Judged[], at: number): number {
  return judged.reduce(
    (latest, { decision }) =>
      decision.next === 'queued' ? Math.max(latest, decision.dueAt) : latest,
    at,
  )
}

/** What an attempt is to the world above: one event for recipients that fared alike, one for each that has ended. */
export function eventsOf(
  lease: Lease,
  { judged, settlement }: Conclusion,
  stored: boolean,
  providerOf: (host: string, domain: string) => string,
): readonly RelayEvent[] {
  const { id, acceptedAt, envelope } = lease.message
  const events: RelayEvent[] = attemptEvents(lease, judged, providerOf)
  // What was not stored has not happened yet.
  if (!stored) return events
  for (const { outcome, decision } of judged) {
    if (decision.next === 'queued') continue
    events.push({
      kind: 'settled',
      id,
      provider: providerOf(outcome.host, lease.domain),
      final: decision.next,
      seconds: Math.max(0, settlement.at - acceptedAt) / 1_000,
    })
  }
  for (const { message } of settlement.reports) {
    events.push({ kind: 'report-queued', id: message.id, about: id })
  }
  // RFC 5321 section 6.1: nobody is told by mail; so the postmaster's log and a metric are.
  const lost = judged.find(({ decision }) => decision.next === 'bounced')
  if (envelope.reversePath === '' && lost !== undefined) {
    events.push({ kind: 'report-undeliverable', id, reply: formatReply(lost.outcome.reply) })
  }
  return events
}

function attemptEvents(
  lease: Lease,
  judged: readonly Judged[],
  providerOf: (host: string, domain: string) => string,
): RelayEvent[] {
  const alike = groupAlike(judged, ({ outcome }) =>
    JSON.stringify([outcome.kind, outcome.class, outcome.host, outcome.reply]),
  )
  return alike.map(group => {
    const { outcome } = group[0]
    return {
      kind: 'attempt',
      id: lease.message.id,
      destination: lease.domain,
      provider: providerOf(outcome.host, lease.domain),
      recipients: group.length,
      outcome: outcome.kind,
      class: outcome.class,
      host: outcome.host,
      tls: outcome.tls,
      reply: formatReply(outcome.reply),
      possibleDuplicate: lease.indeterminate,
    }
  })
}
