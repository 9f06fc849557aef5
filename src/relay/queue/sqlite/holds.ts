import type { Database, Statement } from 'better-sqlite3'

import type { HoldTarget, Operator, StandingHold } from '../operations.ts'
import { names, type HoldRow } from '../standing.ts'
import type { Destinations } from './destinations.ts'

/**
 * What operators have said shall be kept back. A hold on everything is asked for at each lease; others mark the lanes
 * they name, and the triggers of the lanes mark those that come later.
 */
export class Holds {
  readonly #destinations: Destinations
  readonly #any: Statement<[], number>
  readonly #everything: Statement<[], number>
  readonly #all: Statement<[], HoldRow>
  readonly #set: Statement<[string, string, number, string]>
  readonly #lift: Statement<[number, string, string, string]>
  readonly #lanesOf: Record<'destination' | 'login', Statement<[string], string>>
  readonly #mark: Record<'destination' | 'login', Statement<[string]>>
  readonly #amounts: Record<HoldTarget['kind'], Statement<string[], number>>

  constructor(database: Database, destinations: Destinations) {
    this.#destinations = destinations
    this.#any = database
      .prepare<[], number>('select 1 from standing_hold where lifted_at is null limit 1')
      .pluck()
    // A kind that we do not know may mean anything: it holds everything.
    this.#everything = database
      .prepare<[], number>(
        `select 1 from standing_hold
         where lifted_at is null and kind not in ('destination', 'login') limit 1`,
      )
      .pluck()
    this.#all = database.prepare(
      'select kind, value, set_at, set_by, lifted_at, lifted_by from standing_hold order by id',
    )
    this.#set = database.prepare(
      `insert into standing_hold (kind, value, set_at, set_by) values (?, ?, ?, ?)
       on conflict (kind, value) where lifted_at is null do nothing`,
    )
    this.#lift = database.prepare(
      `update standing_hold set lifted_at = ?, lifted_by = ?
       where kind = ? and value = ? and lifted_at is null`,
    )
    this.#lanesOf = {
      destination: database
        .prepare<[string], string>('select distinct domain from lane where domain = ?')
        .pluck(),
      login: database.prepare<[string], string>('select domain from lane where login = ?').pluck(),
    }
    this.#mark = {
      destination: database.prepare(
        `update lane set held = exists (
           select 1 from standing_hold where lifted_at is null and (
             kind = 'destination' and value = domain or kind = 'login' and value = login))
         where domain = ?`,
      ),
      login: database.prepare(
        `update lane set held = exists (
           select 1 from standing_hold where lifted_at is null and (
             kind = 'destination' and value = domain or kind = 'login' and value = login))
         where login = ?`,
      ),
    }
    this.#amounts = {
      everything: database
        .prepare<string[], number>(
          `select amount - (select count(*) from delivery where token is not null)
           from tally where state = 'queued'`,
        )
        .pluck(),
      destination: database
        .prepare<string[], number>('select total(queued) from lane where domain = ?')
        .pluck(),
      login: database
        .prepare<string[], number>('select total(queued) from lane where login = ?')
        .pluck(),
    }
  }

  /** Whether anything is kept back. */
  any(): boolean {
    return this.#any.get() !== undefined
  }

  /** Whether nothing at all may be leased. */
  everything(): boolean {
    return this.#everything.get() !== undefined
  }

  /** Takes part in a transaction. @returns false if it stands already */
  set({ kind, value }: HoldTarget, { by, at }: Operator): boolean {
    if (this.#set.run(kind, value, at, by).changes === 0) return false
    this.#markLanes(kind, value)
    return true
  }

  /** Takes part in a transaction. @returns false if there is none */
  lift({ kind, value }: HoldTarget, { by, at }: Operator): boolean {
    if (this.#lift.run(at, by, kind, value).changes === 0) return false
    this.#markLanes(kind, value)
    return true
  }

  /** Whether deliveries of this lane are kept back. */
  keeps(domain: string, login: string): boolean {
    return this.all().some(hold => hold.lifted_at === null && names(hold, domain, login))
  }

  standing(): readonly StandingHold[] {
    return this.all()
      .filter(({ lifted_at }) => lifted_at === null)
      .map(({ kind, value, set_at, set_by }) => ({
        kind,
        value,
        by: set_by,
        at: set_at,
        deliveries:
          kind === 'everything'
            ? (this.#amounts.everything.get() ?? 0)
            : (this.#amounts[kind]?.get(value) ?? 0),
      }))
  }

  /** Those that stand, and those that stood, oldest first. */
  all(): readonly HoldRow[] {
    return this.#all.all()
  }

  #markLanes(kind: HoldTarget['kind'], value: string): void {
    if (kind === 'everything') return
    const domains = this.#lanesOf[kind].all(value)
    this.#mark[kind].run(value)
    for (const domain of domains) this.#destinations.moved(domain)
  }
}
