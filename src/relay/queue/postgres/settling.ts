import type { Session } from '../../../base/postgres.ts'
import { entriesOf } from '../entries.ts'
import type { Lease, Settlement } from '../store.ts'
import type { Bodies } from './bodies.ts'
import { addToTimeline, putMessage } from './putting.ts'

/**
 * Records what an attempt came to. Takes part in a transaction.
 *
 * @returns false, with nothing done, if the lease was lost
 */
export async function settle(
  session: Session,
  bodies: Bodies,
  lease: Lease,
  settlement: Settlement,
): Promise<boolean> {
  const delivery = Number(lease.deliveryId)
  const [of] = await session.rows<{ message: number }>(
    'select message from delivery where id = $1 and token = $2',
    [delivery, lease.token],
  )
  if (of === undefined) return false
  await lockMessage(session, of.message)
  const ours = await session.rows(
    'select 1 from delivery where id = $1 and token = $2 for update',
    [delivery, lease.token],
  )
  if (ours.length === 0) return false
  const { results, at } = settlement
  await session.run(
    `update recipient set state = next, delay_reported = delayed, last_reply = reply, last_host = host
      from unnest($3::int[], $4::text[], $5::smallint[], $6::text[], $7::text[])
        as result (index, next, delayed, reply, host)
      where message = $1 and delivery = $2 and position = index and state = 'queued'`,
    [
      of.message,
      delivery,
      results.map(({ index }) => index),
      results.map(({ next }) => next),
      results.map(({ delayReported }) => (delayReported ? 1 : 0)),
      results.map(({ outcome }) => JSON.stringify(outcome.reply)),
      results.map(({ outcome }) => outcome.host),
    ],
  )
  await addToTimeline(session, of.message, entriesOf(lease, settlement))
  const left = await session.rows(
    `select 1 from recipient where message = $1 and delivery = $2 and state = 'queued' limit 1`,
    [of.message, delivery],
  )
  if (left.length === 0) {
    await session.run(
      `update delivery set state = 'ended', token = null, due_at = $2, attempts = attempts + 1
        where id = $1`,
      [delivery, at],
    )
    await endIfDone(session, of.message, at)
  } else {
    const lost = results.some(({ outcome }) => outcome.kind === 'deferred' && outcome.indeterminate)
    await session.run(
      `update delivery set token = null, due_at = $2, ready_at = $2, attempts = attempts + 1,
        indeterminate = greatest(indeterminate, $3) where id = $1`,
      [delivery, settlement.dueAt, lost ? 1 : 0],
    )
  }
  for (const report of settlement.reports) {
    const id = await bodies.store(session, report.body)
    await putMessage(session, report.message, { id, size: report.body.byteLength })
    const note = `report ${report.message.id} queued`
    await addToTimeline(session, of.message, [{ at, kind: 'report', note }])
  }
  return true
}

/** Two nodes that end the last two deliveries of a message must not each believe that the other's goes on. */
export async function lockMessage(session: Session, message: number): Promise<void> {
  await session.run('select 1 from message where key = $1 for update', [message])
}

/** Takes part in a transaction that has locked the message: with nothing left to do it ends, and its body goes. */
export async function endIfDone(session: Session, message: number, at: number): Promise<void> {
  const alive = await session.rows(
    `select 1 from delivery where message = $1 and state <> 'ended' limit 1`,
    [message],
  )
  if (alive.length > 0) return
  await session.run('delete from chunk where body = (select body from message where key = $1)', [
    message,
  ])
  await session.run('update message set ended_at = $2, body = null where key = $1', [message, at])
}
