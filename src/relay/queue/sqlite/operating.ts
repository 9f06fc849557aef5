import type { Database, Statement } from 'better-sqlite3'

import { NOTE } from '../entries.ts'
import type { Operator, OperatorAction } from '../operations.ts'
import type { Destinations } from './destinations.ts'
import type { Holds } from './holds.ts'
import type { Settling } from './settling.ts'
import type { Timeline } from './timeline.ts'

interface DeliveryRow {
  readonly id: number
  readonly domain: string
  readonly login: string
  readonly state: 'queued' | 'held'
  readonly token: string | null
  readonly ready_at: number
}

interface Parts {
  readonly destinations: Destinations
  readonly holds: Holds
  readonly settling: Settling
  readonly timeline: Timeline
}

/** What operators do to messages by hand. */
export class Operating {
  readonly #parts: Parts
  readonly #deliveries: Statement<[number], DeliveryRow>
  readonly #move: Statement<[string, string, number, number, number]>
  readonly #remove: Statement<[number, number]>

  constructor(database: Database, parts: Parts) {
    this.#parts = parts
    this.#deliveries = database.prepare(
      `select id, domain, login, state, token, ready_at from delivery where message = ? and state <> 'ended'`,
    )
    this.#move = database.prepare(
      // `or fail`: see `Putting`.
      'update or fail delivery set state = ?, kept = ?, due_at = ?, ready_at = ?, token = null where id = ?',
    )
    this.#remove = database.prepare(
      `update recipient set state = 'removed' where message = ? and delivery = ? and state = 'queued'`,
    )
  }

  /** Takes part in a transaction. */
  operate(
    message: number,
    request: Operator & { readonly action: OperatorAction; readonly domain?: string },
  ): { readonly changed: number; readonly busy: number } {
    const { action, at, by, domain: only } = request
    const { destinations, settling, timeline } = this.#parts
    const concerned = this.#deliveries
      .all(message)
      .filter(row => (only === undefined || row.domain === only) && this.#concerns(action, row))
    const free = concerned.filter(({ token, ready_at }) => token === null || ready_at <= at)
    for (const { id, domain } of free) {
      if (action === 'drop') this.#remove.run(message, id)
      const state = { retry: 'queued', hold: 'held', release: 'queued', drop: 'ended' }[action]
      this.#move.run(state, action === 'hold' ? `held by ${by}` : '', at, at, id)
      destinations.moved(domain)
      timeline.add(message, { at, kind: 'operator', domain, note: `${NOTE[action]} ${by}` })
    }
    if (free.length > 0) settling.endIfDone(message, at)
    return { changed: free.length, busy: concerned.length - free.length }
  }

  #concerns(action: OperatorAction, { state, domain, login }: DeliveryRow): boolean {
    if (action === 'drop') return true
    if (action === 'release') return state === 'held'
    if (state === 'held') return false
    // What a standing hold keeps back would not be tried: to say it was would be a lie.
    return action === 'hold' || !this.#parts.holds.keeps(domain, login)
  }
}
