import { formatReply } from '../../mail/reply.ts'
import { toMessage, toReply, type MessageRow, type RecipientRow } from './rows.ts'
import { keptBy, names, titleOf, type HoldRow } from './standing.ts'
import type { MessageRecord, TimelineEntry } from './store.ts'

/** A recipient with the delivery that it belongs to. */
export interface KnownRecipient extends RecipientRow {
  readonly domain: string
  readonly delivery_state: 'queued' | 'held' | 'ended'
  readonly kept: string
  readonly token: string | null
  readonly due_at: number
  readonly attempts: number
}

/** Everything that is known of a message. @param holds those that stand, and those that stood, oldest first */
export function recordOf(
  row: MessageRow,
  recipients: readonly KnownRecipient[],
  timeline: readonly TimelineEntry[],
  holds: readonly HoldRow[],
): MessageRecord {
  const standing = holds.filter(({ lifted_at }) => lifted_at === null)
  const domains = new Set(recipients.map(({ domain }) => domain))
  const concerning = holds.filter(hold => [...domains].some(to => names(hold, to, row.login)))
  return {
    message: toMessage(row, recipients),
    recipients: recipients.map(recipient => {
      const { delivery_state: state, domain, kept, token } = recipient
      const why = keptBy({ state, domain, kept, login: row.login }, standing)
      const waits = recipient.state === 'queued'
      const active = waits && token !== null
      const held = waits && !active && why !== ''
      return {
        address: recipient.address,
        state: held ? 'held' : recipient.state,
        dueAt: recipient.due_at,
        attempts: recipient.attempts,
        lastReply: recipient.last_reply === null ? '' : formatReply(toReply(recipient.last_reply)),
        lastHost: recipient.last_host,
        ...(active && { active }),
        ...(held && { kept: why }),
      }
    }),
    timeline: withHolds(timeline, concerning, row),
  }
}

/** What operators said of all mail of a kind is part of the life of each message that it concerned. */
function withHolds(
  timeline: readonly TimelineEntry[],
  holds: readonly HoldRow[],
  { accepted_at, ended_at }: MessageRow,
): readonly TimelineEntry[] {
  const entries = [...timeline]
  const add = (at: number | null, hold: HoldRow, note: string): void => {
    if (at === null || at < accepted_at || at > (ended_at ?? Infinity)) return
    const domain = hold.kind === 'destination' ? hold.value : ''
    const place = entries.findIndex(entry => entry.at > at)
    const entry = { at, kind: 'operator', domain, host: '', reply: '', tls: '', note } as const
    entries.splice(place < 0 ? entries.length : place, 0, entry)
  }
  for (const hold of holds) {
    add(hold.set_at, hold, `${titleOf(hold)} set by ${hold.set_by}`)
    add(hold.lifted_at, hold, `${titleOf(hold)} lifted by ${hold.lifted_by}`)
  }
  return entries
}
