import type { Reply } from '../mail/reply.ts'
import type { Cursor } from './mailbox.ts'
import type { Canary, Look, Placement, Sighting, Verdict, VerdictLabel } from './model.ts'

/** A report of a failure that came back for a canary. */
export interface BounceReport {
  /** When it was read, milliseconds since the epoch. */
  readonly at: number
  /** As the report quotes it, or what its status stands for. */
  readonly reply: Reply
  /** The host that said so; '' where the report names none. */
  readonly host: string
}

/** A canary with everything known of it. */
export interface CanaryRecord {
  readonly canary: Canary
  /** Undefined while it is undecided. */
  readonly verdict: Verdict | undefined
  /** When the verdict was given; 0 while undecided. */
  readonly decidedAt: number
  /** Seen after it was decided missing: when it arrived; 0 if it was not. */
  readonly lateAt: number
  /** The first sighting is the one that was judged. */
  readonly sightings: readonly Sighting[]
  /** The first that came back, if any did; it may have come after the verdict. */
  readonly report?: BounceReport
}

/** A canary as lists have it: without what was read of it. */
export type ListedCanary = Omit<CanaryRecord, 'sightings'>

/** Decided canaries of one cell of a table or one step of a chart. Rates are computed from these, never stored. */
export interface Tally {
  readonly origin: string
  readonly provider: string
  readonly seed: string
  /** Beginning of the step, milliseconds since the epoch; 0 when the question had no steps. */
  readonly from: number
  readonly counts: Readonly<Record<VerdictLabel, number>>
  readonly late: number
}

/** How many canaries took about so long. */
export interface ArrivalCount {
  readonly provider: string
  /** Beginning of the step, milliseconds since the epoch; 0 when the question had no steps. */
  readonly from: number
  /** From submission to arrival; up to 4.3 % off where it was counted before it was asked for. */
  readonly seconds: number
  readonly n: number
}

export interface CanaryFilter {
  readonly origin?: string
  readonly provider?: string
  readonly seed?: string
  readonly verdict?: VerdictLabel
  /** Scheduled at or after, and before. */
  readonly since?: number
  readonly until?: number
  readonly limit: number
}

/** A verdict as the detector needs it. */
export interface Decision {
  readonly id: string
  readonly origin: string
  readonly provider: string
  readonly label: VerdictLabel
  /** From submission to arrival; null where it did not arrive. */
  readonly seconds: number | null
  readonly decidedAt: number
}

/** Verdicts of one origin and provider by when they were given; unknown ones are in none of the numbers. */
export interface OutcomeCount {
  readonly origin: string
  readonly provider: string
  /** Missing, bounced or rejected. */
  readonly lost: number
  readonly inbox: number
  /** In spam or in another folder. */
  readonly elsewhere: number
  /** Of those that arrived anywhere: how many took longer than was asked for. */
  readonly slow: number
}

/** How many pairs, sent together by two origins to the same seed, came to the same two verdicts. */
export interface PairCount {
  readonly provider: string
  /** Beginning of the day (UTC), milliseconds since the epoch. */
  readonly day: number
  readonly a: VerdictLabel
  readonly b: VerdictLabel
  readonly n: number
}

/** A probe that an operator has paused. */
export interface Pause {
  readonly probe: string
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Who did it, for the record. */
  readonly by: string
}

/** What decides whether a probe may send now. */
export interface Standing {
  readonly paused: boolean
  /** Canaries of the probe that have no verdict. */
  readonly undecided: number
  /** Canaries of all probes to the seed since the moment that was asked for. */
  readonly sent: number
}

/** Everything the prober has to remember. Two implementations, one contract test: SQLite, PostgreSQL. */
export interface HistoryStore {
  /**
   * Records a canary before it is submitted, so that a crash leaves a record and not a ghost.
   *
   * @returns false if this probe's tick was already taken (by another node): then nothing must be sent
   */
  begin(canary: Canary): Promise<boolean>
  submitted(id: string, submittedAt: number, queueId: string): Promise<void>
  /** The first decision stands. @returns false if the canary was already decided: the new verdict was ignored */
  decide(id: string, verdict: Verdict, at: number): Promise<boolean>
  /** Records a sighting; the same folder and UID twice is one. */
  sighted(id: string, sighting: Sighting): Promise<void>
  /** Marks a canary that was decided missing as late. @returns false if it already was, or was not missing */
  late(id: string, at: number): Promise<boolean>
  /** Keeps a report that came back; the first one stands. @returns false if there was one, or there is no such canary */
  reported(id: string, report: BounceReport): Promise<boolean>
  looked(look: Look): Promise<void>
  /** Undecided canaries, oldest first: what a restart takes up again. @param seed of this one alone, if given */
  undecided(seed?: string): Promise<readonly Canary[]>
  byToken(token: string): Promise<CanaryRecord | undefined>
  find(id: string): Promise<CanaryRecord | undefined>
  /** Newest first by the time they were scheduled for. */
  list(filter: CanaryFilter): Promise<readonly ListedCanary[]>
  /** Verdicts counted by origin, provider and seed, in steps of `step` milliseconds (0: one step for all). */
  tally(since: number, until: number, step: number): Promise<readonly Tally[]>
  /** Arrival times of what arrived, as counts, for quantiles; in steps as in `tally`. @param seed of one, or of all */
  arrivalCounts(
    since: number,
    until: number,
    step: number,
    seed?: string,
  ): Promise<readonly ArrivalCount[]>
  /** Arrival times in seconds of what arrived, one by one, at most `limit` newest. */
  arrivals(
    since: number,
    until: number,
    limit: number,
  ): Promise<
    readonly {
      readonly origin: string
      readonly provider: string
      readonly placement: Placement
      readonly submittedAt: number
      readonly seconds: number
    }[]
  >
  /** Verdicts in the order in which they were given, those after one of them, at most `limit`. */
  decisions(
    after: { readonly at: number; readonly id: string },
    limit: number,
  ): Promise<readonly Decision[]>
  /** @param slowAfter seconds */
  outcomes(from: number, until: number, slowAfter: number): Promise<readonly OutcomeCount[]>
  /** Pairs of two origins by their verdicts; those of which either is undecided are left out. */
  pairs(a: string, b: string, since: number, until: number): Promise<readonly PairCount[]>
  /** Keeps a probe from sending, on all nodes, until it is resumed. @returns false if it was paused before */
  pause(pause: Pause): Promise<boolean>
  /** @returns false if it was not paused */
  resume(probe: string): Promise<boolean>
  pauses(): Promise<readonly Pause[]>
  standing(probe: string, seed: string, since: number): Promise<Standing>
  cursors(seed: string): Promise<readonly Cursor[]>
  saveCursors(seed: string, cursors: readonly Cursor[]): Promise<void>
  lastLook(seed: string): Promise<Look | undefined>
  /** Removes what ended before. @returns how many canaries were removed */
  sweep(before: number): Promise<number>
  close(): Promise<void>
}
