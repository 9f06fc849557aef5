import type { Database, Statement } from 'better-sqlite3'

import { formatReply } from '../../../mail/reply.ts'
import type { QueueOperations, WaitingDelivery } from '../operations.ts'
import { toReply } from '../rows.ts'
import { keptBy, type HoldRow } from '../standing.ts'
import type { Holds } from './holds.ts'

type Of = NonNullable<Parameters<QueueOperations['list']>[0]['of']>

interface WaitingRow {
  readonly id: number
  readonly message: number
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
}

interface RecipientsRow {
  readonly amount: number
  readonly last_reply: string | null
  readonly last_host: string
}

/**
 * Lists deliveries that have not ended, in the order in which they came. Those that are leased are in none of the indexes
 * of those that wait, and few.
 */
export class Waiting {
  readonly #holds: Holds
  readonly #all: Statement<[number, number], WaitingRow>
  readonly #leased: Statement<[number], WaitingRow>
  readonly #of: Record<Of['kind'], Statement<[string, number, number], WaitingRow>>
  readonly #recipients: Statement<[number, number], RecipientsRow>

  constructor(database: Database, holds: Holds) {
    this.#holds = holds
    // Told which index, for the planner prefers the key of delivery, and would walk over all that has ended.
    this.#all = database.prepare(
      `select delivery.id, message, domain, delivery.login, state, kept, token, due_at, attempts,
         message.id as message_id, reverse_path, accepted_at, size
       from delivery indexed by delivery_alive join message on key = message
       where state <> 'ended' and token is null and delivery.id > ? order by delivery.id limit ?`,
    )
    this.#leased = database.prepare(
      `select delivery.id, message, domain, delivery.login, state, kept, token, due_at, attempts,
         message.id as message_id, reverse_path, accepted_at, size
       from delivery indexed by delivery_leased join message on key = message
       where token is not null and delivery.id > ?`,
    )
    this.#of = {
      message: database.prepare(
        `select delivery.id, message, domain, delivery.login, state, kept, token, due_at, attempts,
         message.id as message_id, reverse_path, accepted_at, size
       from delivery indexed by delivery_message join message on key = message
       where message = (select key from message where id = ?)
         and state <> 'ended' and token is null and delivery.id > ? order by delivery.id limit ?`,
      ),
      destination: database.prepare(
        `select delivery.id, message, domain, delivery.login, state, kept, token, due_at, attempts,
         message.id as message_id, reverse_path, accepted_at, size
       from delivery indexed by delivery_domain join message on key = message
       where domain = ? and state <> 'ended' and token is null and delivery.id > ?
       order by delivery.id limit ?`,
      ),
      login: database.prepare(
        `select delivery.id, message, domain, delivery.login, state, kept, token, due_at, attempts,
         message.id as message_id, reverse_path, accepted_at, size
       from delivery indexed by delivery_login join message on key = message
       where delivery.login = ? and state <> 'ended' and token is null and delivery.id > ?
       order by delivery.id limit ?`,
      ),
    }
    // Along the primary key of recipient: the hundred of one message at most.
    this.#recipients = database.prepare(
      `select count(*) as amount, last_reply, last_host from recipient
       where message = ? and delivery = ? and state = 'queued'`,
    )
  }

  list({ limit, after = '0', of }: Parameters<QueueOperations['list']>[0]): WaitingDelivery[] {
    const waiting =
      of === undefined
        ? this.#all.all(Number(after), limit)
        : this.#of[of.kind].all(of.value, Number(after), limit)
    const leased = this.#leased.all(Number(after)).filter(row => isOf(row, of))
    const rows = [...waiting, ...leased].toSorted((a, b) => a.id - b.id).slice(0, limit)
    const standing = this.#holds.all().filter(({ lifted_at }) => lifted_at === null)
    return rows.map(row => this.#waiting(row, standing))
  }

  #waiting(row: WaitingRow, standing: readonly HoldRow[]): WaitingDelivery {
    const recipients = this.#recipients.get(row.message, row.id)
    const reply = recipients?.last_reply ?? null
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
      recipients: recipients?.amount ?? 0,
      state: row.token === null ? waiting : 'active',
      kept,
      dueAt: row.due_at,
      attempts: row.attempts,
      lastReply: reply === null ? '' : formatReply(toReply(reply)),
      lastHost: recipients?.last_host ?? '',
    }
  }
}

function isOf(row: WaitingRow, of: Of | undefined): boolean {
  if (of === undefined) return true
  const value = { message: row.message_id, destination: row.domain, login: row.login }[of.kind]
  return value === of.value
}
