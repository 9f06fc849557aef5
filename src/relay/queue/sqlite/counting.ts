import type { Database, Statement } from 'better-sqlite3'

import type { Judgement } from '../../limits/judge.ts'
import { KNOWN_FOR, KNOWN_PER_LOGIN, type Charge } from '../../limits/ledger.ts'
import { GRIDS, oldestStep, stepOf, type Usage, type UsageStep } from '../../limits/usage.ts'

/*
 * usage      one row a login and step in which it sent: what the windows are summed up from. Steps are of several lengths
 * acquainted one row a login and recipient it has written to, by a digest that names nobody without the key
 */
export const LEDGER = `
  create table usage (
    login text not null,
    step integer not null,
    at integer not null,
    messages integer not null,
    recipients integer not null,
    fresh integer not null,
    primary key (login, step, at)
  ) strict, without rowid;
  create index usage_step on usage (step, at);

  create table acquainted (
    login text not null,
    digest blob not null,
    last_at integer not null,
    primary key (login, digest)
  ) strict, without rowid;
  create index acquainted_last on acquainted (login, last_at);
`

// Written again only then: a daily correspondent costs one row a week, and is forgotten a week early at worst.
const REFRESH = KNOWN_FOR / 26

// Rows of one transaction of the sweep.
const PORTION = 1_000

/** A recipient, and when a login last wrote to it; undefined where it never did. */
export interface Acquaintance {
  readonly digest: Buffer
  readonly lastAt: number | undefined
}

/** Counts what logins send, and remembers to whom. Everything but `usage` and `unknown` takes part in a transaction. */
export class Counting {
  readonly #steps: Statement<[string, number, number], UsageStep>
  readonly #count: Statement<[string, number, number, number, number]>
  readonly #lastAt: Statement<[string, Buffer], number>
  readonly #know: Statement<[string, Buffer, number]>
  readonly #forgetSteps: Statement<[number, number]>
  readonly #nextLogin: Statement<[string], string>
  readonly #forgetOld: Statement<[string, number, number]>
  readonly #cutoff: Statement<[string, number], number>

  constructor(database: Database) {
    this.#steps = database.prepare(
      'select step, at, messages, recipients, fresh from usage where login = ? and step = ? and at >= ?',
    )
    this.#count = database.prepare(
      `insert into usage (login, step, at, messages, recipients, fresh) values (?, ?, ?, 1, ?, ?)
       on conflict (login, step, at) do update set messages = messages + 1,
         recipients = recipients + excluded.recipients, fresh = fresh + excluded.fresh`,
    )
    this.#lastAt = database
      .prepare<[string, Buffer], number>(
        'select last_at from acquainted where login = ? and digest = ?',
      )
      .pluck()
    this.#know = database.prepare(
      `insert into acquainted (login, digest, last_at) values (?, ?, ?)
       on conflict (login, digest) do update set last_at = excluded.last_at`,
    )
    this.#forgetSteps = database.prepare('delete from usage where step = ? and at < ?')
    this.#nextLogin = database
      .prepare<[string], string>(
        'select login from acquainted where login > ? order by login limit 1',
      )
      .pluck()
    this.#forgetOld = database.prepare(
      `delete from acquainted where (login, digest) in (
         select login, digest from acquainted where login = ? and last_at < ? limit ?)`,
    )
    // The newest of those beyond the number that is kept.
    this.#cutoff = database
      .prepare<[string, number], number>(
        'select last_at from acquainted where login = ? order by last_at desc limit 1 offset ?',
      )
      .pluck()
  }

  usage(login: string, now: number): Usage {
    return GRIDS.flatMap(grid => this.#steps.all(login, grid.step, oldestStep(now, grid)))
  }

  unknown(login: string, digests: readonly Buffer[]): number {
    return this.acquaintance(login, digests).filter(({ lastAt }) => lastAt === undefined).length
  }

  /** When the login last wrote to each of them, as far as that was noted. */
  acquaintance(login: string, digests: readonly Buffer[]): readonly Acquaintance[] {
    return digests.map(digest => ({ digest, lastAt: this.#lastAt.get(login, digest) }))
  }

  /** What the message would be, with all that has been counted up to now. @param fresh recipients that are unknown */
  judge({ login, now, recipients, judge }: Charge, fresh: number): Judgement {
    return judge(this.usage(login, now), { messages: 1, recipients, fresh })
  }

  /** Counts a message. @param to those whom it makes known: nobody, where it is kept back */
  charge({ login, now, recipients }: Charge, fresh: number, to: readonly Acquaintance[]): void {
    for (const grid of GRIDS) {
      this.#count.run(login, grid.step, stepOf(now, grid), recipients, fresh)
    }
    for (const { digest, lastAt = -Infinity } of to) {
      if (lastAt < now - REFRESH) this.#know.run(login, digest, now)
    }
  }

  /** The next login in order of which recipients are remembered; undefined behind the last. */
  loginAfter(login: string): string | undefined {
    return this.#nextLogin.get(login)
  }

  forgetSteps(now: number): void {
    for (const grid of GRIDS) this.#forgetSteps.run(grid.step, oldestStep(now, grid))
  }

  /** Forgets a portion of whom a login has not written to for long, or who are too many. @returns how many */
  forgetRecipients(login: string, now: number): number {
    const beyond = this.#cutoff.get(login, KNOWN_PER_LOGIN)
    const before = Math.max(now - KNOWN_FOR, beyond === undefined ? 0 : beyond + 1)
    return this.#forgetOld.run(login, before, PORTION).changes
  }
}
