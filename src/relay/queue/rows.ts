import type { Notify, Recipient } from '../../mail/envelope.ts'
import { noReply, type Reply } from '../../mail/reply.ts'
import type { RefusedMail } from './queue-of-login.ts'
import type { LeasedRecipient, QueuedMessage } from './store.ts'

export interface MessageRow {
  readonly key: number
  readonly id: string
  readonly reverse_path: string
  readonly eight_bit: number
  readonly smtputf8: number
  readonly ret: 'full' | 'headers' | null
  readonly envid: string | null
  readonly login: string
  readonly accepted_at: number
  readonly message_id: string
  readonly size: number
  readonly body: number | null
  readonly ended_at: number | null
}

export interface RecipientRow {
  readonly position: number
  readonly delivery: number
  readonly address: string
  readonly notify: string | null
  readonly orcpt: string | null
  readonly state: 'queued' | 'delivered' | 'bounced' | 'removed'
  readonly delay_reported: number
  readonly last_reply: string | null
  readonly last_host: string
}

/** A refused recipient with what is asked of its message. */
export interface RefusedRow {
  readonly id: string
  readonly accepted_at: number
  readonly address: string
  readonly last_reply: string | null
  readonly last_host: string
}

export function toRefused(row: RefusedRow): RefusedMail {
  return {
    id: row.id,
    acceptedAt: row.accepted_at,
    to: row.address,
    reply: row.last_reply === null ? noReply('') : toReply(row.last_reply),
    host: row.last_host,
  }
}

export function toMessage(row: MessageRow, recipients: readonly RecipientRow[]): QueuedMessage {
  return {
    id: row.id,
    envelope: {
      reversePath: row.reverse_path,
      recipients: recipients.map(toRecipient),
      eightBit: row.eight_bit === 1,
      smtputf8: row.smtputf8 === 1,
      ...(row.ret === null ? {} : { ret: row.ret }),
      ...(row.envid === null ? {} : { envid: row.envid }),
    },
    login: row.login,
    acceptedAt: row.accepted_at,
    messageId: row.message_id,
    size: row.size,
  }
}

export function toLeased(row: RecipientRow): LeasedRecipient {
  return {
    ...toRecipient(row),
    index: row.position,
    delayReported: row.delay_reported === 1,
    ...(row.last_reply === null ? {} : { lastReply: toReply(row.last_reply) }),
  }
}

export function toReply(text: string): Reply {
  return JSON.parse(text) as Reply
}

/** NOTIFY as stored: null where nothing was asked, '' for NEVER, else the words with commas. */
export function fromNotify(notify: readonly Notify[] | undefined): string | null {
  return notify === undefined ? null : notify.join(',')
}

function toRecipient(row: RecipientRow): Recipient {
  return {
    address: row.address,
    ...(row.notify === null ? {} : { notify: toNotify(row.notify) }),
    ...(row.orcpt === null ? {} : { orcpt: row.orcpt }),
  }
}

function toNotify(text: string): Notify[] {
  return text === '' ? [] : (text.split(',') as Notify[])
}
