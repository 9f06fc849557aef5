import { createHash } from 'node:crypto'

import type { Postgres, Session } from '../../../base/postgres.ts'
import type { Judgement } from '../../limits/judge.ts'
import { KNOWN_FOR, KNOWN_PER_LOGIN, type Charge, type Ledger } from '../../limits/ledger.ts'
import { GRIDS, oldestStep, stepOf, type Usage, type UsageStep } from '../../limits/usage.ts'
import type { BodyWriter, NewMessage } from '../store.ts'
import { PostgresBody, type Bodies } from './bodies.ts'
import { asking } from './failure.ts'
import { putMessage } from './putting.ts'

// Written again only then: a daily correspondent costs one row a week, and is forgotten a week early at worst.
const REFRESH = Math.floor(KNOWN_FOR / 26)

/** The ledger in the queue's database: a limit is one for all nodes. */
export class PostgresLedger implements Ledger {
  readonly #database: Postgres
  readonly #bodies: Bodies

  constructor(database: Postgres, bodies: Bodies) {
    this.#database = database
    this.#bodies = bodies
  }

  usage(login: string, now: number): Promise<Usage> {
    return asking(() => usageOf(this.#database, login, now))
  }

  unknown(login: string, digests: readonly Buffer[]): Promise<number> {
    return asking(() => unknownOf(this.#database, login, digests))
  }

  async putCounted(
    message: NewMessage,
    body: BodyWriter,
    charge: Charge,
    reasonOf: (judgement: Judgement) => string,
  ): Promise<Judgement> {
    if (!(body instanceof PostgresBody)) throw new TypeError('a body of another store')
    const judged = await asking(() =>
      this.#database.transaction(async session => {
        const { login, now, recipients, digests } = charge
        // One message of a login at a time, on whichever node: two must not both have the last place.
        await session.run('select pg_advisory_xact_lock($1::bigint)', [lockOf(login)])
        const fresh = await unknownOf(session, login, digests)
        const usage = await usageOf(session, login, now)
        const judgement = charge.judge(usage, { messages: 1, recipients, fresh })
        if (judgement.kind === 'defer') return judgement
        const held = judgement.kind === 'hold'
        await this.#bodies.finish(session, body)
        await putMessage(session, held ? { ...message, hold: reasonOf(judgement) } : message, body)
        await count(session, charge, fresh)
        if (!held) await know(session, charge)
        return judgement
      }),
    )
    if (judged.kind !== 'defer') this.#bodies.done(body.id)
    return judged
  }

  async forget(now: number): Promise<void> {
    await asking(async () => {
      for (const grid of GRIDS) {
        const sql = 'delete from usage where step = $1 and at < $2'
        await this.#database.run(sql, [grid.step, oldestStep(now, grid)])
      }
      await this.#database.run('delete from acquainted where last_at < $1', [now - KNOWN_FOR])
      // Of each login the newest of those beyond the number that is kept, and all that are older.
      await this.#database.run(
        `delete from acquainted using (
            select login as of, last_at as cutoff from (
              select login, last_at,
                row_number() over (partition by login order by last_at desc) as place
              from acquainted) ranked
            where place = $1
          ) beyond
          where login = of and last_at <= cutoff`,
        [KNOWN_PER_LOGIN + 1],
      )
    })
  }
}

/** A number for a login: two that share one wait for each other, and that is all. */
function lockOf(login: string): string {
  return createHash('sha256').update(login).digest().readBigInt64BE().toString()
}

function usageOf(session: Session, login: string, now: number): Promise<UsageStep[]> {
  return session.rows<UsageStep>(
    `select usage.step, at, messages, recipients, fresh from usage
      join unnest($2::bigint[], $3::bigint[]) as grid (step, oldest) on usage.step = grid.step
      where login = $1 and at >= oldest`,
    [login, GRIDS.map(({ step }) => step), GRIDS.map(grid => oldestStep(now, grid))],
  )
}

async function unknownOf(
  session: Session,
  login: string,
  digests: readonly Buffer[],
): Promise<number> {
  if (digests.length === 0) return 0
  const [row] = await session.rows<{ known: number }>(
    `select count(*) as known from acquainted
      where login = $1 and digest = any (select decode(one, 'hex') from unnest($2::text[]) as one)`,
    [login, digests.map(digest => digest.toString('hex'))],
  )
  return digests.length - (row?.known ?? 0)
}

async function count(
  session: Session,
  { login, now, recipients }: Charge,
  fresh: number,
): Promise<void> {
  await session.run(
    `insert into usage (login, step, at, messages, recipients, fresh)
      select $1, step, at, 1, $4, $5 from unnest($2::bigint[], $3::bigint[]) as grid (step, at)
      on conflict (login, step, at) do update set messages = usage.messages + 1,
        recipients = usage.recipients + excluded.recipients, fresh = usage.fresh + excluded.fresh`,
    [login, GRIDS.map(({ step }) => step), GRIDS.map(grid => stepOf(now, grid)), recipients, fresh],
  )
}

async function know(session: Session, { login, now, digests }: Charge): Promise<void> {
  await session.run(
    `insert into acquainted (login, digest, last_at)
      select $1, decode(digest, 'hex'), $3 from unnest($2::text[]) as digest
      on conflict (login, digest) do update set last_at = excluded.last_at
      where acquainted.last_at < $4`,
    [login, digests.map(digest => digest.toString('hex')), now, now - REFRESH],
  )
}
