import type { Session } from '../../../base/postgres.ts'
import { type MessageRow, type RecipientRow, toLeased, toMessage } from '../rows.ts'
import type { Lease, LeaseRequest } from '../store.ts'
import { keptBack, type KeptBack, standingHolds } from './holds.ts'

interface LeasedRow {
  readonly id: number
  readonly message: number
  readonly domain: string
  readonly token: string
  readonly attempts: number
  readonly indeterminate: number
}

/*
 * The earliest delivery of every domain that no hold keeps back ($1 domains, $2 logins). PostgreSQL does not step from
 * one value of an index to the next by itself: the recursion does, one look into delivery_ready for each domain, however
 * many deliveries wait for it. Those of a held login in front of the first free one are stepped over one by one.
 */
const EARLIEST = `with recursive earliest (domain, ready_at) as (
    (select domain, ready_at from delivery
      where state = 'queued' and domain <> all ($1::text[]) and login <> all ($2::text[])
      order by domain, ready_at limit 1)
    union all
    select next.domain, next.ready_at from earliest cross join lateral (
      select domain, ready_at from delivery
      where state = 'queued' and domain > earliest.domain
        and domain <> all ($1::text[]) and login <> all ($2::text[])
      order by domain, ready_at limit 1) next
  )`

/** Gives deliveries to a node: from the domains that have waited longest, the oldest of each first. */
export async function leaseDue(
  session: Session,
  node: string,
  request: LeaseRequest,
): Promise<readonly Lease[]> {
  const { now, until, limit, perDomain, running } = request
  const kept = keptBack(await standingHolds(session))
  if (kept.everything) return []
  const full = [...running].filter(([, n]) => n >= perDomain).map(([domain]) => domain)
  const domains = await session.rows<{ domain: string }>(
    `${EARLIEST} select domain from earliest where ready_at <= $3 order by ready_at limit $4`,
    [[...kept.domains, ...full], kept.logins, now, limit],
  )
  const leased: LeasedRow[] = []
  for (const { domain } of domains) {
    const room = Math.min(perDomain - (running.get(domain) ?? 0), limit - leased.length)
    if (room <= 0) break
    leased.push(...(await take(session, domain, kept, { now, until, room, node })))
  }
  return leased.length === 0 ? [] : leasesOf(session, leased, until)
}

/** What another node takes in this moment is stepped over, not waited for. */
async function take(
  session: Session,
  domain: string,
  { logins }: KeptBack,
  how: {
    readonly now: number
    readonly until: number
    readonly room: number
    readonly node: string
  },
): Promise<LeasedRow[]> {
  const rows = await session.rows<LeasedRow & { since: number }>(
    // A token that is still there is of a lease that expired without a word: that attempt may have delivered.
    `update delivery set token = gen_random_uuid()::text, node = $6, ready_at = $3,
        indeterminate = case when token is null then indeterminate else 1 end
      from (
        select id as due, ready_at as since from delivery
        where domain = $1 and state = 'queued' and ready_at <= $2 and login <> all ($5::text[])
        order by ready_at limit $4 for update skip locked
      ) free
      where id = due
      returning id, message, domain, token, attempts, indeterminate, since`,
    [domain, how.now, how.until, how.room, logins, how.node],
  )
  return rows.toSorted((a, b) => a.since - b.since || a.id - b.id)
}

async function leasesOf(
  session: Session,
  leased: readonly LeasedRow[],
  until: number,
): Promise<Lease[]> {
  const keys = [...new Set(leased.map(({ message }) => message))]
  const messages = await session.rows<MessageRow>('select * from message where key = any ($1)', [
    keys,
  ])
  const recipients = await session.rows<RecipientRow & { message: number }>(
    'select * from recipient where message = any ($1) order by message, position',
    [keys],
  )
  const byKey = new Map(messages.map(message => [message.key, message]))
  const ofMessage = new Map<number, RecipientRow[]>(keys.map(key => [key, []]))
  for (const recipient of recipients) ofMessage.get(recipient.message)?.push(recipient)
  return leased.map(({ id, message: key, domain, token, attempts, indeterminate }) => {
    const message = byKey.get(key)
    if (message === undefined) throw new Error(`delivery ${id} has no message`)
    const all = ofMessage.get(key) ?? []
    return {
      deliveryId: String(id),
      token,
      until,
      message: toMessage(message, all),
      domain,
      recipients: all
        .filter(({ delivery, state }) => delivery === id && state === 'queued')
        .map(toLeased),
      attempts,
      indeterminate: indeterminate === 1,
    }
  })
}

/** Nothing if the lease was lost. */
export async function giveBack(session: Session, lease: Lease, dueAt: number): Promise<void> {
  await session.run(
    'update delivery set token = null, due_at = $1, ready_at = $1 where id = $2 and token = $3',
    [dueAt, Number(lease.deliveryId), lease.token],
  )
}

/** Ends the leases that a node died with. What its attempts came to nobody knows. */
export async function releaseAllOf(session: Session, node: string): Promise<void> {
  await session.run(
    `update delivery set token = null, ready_at = due_at, indeterminate = 1
      where node = $1 and token is not null`,
    [node],
  )
}

/**
 * Ends the leases that a node has without knowing it: they were committed, but the answer was lost. Nothing was attempted.
 *
 * @param held the tokens it knows of
 */
export async function releaseUnheld(
  session: Session,
  node: string,
  held: readonly string[],
): Promise<void> {
  await session.run(
    `update delivery set token = null, ready_at = due_at
      where node = $1 and token is not null and token <> all ($2::text[])`,
    [node, held],
  )
}

/** When the next delivery becomes due; `busy` domains do not count. */
export async function nextDue(
  session: Session,
  busy: readonly string[],
): Promise<number | undefined> {
  const kept = keptBack(await standingHolds(session))
  if (kept.everything) return undefined
  const [row] = await session.rows<{ next: number | null }>(
    `${EARLIEST} select min(ready_at) as next from earliest`,
    [[...kept.domains, ...busy], kept.logins],
  )
  return row?.next ?? undefined
}
