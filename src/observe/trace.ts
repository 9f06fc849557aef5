import { domainOf } from '../mail/envelope.ts'
import { noReply, parseReply, type Reply } from '../mail/reply.ts'
import type { MessageFate, MessageTrace } from '../probe/trace.ts'
import type { MessageRecord, TimelineEntry } from '../relay/queue/store.ts'

/**
 * The trace of a relay in the same process. A canary has one recipient, so the message's first is asked about.
 *
 * @param find as `QueueStore.find`; that it fails says nothing about the message, and gives undefined
 */
export function createTrace(
  find: (queueId: string) => Promise<MessageRecord | undefined>,
): MessageTrace {
  return {
    async fate(queueId) {
      try {
        const record = await find(queueId)
        return record && fateOf(record, 0)
      } catch {
        return undefined
      }
    },
  }
}

/**
 * What became of one recipient.
 *
 * @param index position in the envelope
 */
export function fateOf(record: MessageRecord, index: number): MessageFate | undefined {
  const recipient = record.recipients[index]
  if (!recipient) return undefined
  const { state, attempts, lastReply, lastHost: host } = recipient
  switch (state) {
    case 'queued':
    case 'held': {
      const waiting = { kind: 'queued', attempts, host } as const
      return lastReply === '' ? waiting : { ...waiting, lastReply: replyOf(lastReply) }
    }
    case 'delivered':
    case 'bounced': {
      const domain = domainOf(recipient.address)
      const at = lastAt(record, entry => entry.kind === state && entry.domain === domain)
      return { kind: state, at, reply: replyOf(lastReply), host }
    }
    case 'removed':
      return { kind: 'removed', at: lastAt(record, entry => entry.kind === 'operator') }
  }
}

function replyOf(line: string): Reply {
  return parseReply(line) ?? noReply(line)
}

/** When it last happened; the acceptance if the timeline does not tell. */
function lastAt(record: MessageRecord, which: (entry: TimelineEntry) => boolean): number {
  return record.timeline.findLast(which)?.at ?? record.message.acceptedAt
}
