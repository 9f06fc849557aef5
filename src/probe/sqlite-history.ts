import { closeSync, openSync } from 'node:fs'

import Database from 'better-sqlite3'

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
import {
  type Canary,
  labelOf,
  type Look,
  type Placement,
  type Sighting,
  type Verdict,
} from './model.ts'
import { wholeSpans } from './roll-up.ts'
import { prepare } from './sqlite-schema.ts'
import { STATEMENTS } from './sqlite-statements.ts'

type Parameters = Record<string, string | number | null>
type Statements = Record<keyof typeof STATEMENTS, Database.Statement<[Parameters]>>

/**
 * The prober's memory in one SQLite file, by one process. A promise that resolved is on the disk: WAL with
 * synchronous FULL.
 */
export class SqliteHistory implements HistoryStore {
  readonly #db: Database.Database
  readonly #statements: Statements
  readonly #saveCursors: (seed: string, cursors: readonly Cursor[]) => void
  readonly #decide: (parameters: Parameters) => boolean
  readonly #late: (parameters: Parameters) => boolean
  readonly #sweep: (parameters: Parameters) => number

  /**
   * @param path the file, made where there is none; `:memory:` for a history that ends with the process
   * @throws Problem if the file was written by a newer version
   */
  constructor(path: string) {
    // SQLite would create it readable for all.
    if (path !== ':memory:') closeSync(openSync(path, 'a', 0o600))
    this.#db = new Database(path)
    prepare(this.#db)
    this.#statements = Object.fromEntries(
      Object.entries(STATEMENTS).map(([name, sql]) => [name, this.#db.prepare(sql)]),
    ) as Statements
    this.#saveCursors = this.#db.transaction((seed: string, cursors: readonly Cursor[]) => {
      this.#run('forgetCursors', { seed })
      for (const cursor of cursors) this.#run('saveCursor', { seed, ...cursor })
    })
    // What is counted is counted in the same commit.
    this.#decide = this.#db.transaction(({ id = '', ...verdict }: Parameters) => {
      if (this.#run('decide', { id, ...verdict }) === 0) return false
      this.#run('countVerdict', { id })
      this.#run('countArrival', { id })
      return true
    })
    this.#late = this.#db.transaction(({ id = '', at = 0 }: Parameters) => {
      if (this.#run('late', { id, at }) === 0) return false
      this.#run('countLate', { id })
      return true
    })
    this.#sweep = this.#db.transaction((before: Parameters) => {
      const swept = this.#run('sweep', before)
      if (swept === 0) return 0
      this.#run('forgetVerdicts', before)
      this.#run('recountVerdicts', before)
      this.#run('forgetArrivals', before)
      this.#run('recountArrivals', before)
      return swept
    })
  }

  async begin(canary: Canary): Promise<boolean> {
    return this.#run('begin', { ...canary }) === 1
  }

  async submitted(id: string, submittedAt: number, queueId: string): Promise<void> {
    this.#run('submitted', { id, at: submittedAt, queueId })
  }

  async decide(id: string, verdict: Verdict, at: number): Promise<boolean> {
    const seconds = verdict.kind === 'arrived' ? verdict.seconds : null
    const label = labelOf(verdict)
    return this.#decide({ id, label, verdict: JSON.stringify(verdict), at, seconds })
  }

  async sighted(id: string, sighting: Sighting): Promise<void> {
    const { seenAt, folder, uidValidity, uid, placement } = sighting
    const text = JSON.stringify(sighting)
    this.#run('sighted', { id, seenAt, folder, uidValidity, uid, placement, sighting: text })
  }

  async late(id: string, at: number): Promise<boolean> {
    return this.#late({ id, at })
  }

  async reported(id: string, report: BounceReport): Promise<boolean> {
    return this.#run('reported', { id, report: JSON.stringify(report) }) === 1
  }

  async looked(look: Look): Promise<void> {
    this.#run('looked', { seed: look.seed, look: JSON.stringify(look) })
  }

  async undecided(seed = ''): Promise<readonly Canary[]> {
    return this.#all<CanaryRow>('undecided', { seed }).map(canaryOf)
  }

  async byToken(token: string): Promise<CanaryRecord | undefined> {
    return this.#record(this.#get('byToken', { token }))
  }

  async find(id: string): Promise<CanaryRecord | undefined> {
    return this.#record(this.#get('find', { id }))
  }

  async list(filter: CanaryFilter): Promise<readonly ListedCanary[]> {
    const narrowest = filter.seed ? 'listOfSeed' : filter.verdict ? 'listOfVerdict' : 'list'
    const rows = this.#all<CanaryRow>(narrowest, {
      origin: filter.origin ?? '',
      provider: filter.provider ?? '',
      seed: filter.seed ?? '',
      label: filter.verdict ?? '',
      since: filter.since ?? 0,
      until: filter.until ?? Number.MAX_SAFE_INTEGER,
      limit: filter.limit,
    })
    return rows.map(listedOf)
  }

  async tally(since: number, until: number, step: number): Promise<readonly Tally[]> {
    return talliesOf(this.#all<TallyRow>('tally', questionOf(since, until, step)))
  }

  async arrivalCounts(
    since: number,
    until: number,
    step: number,
    seed = '',
  ): Promise<readonly ArrivalCount[]> {
    return seed === ''
      ? this.#all<ArrivalCount>('arrivalCounts', questionOf(since, until, step))
      : this.#all<ArrivalCount>('arrivalCountsOfSeed', { since, until, step, seed })
  }

  async arrivals(
    since: number,
    until: number,
    limit: number,
  ): ReturnType<HistoryStore['arrivals']> {
    interface Row {
      readonly origin: string
      readonly provider: string
      readonly placement: Placement
      readonly submittedAt: number
      readonly seconds: number
    }
    return this.#all<Row>('arrivals', { since, until, limit })
  }

  async decisions(
    { at, id }: { readonly at: number; readonly id: string },
    limit: number,
  ): Promise<readonly Decision[]> {
    return this.#all<Decision>('decisions', { at, id, limit })
  }

  async outcomes(from: number, until: number, slowAfter: number): Promise<readonly OutcomeCount[]> {
    return this.#all<OutcomeCount>('outcomes', { from, until, slowAfter })
  }

  async pairs(a: string, b: string, since: number, until: number): Promise<readonly PairCount[]> {
    return this.#all<PairCount>('pairs', { a, b, since, until })
  }

  async pause(pause: Pause): Promise<boolean> {
    return this.#run('pause', { ...pause }) === 1
  }

  async resume(probe: string): Promise<boolean> {
    return this.#run('resume', { probe }) === 1
  }

  async pauses(): Promise<readonly Pause[]> {
    return this.#all<Pause>('pauses', {})
  }

  async standing(probe: string, seed: string, since: number): Promise<Standing> {
    const row = this.#get('standing', { probe, seed, since }) as Omit<Standing, 'paused'> & {
      readonly paused: number
    }
    return { ...row, paused: row.paused === 1 }
  }

  async cursors(seed: string): Promise<readonly Cursor[]> {
    return this.#all<Cursor>('cursors', { seed })
  }

  async saveCursors(seed: string, cursors: readonly Cursor[]): Promise<void> {
    this.#saveCursors(seed, cursors)
  }

  async lastLook(seed: string): Promise<Look | undefined> {
    const row = this.#get('lastLook', { seed }) as { look: string } | undefined
    return row && (JSON.parse(row.look) as Look)
  }

  async sweep(before: number): Promise<number> {
    return this.#sweep({ before })
  }

  async close(): Promise<void> {
    this.#db.close()
  }

  #run(name: keyof typeof STATEMENTS, parameters: Parameters): number {
    return this.#statements[name].run(parameters).changes
  }

  #get(name: keyof typeof STATEMENTS, parameters: Parameters): unknown {
    return this.#statements[name].get(parameters)
  }

  #all<Row>(name: keyof typeof STATEMENTS, parameters: Parameters): Row[] {
    return this.#statements[name].all(parameters) as Row[]
  }

  #record(row: unknown): CanaryRecord | undefined {
    return row === undefined ? undefined : this.#recordOf(row as CanaryRow)
  }

  #recordOf(row: CanaryRow): CanaryRecord {
    const sightings = this.#all<{ sighting: string }>('sightings', { id: row.id })
    return recordOf(
      row,
      sightings.map(({ sighting }) => sighting),
    )
  }
}

function questionOf(since: number, until: number, step: number): Parameters {
  const { span, from, until: wholeUntil } = wholeSpans(since, until, step)
  return { since, until, step, span, wholeFrom: from, wholeUntil }
}
