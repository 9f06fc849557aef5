import { domainOf } from '../mail/envelope.ts'
import { isGreylisting } from '../mail/greylisting.ts'
import { noReply, parseReply, type Reply } from '../mail/reply.ts'
import type { Deferrals, MessageFate, MessageTrace } from '../probe/trace.ts'
import type { MessageRecord, TimelineEntry } from '../relay/queue/store.ts'

/**
 * The trace of a relay in the same process. A canary has one recipient, so the message's first is asked about.
 *
 * @param find as `QueueStore.find`; that it fails says nothing about the message, and is thrown
 */
export function createTrace(
  find: (queueId: string) => Promise<MessageRecord | undefined>,
): MessageTrace {
  return {
    async fate(queueId) {
      const record = await find(queueId)
      return record && fateOf(record, 0)
    },
  }
}

/** What of a relay's record tells the fate of a recipient. */
export interface FateRecord {
  readonly message: Pick<MessageRecord['message'], 'acceptedAt'>
  readonly recipients: readonly Pick<
    MessageRecord['recipients'][number],
    'address' | 'state' | 'attempts' | 'lastReply' | 'lastHost'
  >[]
  readonly timeline: readonly Omit<TimelineEntry, 'note' | 'recipients'>[]
}

/**
 * What became of one recipient.
 *
 * @param index position in the envelope
 */
export function fateOf(record: FateRecord, index: number): MessageFate | undefined {
  const recipient = record.recipients[index]
  if (!recipient) return undefined
  const { state, attempts, lastReply, lastHost: host } = recipient
  const domain = domainOf(recipient.address)
  const found = deferralsOf(record, domain)
  const deferrals = found && { deferrals: found }
  switch (state) {
    case 'queued':
    case 'held': {
      const waiting = { kind: 'queued', attempts, host, ...deferrals } as const
      return lastReply === '' ? waiting : { ...waiting, lastReply: replyOf(lastReply) }
    }
    case 'delivered': {
      const entry = lastOf(record, one => one.kind === state && one.domain === domain)
      const { at = record.message.acceptedAt, tls } = entry ?? {}
      const taken = { kind: state, at, reply: replyOf(lastReply), host, ...deferrals }
      return tls === undefined ? taken : { ...taken, tls }
    }
    case 'bounced': {
      const entry = lastOf(record, one => one.kind === state && one.domain === domain)
      const at = entry?.at ?? record.message.acceptedAt
      return { kind: state, at, reply: replyOf(lastReply), host }
    }
    case 'removed':
      return {
        kind: 'removed',
        at: lastOf(record, one => one.kind === 'operator')?.at ?? record.message.acceptedAt,
      }
  }
}

function replyOf(line: string): Reply {
  return parseReply(line) ?? noReply(line)
}

function lastOf(
  record: FateRecord,
  which: (entry: FateRecord['timeline'][number]) => boolean,
): FateRecord['timeline'][number] | undefined {
  return record.timeline.findLast(which)
}

/** What hosts have answered to those attempts after which the message was to be tried again. */
function deferralsOf(record: FateRecord, domain: string): Deferrals | undefined {
  const entries = record.timeline.filter(
    // One that came to no host was not told anything.
    entry => entry.kind === 'deferred' && entry.domain === domain && entry.host !== '',
  )
  const [first] = entries
  const last = entries.at(-1)
  if (first === undefined || last === undefined) return undefined
  return {
    count: entries.length,
    since: first.at,
    reply: replyOf(last.reply),
    greylisted: entries.some(entry => isGreylisting(replyOf(entry.reply))),
  }
}
