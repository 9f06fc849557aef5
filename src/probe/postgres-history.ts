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
import { DECISIONS, OUTCOMES, PAIRS, STANDING } from './postgres-statements.ts'
import { wholeSpans } from './roll-up.ts'

type Arrivals = Awaited<ReturnType<HistoryStore['arrivals']>>

// Of two sightings in one look the one in INBOX comes first.
const RECORD = `select canary.*, array(
    select sighting from sighting where sighting.canary = canary.id
    order by seen_at, placement = 'other', placement = 'spam', uid
  ) as sightings from canary`

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

  /**
   * The key that all nodes make their tokens with: the first one that any of them offered.
   *
   * @param offered taken if there is none yet
   */
  async tokenKey(offered: Uint8Array): Promise<Uint8Array> {
    await this.#database.run(
      `insert into shared_key (name, key) values ('token', $1) on conflict do nothing`,
      [Buffer.from(offered)],
    )
    const [row] = await this.#database.rows<{ key: Buffer }>(
      `select key from shared_key where name = 'token'`,
    )
    if (row === undefined) throw new Error('the key of the tokens is gone')
    return row.key
  }

  async begin(canary: Canary): Promise<boolean> {
    const { id, probe, origin, seed, provider, content, token } = canary
    const { scheduledAt, submittedAt, deadlineAt, queueId } = canary
    const begun = await this.#database.run(
      `insert into canary (id, probe, origin, seed, provider, content, token,
          scheduled_at, submitted_at, deadline_at, queue_id)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        on conflict (probe, scheduled_at) do nothing`,
      [
        id,
        probe,
        origin,
        seed,
        provider,
        content,
        token,
        scheduledAt,
        submittedAt,
        deadlineAt,
        queueId,
      ],
    )
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
    await this.#database.run(
      `insert into sighting (canary, seen_at, folder, uid_validity, uid, placement, sighting)
        values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing`,
      [id, seenAt, folder, uidValidity, uid, placement, JSON.stringify(sighting)],
    )
  }

  async late(id: string, at: number): Promise<boolean> {
    return (await this.#database.rows(LATE, [id, at])).length === 1
  }

  async reported(id: string, report: BounceReport): Promise<boolean> {
    const sql = `update canary set report = $2 where id = $1 and report = ''`
    return (await this.#database.run(sql, [id, JSON.stringify(report)])) === 1
  }

  async looked(look: Look): Promise<void> {
    await this.#database.run(
      `insert into seed_look (seed, look) values ($1, $2)
        on conflict (seed) do update set look = excluded.look`,
      [look.seed, JSON.stringify(look)],
    )
  }

  async undecided(seed = ''): Promise<readonly Canary[]> {
    const sql = `select * from canary where label = '' and ($1 = '' or seed = $1) order by id`
    return (await this.#database.rows<CanaryRow>(sql, [seed])).map(canaryOf)
  }

  async byToken(token: string): Promise<CanaryRecord | undefined> {
    return (await this.#records(`${RECORD} where token = $1`, [token]))[0]
  }

  async find(id: string): Promise<CanaryRecord | undefined> {
    return (await this.#records(`${RECORD} where id = $1`, [id]))[0]
  }

  async list(filter: CanaryFilter): Promise<readonly ListedCanary[]> {
    const rows = await this.#database.rows<CanaryRow>(
      `select * from canary where scheduled_at >= $1 and scheduled_at < $2
          and ($3 = '' or origin = $3) and ($4 = '' or provider = $4)
          and ($5 = '' or seed = $5) and ($6 = '' or label = $6)
        order by scheduled_at desc limit $7`,
      [
        Math.ceil(filter.since ?? 0),
        Math.ceil(filter.until ?? Number.MAX_SAFE_INTEGER),
        filter.origin ?? '',
        filter.provider ?? '',
        filter.seed ?? '',
        filter.verdict ?? '',
        filter.limit,
      ],
    )
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
    return this.#database.rows<Arrivals[number]>(
      `select origin, provider, label as placement, submitted_at as "submittedAt", seconds
        from canary where scheduled_at >= $1 and scheduled_at < $2 and seconds is not null
        order by scheduled_at desc limit $3`,
      [Math.ceil(since), Math.ceil(until), limit],
    )
  }

  decisions(
    { at, id }: { readonly at: number; readonly id: string },
    limit: number,
  ): Promise<readonly Decision[]> {
    return this.#database.rows<Decision>(DECISIONS, [Math.trunc(at), id, limit])
  }

  outcomes(from: number, until: number, slowAfter: number): Promise<readonly OutcomeCount[]> {
    return this.#database.rows<OutcomeCount>(OUTCOMES, [
      Math.ceil(from),
      Math.ceil(until),
      slowAfter,
    ])
  }

  pairs(a: string, b: string, since: number, until: number): Promise<readonly PairCount[]> {
    return this.#database.rows<PairCount>(PAIRS, [a, b, Math.ceil(since), Math.ceil(until)])
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
    const [row] = await this.#database.rows<Standing>(STANDING, [probe, seed, Math.ceil(since)])
    if (row === undefined) throw new Error('no answer')
    return row
  }

  cursors(seed: string): Promise<readonly Cursor[]> {
    return this.#database.rows<Cursor>(
      `select folder, uid_validity as "uidValidity", uid_next as "uidNext" from seed_cursor
        where seed = $1 order by folder`,
      [seed],
    )
  }

  async saveCursors(seed: string, cursors: readonly Cursor[]): Promise<void> {
    await this.#database.transaction(async session => {
      await session.run('delete from seed_cursor where seed = $1', [seed])
      // Another node may have written in between: its lease began when ours was over, and either reading is true.
      await session.run(
        `insert into seed_cursor (seed, folder, uid_validity, uid_next)
          select $1, * from unnest($2::text[], $3::text[], $4::bigint[])
          on conflict (seed, folder) do update
          set uid_validity = excluded.uid_validity, uid_next = excluded.uid_next`,
        [
          seed,
          cursors.map(({ folder }) => folder),
          cursors.map(({ uidValidity }) => uidValidity),
          cursors.map(({ uidNext }) => uidNext),
        ],
      )
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
