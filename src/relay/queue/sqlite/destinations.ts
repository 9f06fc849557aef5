import type { Database, Statement } from 'better-sqlite3'

/** Where the deliveries of one login to a domain begin. */
export interface FreeLane {
  readonly login: string
  readonly ready_at: number
}

/**
 * The earliest `ready_at` of each domain that may be leased from, kept beside the deliveries it sums up. Every
 * transaction that moves a delivery calls `moved` for its domain; `GroupCommit` has the sums made right once before it
 * commits, however many messages of a domain share the commit.
 */
export class Destinations {
  readonly #earliest: Statement<[string], number>
  readonly #someHeld: Statement<[string], number>
  readonly #free: Statement<[string], { login: string; ready_at: number | null }>
  readonly #set: Statement<[string, number]>
  readonly #remove: Statement<[string]>
  readonly #ready: Statement<[number, string, number], string>
  readonly #next: Statement<[string], number>
  readonly #waits: Statement<[string, number], number>
  readonly #moved = new Set<string>()

  constructor(database: Database) {
    // The first entry of the domain in delivery_ready.
    this.#earliest = database
      .prepare<[string], number>(
        `select ready_at from delivery where domain = +? and state = 'queued' and token is null
         order by ready_at limit 1`,
      )
      .pluck()
    this.#someHeld = database
      .prepare<[string], number>('select 1 from lane where domain = ? and held = 1 limit 1')
      .pluck()
    // The first entry of each lane in delivery_lane.
    this.#free = database.prepare(
      `select login, (
         select ready_at from delivery
         where delivery.domain = lane.domain and delivery.login = lane.login
           and state = 'queued' and token is null
         order by ready_at limit 1) as ready_at
       from lane where domain = ? and held = 0`,
    )
    this.#set = database.prepare(
      `insert into destination values (?, ?)
       on conflict (domain) do update set ready_at = excluded.ready_at
       where ready_at <> excluded.ready_at`,
    )
    this.#remove = database.prepare('delete from destination where domain = ?')
    // Along destination_ready; steps over the full domains, of which there are no more than slots for delivery.
    this.#ready = database
      .prepare<[number, string, number], string>(
        `select domain from destination
         where ready_at <= ? and domain not in (select value from json_each(?))
         order by ready_at limit +?`,
      )
      .pluck()
    this.#next = database
      .prepare<[string], number>(
        `select ready_at from destination
         where domain not in (select value from json_each(?)) order by ready_at limit 1`,
      )
      .pluck()
    this.#waits = database
      .prepare<[string, number], number>(
        'select 1 from destination where domain = ? and ready_at <= ?',
      )
      .pluck()
  }

  /** A delivery to the domain waits, waits no longer, or is ready at another time. */
  moved(domain: string): void {
    this.#moved.add(domain)
  }

  /** Takes part in a transaction. @returns whether anything to the domain could be leased at `now` */
  waits(domain: string, now: number): boolean {
    if (this.#moved.has(domain)) this.#refresh(domain)
    return this.#waits.get(domain, now) !== undefined
  }

  /** Takes part in a transaction, before it ends or asks `ready`. */
  catchUp(): void {
    for (const domain of this.#moved) this.#refresh(domain)
  }

  /** The transaction has caught up and ends. Until then nothing is forgotten: a part of it may be undone. */
  caughtUp(): void {
    this.catchUp()
    this.#moved.clear()
  }

  #refresh(domain: string): void {
    const earliest =
      this.#someHeld.get(domain) === undefined
        ? this.#earliest.get(domain)
        : this.#freeLanes(domain)[0]?.ready_at
    if (earliest === undefined) this.#remove.run(domain)
    else this.#set.run(domain, earliest)
  }

  /** The lanes that no hold keeps back, those that have waited longest first; undefined where no lane is held. */
  besidesHeld(domain: string): readonly FreeLane[] | undefined {
    return this.#someHeld.get(domain) === undefined ? undefined : this.#freeLanes(domain)
  }

  #freeLanes(domain: string): readonly FreeLane[] {
    return this.#free
      .all(domain)
      .flatMap(({ login, ready_at }) => (ready_at === null ? [] : [{ login, ready_at }]))
      .toSorted((a, b) => a.ready_at - b.ready_at)
  }

  /** Domains with something to do at `now`, those that have waited longest first. */
  ready(now: number, except: readonly string[], limit: number): readonly string[] {
    return this.#ready.all(now, JSON.stringify(except), limit)
  }

  next(except: readonly string[]): number | undefined {
    return this.#next.get(JSON.stringify(except))
  }
}
