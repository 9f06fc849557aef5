import { newId } from '../../base/id.ts'
import { buildReport } from '../../mail/dsn.ts'
import type { Notify } from '../../mail/envelope.ts'
import type { Outcome } from '../../mail/outcome.ts'
import type { Report, ReportedRecipient } from '../../mail/report.ts'
import type { Decision } from './retry.ts'
import {
  StoreUnavailable,
  type LeasedRecipient,
  type NewMessage,
  type QueuedMessage,
  type QueueStore,
} from './store.ts'

/** What became of one recipient, and what was decided about it. */
export interface Judged {
  readonly recipient: LeasedRecipient
  readonly outcome: Outcome
  readonly decision: Decision
}

export interface Owed {
  readonly kind: Report['kind']
  readonly about: readonly Judged[]
}

// The whole message is returned up to this size, and its header alone beyond: a report must not be what fills a mailbox,
// nor our memory.
const RETURNED_WHOLE = 1024 * 1024
const HEADER_LIMIT = 64 * 1024
const HEADER_END = Buffer.from('\r\n\r\n')

/**
 * Which reports an attempt has made owed. Recipients with the same fate share one (RFC 3461 section 5.2.8), and only
 * those that are owed it stand in it.
 */
export function owedReports(message: QueuedMessage, judged: readonly Judged[]): readonly Owed[] {
  // RFC 3461 section 5.2: never a report about a report.
  if (message.envelope.reversePath === '') return []
  const kinds = ['failed', 'delayed', 'relayed'] as const
  return kinds
    .map(kind => ({ kind, about: judged.filter(one => isOwed(kind, one)) }))
    .filter(({ about }) => about.length > 0)
}

function isOwed(kind: Report['kind'], { recipient, outcome, decision }: Judged): boolean {
  switch (kind) {
    case 'failed':
      // RFC 3461 section 5.2.6: without NOTIFY a failure is reported as it always was.
      return decision.next === 'bounced' && asked(recipient.notify, 'failure', true)
    case 'delayed':
      // RFC 3461 section 5.2.5: without NOTIFY a report of delay is ours to choose.
      return (
        decision.next === 'queued' && decision.delayNotice && asked(recipient.notify, 'delay', true)
      )
    case 'relayed':
      // RFC 3461 section 5.2.2: a host that has DSN was told, and reports itself.
      return (
        outcome.kind === 'delivered' && !outcome.dsn && asked(recipient.notify, 'success', false)
      )
  }
}

/** An empty list is NEVER; no list at all is what `unasked` says. */
function asked(notify: readonly Notify[] | undefined, event: Notify, unasked: boolean): boolean {
  return notify === undefined ? unasked : notify.includes(event)
}

/** Writes the reports as messages to be put in the transaction that settles the attempt. */
export async function writeReports(
  message: QueuedMessage,
  owed: readonly Owed[],
  options: {
    readonly store: QueueStore
    readonly hostname: string
    readonly at: number
    /** When we shall give up, for those that are told of a delay. */
    readonly retryUntil: number
  },
): Promise<readonly { readonly message: NewMessage; readonly body: Uint8Array }[]> {
  if (owed.length === 0) return []
  const whole = wantsWhole(message) && owed.some(({ kind }) => kind === 'failed')
  const original = await readOriginal(message, options.store, whole)
  return owed.map(({ kind, about }) => {
    const { envelope } = message
    const id = newId(() => options.at)
    const body = buildReport({
      kind,
      id,
      hostname: options.hostname,
      at: options.at,
      to: envelope.reversePath,
      recipients: about.map(one => reported(one, options.at)),
      arrivedAt: message.acceptedAt,
      originalId: message.id,
      smtputf8: envelope.smtputf8,
      originalHeader: original.header,
      ...(envelope.envid === undefined ? {} : { envid: envelope.envid }),
      ...(kind === 'delayed' ? { retryUntil: options.retryUntil } : {}),
      // RFC 3461 section 5.2.9: RET is about failures; of all others the header is enough.
      ...(kind === 'failed' && original.whole !== undefined ? { original: original.whole } : {}),
    })
    return { message: envelopeOf(id, message, body, options), body }
  })
}

function envelopeOf(
  id: string,
  about: QueuedMessage,
  body: Uint8Array,
  { at, hostname }: { at: number; hostname: string },
): NewMessage {
  return {
    id,
    envelope: {
      // RFC 3461 section 6.1: the null reverse path, no RET, and at most NOTIFY=NEVER.
      reversePath: '',
      recipients: [{ address: about.envelope.reversePath, notify: [] }],
      eightBit: body.some(octet => octet > 127),
      smtputf8: about.envelope.smtputf8,
    },
    login: '',
    acceptedAt: at,
    messageId: `<${id}@${hostname}>`,
  }
}

function reported({ recipient, outcome, decision }: Judged, at: number): ReportedRecipient {
  return {
    address: recipient.address,
    ...(recipient.orcpt === undefined ? {} : { orcpt: recipient.orcpt }),
    reply: outcome.reply,
    host: outcome.host,
    class: outcome.class,
    expired: decision.next === 'bounced' && decision.expired,
    lastAttemptAt: at,
  }
}

function wantsWhole({ envelope, size }: QueuedMessage): boolean {
  return envelope.ret === 'full' && size <= RETURNED_WHOLE
}

/** The header section without its empty line, at most 64 KiB, and the whole where it is wanted. */
async function readOriginal(
  message: QueuedMessage,
  store: QueueStore,
  whole: boolean,
): Promise<{ readonly header: Uint8Array; readonly whole?: Uint8Array }> {
  const parts: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of store.body(message.id)) {
      parts.push(chunk)
      size += chunk.byteLength
      if (!whole && size >= HEADER_LIMIT) break
    }
  } catch (error) {
    if (error instanceof StoreUnavailable) throw error
    // The sender is owed the report most of all where we cannot read the letter any more.
    return { header: Buffer.alloc(0) }
  }
  const read = Buffer.concat(parts)
  const end = read.indexOf(HEADER_END)
  const header = read.subarray(0, Math.min(end < 0 ? read.length : end + 2, HEADER_LIMIT))
  return whole ? { header, whole: read } : { header }
}
