import type { Database, Statement } from 'better-sqlite3'

import type { OperatorAction } from '../store.ts'
import type { Destinations } from './destinations.ts'
import type { Settling } from './settling.ts'
import type { Timeline } from './timeline.ts'

interface DeliveryRow {
  readonly id: number
  readonly domain: string
  readonly state: 'queued' | 'held'
  readonly token: string | null
  readonly ready_at: number
}

interface Parts {
  readonly destinations: Destinations
  readonly settling: Settling
  readonly timeline: Timeline
}

const NOTE: Readonly<Record<OperatorAction, string>> = {
  retry: 'to be tried at once, said',
  hold: 'held by',
  release: 'released by',
  drop: 'removed by',
}

/** What operators do to messages by hand. */
export class Operating {
  readonly #parts: Parts
  readonly #deliveries: Statement<[number], DeliveryRow>
  readonly #move: Statement<[string, number, number, number]>
  readonly #remove: Statement<[number, number]>

  constructor(database: Database, parts: Parts) {
    this.#parts = parts
    this.#deliveries = database.prepare(
      `select id, domain, state, token, ready_at from delivery where message = ? and state <> 'ended'`,
    )
    this.#move = database.prepare(
      'update delivery set state = ?, due_at = ?, ready_at = ?, token = null where id = ?',
    )
    this.#remove = database.prepare(
      `update recipient set state = 'removed' where message = ? and delivery = ? and state = 'queued'`,
    )
  }

  /** Takes part in a transaction. */
  operate(
    message: number,
    request: { readonly action: OperatorAction; readonly by: string; readonly at: number },
  ): { readonly changed: number; readonly busy: number } {
    const { action, at, by } = request
    const { destinations, settling, timeline } = this.#parts
    const concerned = this.#deliveries.all(message).filter(row => concerns(action, row))
    const free = concerned.filter(({ token, ready_at }) => token === null || ready_at <= at)
    for (const { id, domain } of free) {
      if (action === 'drop') this.#remove.run(message, id)
      const state = { retry: 'queued', hold: 'held', release: 'queued', drop: 'ended' }[action]
      this.#move.run(state, at, at, id)
      destinations.refresh(domain)
      timeline.add(message, { at, kind: 'operator', domain, note: `${NOTE[action]} ${by}` })
    }
    if (free.length > 0) settling.endIfDone(message, at)
    return { changed: free.length, busy: concerned.length - free.length }
  }
}

function concerns(action: OperatorAction, { state }: DeliveryRow): boolean {
  if (action === 'drop') return true
  return state === (action === 'release' ? 'held' : 'queued')
}
