import { formatReply } from '../../mail/reply.ts'
import { groupAlike } from './alike.ts'
import type { OperatorAction } from './operations.ts'
import type { Lease, Settlement, TimelineEntry } from './store.ts'

/** What the timeline says of what an operator did, before the name. */
export const NOTE: Readonly<Record<OperatorAction, string>> = {
  retry: 'to be tried at once, said',
  hold: 'held by',
  release: 'released by',
  drop: 'removed by',
}

/** One entry for all recipients that fared alike: a message to a hundred must not leave a hundred lines a try. */
export function entriesOf(lease: Lease, settlement: Settlement): readonly TimelineEntry[] {
  const alike = groupAlike(settlement.results, ({ outcome, next }) =>
    JSON.stringify([outcome.kind, next, outcome.reply, outcome.host, outcome.tls]),
  )
  return alike.map(group => {
    const { outcome, next } = group[0]
    const notes = [
      next === 'bounced' && outcome.kind === 'deferred' ? 'given up' : '',
      group.length > 1 ? `${group.length} recipients` : '',
    ]
    return {
      at: settlement.at,
      kind: next === 'queued' ? 'deferred' : next,
      domain: lease.domain,
      host: outcome.host,
      reply: formatReply(outcome.reply),
      tls: outcome.tls,
      note: notes.filter(note => note !== '').join(', '),
      recipients: group.map(({ index }) => index),
    }
  })
}
