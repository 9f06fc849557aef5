import type { Session } from '../../../base/postgres.ts'
import { NOTE } from '../entries.ts'
import type { Operator, OperatorAction } from '../operations.ts'
import { names } from '../standing.ts'
import { standingHolds } from './holds.ts'
import { addToTimeline } from './putting.ts'
import { endIfDone, lockMessage } from './settling.ts'

interface DeliveryRow {
  readonly id: number
  readonly domain: string
  readonly login: string
  readonly state: 'queued' | 'held'
  readonly token: string | null
  readonly ready_at: number
}

/** What an operator does to a message by hand. Takes part in a transaction. */
export async function operate(
  session: Session,
  message: number,
  request: Operator & { readonly action: OperatorAction; readonly domain?: string },
): Promise<{ readonly changed: number; readonly busy: number }> {
  const { action, at, by, domain: only } = request
  await lockMessage(session, message)
  const standing = await standingHolds(session)
  const rows = await session.rows<DeliveryRow>(
    `select id, domain, login, state, token, ready_at from delivery
      where message = $1 and state <> 'ended' order by id for update`,
    [message],
  )
  const concerns = ({ state, domain, login }: DeliveryRow): boolean => {
    if (action === 'drop') return true
    if (action === 'release') return state === 'held'
    if (state === 'held') return false
    // What a standing hold keeps back would not be tried: to say it was would be a lie.
    return action === 'hold' || !standing.some(hold => names(hold, domain, login))
  }
  const concerned = rows.filter(row => (only === undefined || row.domain === only) && concerns(row))
  const free = concerned.filter(({ token, ready_at }) => token === null || ready_at <= at)
  const ids = free.map(({ id }) => id)
  if (action === 'drop') {
    await session.run(
      `update recipient set state = 'removed'
        where message = $1 and delivery = any ($2) and state = 'queued'`,
      [message, ids],
    )
  }
  const state = { retry: 'queued', hold: 'held', release: 'queued', drop: 'ended' }[action]
  await session.run(
    `update delivery set state = $2, kept = $3, due_at = $4, ready_at = $4, token = null
      where id = any ($1)`,
    [ids, state, action === 'hold' ? `held by ${by}` : '', at],
  )
  await addToTimeline(
    session,
    message,
    free.map(({ domain }) => ({ at, kind: 'operator', domain, note: `${NOTE[action]} ${by}` })),
  )
  if (free.length > 0) await endIfDone(session, message, at)
  return { changed: free.length, busy: concerned.length - free.length }
}
