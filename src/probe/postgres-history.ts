import { migrate, type Postgres } from '../base/postgres.ts'
import {
  type CanaryRow,
  canaryOf,
  listedOf,
  recordOf,
  type TallyRow,
  talliesOf,
} from './history-rows.ts'
import type {
  ArrivalCount,
  BounceReport,
  CanaryFilter,
  CanaryRecord,
  Decision,
  HistoryStore,
  ListedCanary,
  OutcomeCount,
  PairCount,
  Pause,
  Standing,
  Tally,
} from './history.ts'
import type { Cursor } from './mailbox.ts'
import { type Canary, labelOf, type Look, type Sighting, type Verdict } from './model.ts'
import {
  ARRIVAL_COUNTS,
  ARRIVAL_COUNTS_OF_SEED,
  DECIDE,
  LATE,
  RECOUNT,
  TALLY,
} from './postgres-roll-up.ts'
import { HISTORY_MIGRATIONS } from './postgres-schema.ts'
import { STATEMENTS } from './postgres-statements.ts'
import { wholeSpans } from './roll-up.ts'

type Arrivals = Awaited<ReturnType<HistoryStore['arrivals']>>

/**
 * The prober's memory in a PostgreSQL that several nodes share. Nothing is held in this process: what one node has
 * written down the next question of another finds. Every method throws DatabaseUnavailable while the database is away.
 */
export class PostgresHistory implements HistoryStore {
  readonly #database: Postgres

  private constructor(database: Postgres) {
    this.#database = database
  }

  /**
   * Makes the tables, or finds them. The history closes the database when it is closed.
   *
   * @throws Problem if they were made by a newer version, or the database cannot be used
   */
  static async open(database: Postgres): Promise<PostgresHistory> {
    try {
      await migrate(database, 'history', HISTORY_MIGRATIONS)
      return new PostgresHistory(database)
    } catch (error) {
      await database.close()
      throw error
    }
  }

  async begin(canary: Canary): Promise<boolean> {
    const { id, probe, origin, seed, provider, content, token } = canary
    const { scheduledAt, submittedAt, deadlineAt, queueId } = canary
    const values = [id, probe, origin, seed, provider, content, token, scheduledAt, submittedAt]
    const begun = await this.#database.run(STATEMENTS.begin, [...values, deadlineAt, queueId])
    return begun === 1
  }

  async submitted(id: string, submittedAt: number, queueId: string): Promise<void> {
    const sql = 'update canary set submitted_at = $2, queue_id = $3 where id = $1'
    await this.#database.run(sql, [id, submittedAt, queueId])
  }

