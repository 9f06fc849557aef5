import type { Session } from '../../../base/postgres.ts'
import { formatReply } from '../../../mail/reply.ts'
import type { QueueOperations, WaitingDelivery } from '../operations.ts'
import { REFUSED_SEEN, type RefusedMail } from '../queue-of-login.ts'
import { recordOf, type KnownRecipient } from '../record.ts'
import { toRefused, toReply, type MessageRow, type RefusedRow } from '../rows.ts'
import { keptBy } from '../standing.ts'
import type { MessageRecord, QueueCounts, TimelineEntry } from '../store.ts'
import { allHolds, keptBack, standingHolds } from './holds.ts'

type ListRequest = Parameters<QueueOperations['list']>[0]

/** A row of message; its body has a name here, and no number. */
export type StoredMessage = Omit<MessageRow, 'body'> & { readonly body: string | null }

/** @param id a queue id, or a Message-ID with its angle brackets: then the latest that has it */
export async function messageRow(session: Session, id: string): Promise<StoredMessage | undefined> {
  const sql = id.startsWith('<')
    ? `select * from message where message_id = $1 and message_id <> '' order by key desc limit 1`
    : 'select * from message where id = $1'
  return (await session.rows<StoredMessage>(sql, [id]))[0]
}

export async function findRecord(session: Session, id: string): Promise<MessageRecord | undefined> {
  const row = await messageRow(session, id)
  if (row === undefined) return undefined
  const recipients = await session.rows<KnownRecipient>(
    `select recipient.*, domain, delivery.state as delivery_state, kept, token, due_at, attempts
      from recipient join delivery on delivery.id = recipient.delivery
      where recipient.message = $1 order by position`,
    [row.key],
  )
  const timeline = await session.rows<
    Omit<TimelineEntry, 'recipients'> & { recipients: string | null }
  >(
    `select at, kind, domain, host, reply, tls, note, recipients from timeline
      where message = $1 order by id`,
    [row.key],
  )
  const entries = timeline.map(({ recipients: positions, ...entry }) => ({
    ...entry,
    ...(positions !== null && { recipients: JSON.parse(positions) as readonly number[] }),
  }))
  return recordOf({ ...row, body: null }, recipients, entries, await allHolds(session))
}

/** Goes over what has not ended; what has is not looked at. */
export async function countQueue(session: Session): Promise<QueueCounts> {
  const { everything, domains, logins } = keptBack(await standingHolds(session))
  const [row] = await session.rows<Omit<QueueCounts, 'oldestAt'> & { oldest: number | null }>(
    `select count(*) filter (where token is null and not kept_back) as queued,
        count(*) filter (where token is not null) as active,
        count(*) filter (where token is null and kept_back) as held,
        (select accepted_at from message where ended_at is null order by accepted_at limit 1)
          as oldest
      from (
        select token, state = 'held' or $1 or domain = any ($2::text[]) or login = any ($3::text[])
          as kept_back
        from delivery where state <> 'ended'
      ) alive`,
    [everything, domains, logins],
  )
  const { queued = 0, active = 0, held = 0, oldest } = row ?? {}
  return { queued, active, held, oldestAt: oldest ?? undefined }
}

/** Backwards over recipient_refused, which has only what was refused and is still remembered. */
export async function refusedOf(
  session: Session,
  login: string,
  limit: number,
): Promise<RefusedMail[]> {
  const rows = await session.rows<RefusedRow>(
    `select id, accepted_at, address, last_reply, last_host
      from recipient join message on key = recipient.message
      where state = 'bounced' and login = $1
        and recipient.message > (select max(key) from message) - $2
      order by recipient.message desc limit $3`,
    [login, REFUSED_SEEN, limit],
  )
  return rows.map(toRefused)
}

interface WaitingRow {
  readonly id: number
  readonly domain: string
  readonly login: string
  readonly state: 'queued' | 'held'
  readonly kept: string
  readonly token: string | null
  readonly due_at: number
  readonly attempts: number
  readonly message_id: string
  readonly reverse_path: string
  readonly accepted_at: number
  readonly size: number
  readonly amount: number
  readonly last_reply: string | null
  readonly last_host: string | null
}

const OF = {
  message: 'message.id = $3',
  destination: 'domain = $3',
  login: 'delivery.login = $3',
} as const

/** Deliveries that have not ended, in the order in which they came. */
export async function listWaiting(
  session: Session,
  { limit, after = '0', of }: ListRequest,
): Promise<WaitingDelivery[]> {
  const standing = await standingHolds(session)
  const rows = await session.rows<WaitingRow>(
    `select delivery.id, domain, delivery.login, delivery.state, kept, token, due_at, attempts,
        message.id as message_id, reverse_path, accepted_at, size,
        amount, last_reply, last_host
      from delivery join message on key = delivery.message
      cross join lateral (
        select count(*) as amount, max(last_reply) as last_reply, max(last_host) as last_host
        from recipient
        where recipient.message = key and recipient.delivery = delivery.id
          and recipient.state = 'queued'
      ) waiting
      where delivery.state <> 'ended' and delivery.id > $1 and ${of ? OF[of.kind] : 'true'}
      order by delivery.id limit $2`,
    [Number(after), limit, ...(of ? [of.value] : [])],
  )
  return rows.map(row => {
    const kept = keptBy(row, standing)
    const waiting = kept === '' ? 'queued' : 'held'
    return {
      deliveryId: String(row.id),
      id: row.message_id,
      login: row.login,
      reversePath: row.reverse_path,
      acceptedAt: row.accepted_at,
      size: row.size,
      domain: row.domain,
      recipients: row.amount,
      state: row.token === null ? waiting : 'active',
      kept,
      dueAt: row.due_at,
      attempts: row.attempts,
      lastReply: row.last_reply === null ? '' : formatReply(toReply(row.last_reply)),
      lastHost: row.last_host ?? '',
    }
  })
}
