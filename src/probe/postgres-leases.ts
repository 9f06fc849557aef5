import type { Postgres } from '../base/postgres.ts'
import type { SeedLeases } from './seed-lease.ts'

/** Leases in the tables of the history. Time is the database's: the clocks of the nodes need not agree. */
export class PostgresLeases implements SeedLeases {
  readonly lasts: number
  readonly #database: Postgres
  readonly #node: string

  /**
   * @param options.node another one for every process, also for every start of one
   * @param options.lasts milliseconds
   */
  constructor(
    database: Postgres,
    { node, lasts }: { readonly node: string; readonly lasts: number },
  ) {
    this.#database = database
    this.#node = node
    this.lasts = lasts
  }

  async take(seed: string): Promise<boolean> {
    const taken = await this.#database.run(
      `insert into seed_lease (seed, node, ends_at)
        values ($1, $2, clock_timestamp() + $3 * interval '1 millisecond')
        on conflict (seed) do update set node = excluded.node, ends_at = excluded.ends_at
        where seed_lease.node = excluded.node or seed_lease.ends_at < clock_timestamp()`,
      [seed, this.#node, this.lasts],
    )
    return taken === 1
  }

  async giveBack(seed: string): Promise<void> {
    const sql = 'delete from seed_lease where seed = $1 and node = $2'
    await this.#database.run(sql, [seed, this.#node])
  }
}