  async decide(id: string, verdict: Verdict, at: number): Promise<boolean> {
    const seconds = verdict.kind === 'arrived' ? verdict.seconds : null
    const values = [id, labelOf(verdict), JSON.stringify(verdict), at, seconds]
    return (await this.#database.rows(DECIDE, values)).length === 1
  }

  async sighted(id: string, sighting: Sighting): Promise<void> {
    const { seenAt, folder, uidValidity, uid, placement } = sighting
    const values = [id, seenAt, folder, uidValidity, uid, placement, JSON.stringify(sighting)]
    await this.#database.run(STATEMENTS.sighted, values)
  }

  async late(id: string, at: number): Promise<boolean> {
    return (await this.#database.rows(LATE, [id, at])).length === 1
  }

  async reported(id: string, report: BounceReport): Promise<boolean> {
    const sql = `update canary set report = $2 where id = $1 and report = ''`
    return (await this.#database.run(sql, [id, JSON.stringify(report)])) === 1
  }

  async looked(look: Look): Promise<void> {
    await this.#database.run(STATEMENTS.looked, [look.seed, JSON.stringify(look)])
  }

  async undecided(seed = ''): Promise<readonly Canary[]> {
    const sql = `select * from canary where label = '' and ($1 = '' or seed = $1) order by id`
    return (await this.#database.rows<CanaryRow>(sql, [seed])).map(canaryOf)
  }

  async byToken(token: string): Promise<CanaryRecord | undefined> {
    return (await this.#records(`${STATEMENTS.record} where token = $1`, [token]))[0]
  }

  async find(id: string): Promise<CanaryRecord | undefined> {
    return (await this.#records(`${STATEMENTS.record} where id = $1`, [id]))[0]
  }

  async list(filter: CanaryFilter): Promise<readonly ListedCanary[]> {
    const rows = await this.#database.rows<CanaryRow>(STATEMENTS.list, [
      Math.ceil(filter.since ?? 0),
      Math.ceil(filter.until ?? Number.MAX_SAFE_INTEGER),
      filter.origin ?? '',
      filter.provider ?? '',
      filter.seed ?? '',
      filter.verdict ?? '',
      filter.limit,
    ])
    return rows.map(listedOf)
  }

  async tally(since: number, until: number, step: number): Promise<readonly Tally[]> {
    const values = questionOf(since, until, step)
    return talliesOf(await this.#database.rows<TallyRow>(TALLY, values))
  }

  arrivalCounts(
    since: number,
    until: number,
    step: number,
    seed = '',
  ): Promise<readonly ArrivalCount[]> {
    const question = questionOf(since, until, step)
    return seed === ''
      ? this.#database.rows<ArrivalCount>(ARRIVAL_COUNTS, question)
      : this.#database.rows<ArrivalCount>(ARRIVAL_COUNTS_OF_SEED, [...question.slice(0, 3), seed])
  }

  arrivals(since: number, until: number, limit: number): Promise<Arrivals> {
    const values = [Math.ceil(since), Math.ceil(until), limit]
    return this.#database.rows<Arrivals[number]>(STATEMENTS.arrivals, values)
  }

  decisions(
    { at, id }: { readonly at: number; readonly id: string },
    limit: number,
  ): Promise<readonly Decision[]> {
    return this.#database.rows<Decision>(STATEMENTS.decisions, [Math.trunc(at), id, limit])
  }

  outcomes(from: number, until: number, slowAfter: number): Promise<readonly OutcomeCount[]> {
    return this.#database.rows<OutcomeCount>(STATEMENTS.outcomes, [
      Math.ceil(from),
      Math.ceil(until),
      slowAfter,
    ])
  }

  pairs(a: string, b: string, since: number, until: number): Promise<readonly PairCount[]> {
    return this.#database.rows<PairCount>(STATEMENTS.pairs, [
      a,
      b,
      Math.ceil(since),
      Math.ceil(until),
    ])
  }

  async pause({ probe, at, by }: Pause): Promise<boolean> {
    const sql = 'insert into pause (probe, at, by) values ($1, $2, $3) on conflict do nothing'
    return (await this.#database.run(sql, [probe, at, by])) === 1
  }

  async resume(probe: string): Promise<boolean> {
    return (await this.#database.run('delete from pause where probe = $1', [probe])) === 1
  }

  pauses(): Promise<readonly Pause[]> {
    return this.#database.rows<Pause>('select probe, at, by from pause order by probe')
  }

  async standing(probe: string, seed: string, since: number): Promise<Standing> {
    const [row] = await this.#database.rows<Standing>(STATEMENTS.standing, [
      probe,
      seed,
      Math.ceil(since),
    ])
    if (row === undefined) throw new Error('no answer')
    return row
  }

  cursors(seed: string): Promise<readonly Cursor[]> {
    return this.#database.rows<Cursor>(STATEMENTS.cursors, [seed])
  }

  async saveCursors(seed: string, cursors: readonly Cursor[]): Promise<void> {
    await this.#database.transaction(async session => {
      await session.run('delete from seed_cursor where seed = $1', [seed])
      // Another node may have written in between: its lease began when ours was over, and either reading is true.
      await session.run(STATEMENTS.saveCursors, [
        seed,
        cursors.map(({ folder }) => folder),
        cursors.map(({ uidValidity }) => uidValidity),
        cursors.map(({ uidNext }) => uidNext),
      ])
    })
  }

  async lastLook(seed: string): Promise<Look | undefined> {
    const sql = 'select look from seed_look where seed = $1'
    const [row] = await this.#database.rows<{ look: string }>(sql, [seed])
    return row && (JSON.parse(row.look) as Look)
  }

  sweep(before: number): Promise<number> {
    const values = [Math.ceil(before)]
    return this.#database.transaction(async session => {
      // Nobody counts in between.
      await session.run('lock table verdict_count in share row exclusive mode')
      // Undecided ones stay: nothing is forgotten before it has a verdict.
      const sql = `delete from canary where scheduled_at < $1 and label <> ''`
      const swept = await session.run(sql, values)
      if (swept > 0) for (const recount of RECOUNT) await session.run(recount, values)
      return swept
    })
  }

  close(): Promise<void> {
    return this.#database.close()
  }

  async #records(sql: string, values: readonly (string | number)[]): Promise<CanaryRecord[]> {
    const rows = await this.#database.rows<CanaryRow & { sightings: string[] }>(sql, values)
    return rows.map(row => recordOf(row, row.sightings))
  }
}

function questionOf(since: number, until: number, step: number): number[] {
  const bounds = [Math.ceil(since), Math.ceil(until)] as const
  const { span, from, until: wholeUntil } = wholeSpans(...bounds, Math.trunc(step))
  return [...bounds, Math.trunc(step), span, from, wholeUntil]
}
