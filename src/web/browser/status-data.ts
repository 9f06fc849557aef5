/*
 * What the status page is made of, as /api/status sends it. Shared by the server, which fills it, and the browser,
 * which shows it: nothing but types and constants here. All times are milliseconds since the epoch, all durations
 * seconds.
 */

export const RANGES = ['15m', '1h', '6h', '24h', '7d', '30d'] as const
export type RangeName = (typeof RANGES)[number]

export const VERDICTS = [
  'inbox',
  'spam',
  'other',
  'missing',
  'bounced',
  'rejected',
  'unknown',
] as const
export type VerdictName = (typeof VERDICTS)[number]
export type VerdictCounts = Readonly<Record<VerdictName, number>>

/** A share with what is needed to believe it: never a percentage without its sample size. */
export interface Rate {
  readonly hits: number
  /** Verdicts other than unknown; 0 makes the rate meaningless. */
  readonly n: number
  /** 95 % interval of the true share, 0 to 1. */
  readonly low: number
  readonly high: number
}

/** One origin at one provider, all its seeds together. */
export interface Cell {
  readonly origin: string
  readonly provider: string
  readonly counts: VerdictCounts
  /** Of the canaries judged: those that arrived anywhere, and those that arrived in the inbox. */
  readonly arrived: Rate
  readonly inbox: Rate
  readonly late: number
}

export interface PlacementSeries {
  readonly origin: string
  readonly provider: string
  /** One for every step of the range, oldest first. */
  readonly steps: readonly VerdictCounts[]
}

export interface Quantiles {
  readonly n: number
  /** Undefined where n is 0. */
  readonly p50?: number
  readonly p90?: number
}

export interface ArrivalSeries {
  readonly provider: string
  readonly all: Quantiles
  readonly steps: readonly Quantiles[]
}

export interface SeedState {
  readonly seed: string
  readonly provider: string
  /** When the account was made, milliseconds since the epoch; absent where nobody has said. */
  readonly createdAt?: number
  /** `stale` was read, but not lately; `unread` was never looked at. */
  readonly state: 'reading' | 'blind' | 'stale' | 'unread'
  readonly lookedAt: number
  readonly blindness: string
  readonly detail: string
}

/** Real mail of the relay to one provider: everything it sent, canaries among it. */
export interface RealMail {
  readonly provider: string
  readonly delivered: number
  readonly bounced: number
  /** Recipients put off, once for every attempt. */
  readonly deferrals: number
  /** Why, by class of the reply: bounces and deferrals. */
  readonly reasons: Readonly<Record<string, number>>
  readonly rate: Rate
}

export interface CanarySummary {
  /** '' on the public page, where nothing more is told. */
  readonly id: string
  /** When it was submitted, or was to be. */
  readonly at: number
  readonly origin: string
  readonly provider: string
  readonly seed: string
  /** `pending` is on its way: no verdict yet. */
  readonly verdict: VerdictName | 'pending'
  /** How far it came, where it did not arrive; else ''. */
  readonly stage: string
  /** A few words: the reply, the reason of an unknown. */
  readonly detail: string
  readonly seconds?: number
  /** What the provider found, where it arrived. */
  readonly auth?: { readonly spf: string; readonly dkim: string; readonly dmarc: string }
  readonly late: boolean
  /** The relay's name for it, to look it up; else ''. */
  readonly queueId: string
}

/** What is asked of the list of canaries; '' is any. */
export interface CanaryQuestion {
  readonly origin: string
  readonly provider: string
  readonly seed: string
  readonly verdict: string
}

/** A part of the list, newest first, as /api/canaries sends it. */
export interface CanaryList {
  readonly canaries: readonly CanarySummary[]
  /** The rest are those scheduled before: `until` of the next question. Absent at the end. */
  readonly older?: number
}

/** One host on the way of a canary, as its Received field tells. What it does not tell is ''. */
export interface CanaryHop {
  readonly from: string
  readonly by: string
  readonly protocol: string
  readonly tls: string
  /** Absent where the date cannot be read. */
  readonly at?: number
  /** Milliseconds since the hop before; negative where two clocks disagree. */
  readonly delay?: number
}

/** Everything known of one canary, as /api/canaries/ID sends it. */
export interface CanaryDetails {
  readonly summary: CanarySummary
  readonly canary: {
    readonly probe: string
    readonly content: string
    readonly scheduledAt: number
    /** 0 where the origin did not take it. */
    readonly submittedAt: number
    readonly deadlineAt: number
  }
  readonly decidedAt: number
  readonly lateAt: number
  /** A report that came back for it, maybe after the verdict. */
  readonly report?: { readonly at: number; readonly host: string; readonly reply: string }
  readonly sightings: readonly {
    readonly folder: string
    readonly placement: string
    readonly tab?: string
    readonly arrivedAt: number
    /** The clock that told it: `internaldate`, `received` or `detection`. */
    readonly arrivalSource: string
    readonly seenAt: number
    readonly auth: { readonly spf: string; readonly dkim: string; readonly dmarc: string }
    readonly hops: readonly CanaryHop[]
    /** Of the connection over which the provider got it; '' where it does not tell. */
    readonly tls?: string
    /** Without its token. */
    readonly header: string
  }[]
  /** What the relay did with it; empty for an origin that is not ours. */
  readonly timeline: readonly {
    readonly at: number
    readonly kind: string
    readonly host: string
    readonly reply: string
    readonly tls: string
    readonly note: string
  }[]
  /** The last that a relay on another host tells of it. */
  readonly elsewhere?: {
    readonly at: number
    readonly kind: string
    readonly host: string
    readonly reply: string
    readonly tls: string
  }
}

/** One seed account, as /api/seeds/NAME sends it. */
export interface SeedReport {
  readonly at: number
  readonly range: RangeName
  readonly steps: readonly number[]
  readonly state: SeedState
  readonly cells: readonly Cell[]
  readonly placement: readonly PlacementSeries[]
  readonly arrival: ArrivalSeries
}

export interface Status {
  readonly version: string
  readonly at: number
  /** For everybody to read: no seed, no words of a server, no real mail, no page of one canary. */
  readonly public: boolean
  readonly range: RangeName
  /** Beginning of every step. */
  readonly steps: readonly number[]
  readonly origins: readonly string[]
  readonly providers: readonly string[]
  readonly cells: readonly Cell[]
  readonly placement: readonly PlacementSeries[]
  readonly arrival: readonly ArrivalSeries[]
  readonly seeds: readonly SeedState[]
  readonly real: {
    /** Since when it has been counted, if not for the whole range. */
    readonly since: number
    readonly providers: readonly RealMail[]
  }
  /** Whether there ever was a canary. */
  readonly any: boolean
}
