import { DAY } from '../base/clock.ts'
import { type DayCount, LEARNT_FROM_DAYS, learntBaseline } from './detector-baseline.ts'
import { type DetectorState, INITIAL, observe } from './detector-policy.ts'
import type { Decision, OutcomeCount } from './history.ts'
import type { VerdictLabel } from './model.ts'

/**
 * What is watched of each origin and provider: whether canaries arrive at all; of those that do, whether in the inbox,
 * and whether in good time.
 */
export const SIGNALS = ['arrival', 'inbox', 'lateness'] as const
export type Signal = (typeof SIGNALS)[number]

export interface FoldOptions {
  /** A canary that arrives after more seconds than this is slow. */
  readonly slowAfter: number
  /** The share that fails while all is well, where it was set and is not to be learnt. */
  readonly baselineOf: (origin: string, provider: string, signal: Signal) => number | undefined
}

/** All signals of one origin and provider: the seeds of a provider are one sample. */
export interface Watched {
  readonly origin: string
  readonly provider: string
  readonly signals: Readonly<Record<Signal, SignalState>>
}

export interface SignalState {
  readonly detector: DetectorState
  /** The share that fails while all is well, as it is reckoned with on this day. */
  readonly baseline: number
  /** Complete days, those that are learnt from. */
  readonly past: readonly (DayCount & { readonly day: number })[]
  readonly today: DayCount
}

const NONE: DayCount = { n: 0, failures: 0 }

/**
 * What a row of verdicts comes to, one after the other. The same verdicts in the same order give the same state, on
 * every node and after every restart.
 */
export class DetectorFold {
  readonly #options: FoldOptions
  readonly #watched: Map<string, Watched>
  #day: number

  /** @param day milliseconds since the epoch: verdicts of earlier days are given by `learn` */
  constructor(
    options: FoldOptions,
    watched: readonly { readonly origin: string; readonly provider: string }[],
    day: number,
  ) {
    this.#options = options
    this.#day = Math.floor(day / DAY)
    const fresh = { detector: INITIAL, baseline: Number.NaN, past: [], today: NONE }
    this.#watched = new Map(
      watched.map(({ origin, provider }) => [
        keyOf(origin, provider),
        { origin, provider, signals: { arrival: fresh, inbox: fresh, lateness: fresh } },
      ]),
    )
    for (const { origin, provider } of watched) {
      this.#change(origin, provider, (state, signal) =>
        this.#learnt(state, origin, provider, signal),
      )
    }
  }

  /** The same once more, to go on from without changing this one. */
  copy(): DetectorFold {
    const copy = new DetectorFold(this.#options, [], this.#day * DAY)
    for (const [key, watched] of this.#watched) copy.#watched.set(key, watched)
    return copy
  }

  /** What the verdicts of a whole day came to, before the first one that is given by `add`. */
  learn(at: number, { origin, provider, lost, inbox, elsewhere, slow }: OutcomeCount): void {
    const day = Math.floor(at / DAY)
    const arrived = inbox + elsewhere
    const counts: Record<Signal, DayCount> = {
      arrival: { n: arrived + lost, failures: lost },
      inbox: { n: arrived, failures: elsewhere },
      lateness: { n: arrived, failures: slow },
    }
    this.#change(origin, provider, (state, signal) =>
      this.#learnt(
        { ...state, past: [...state.past, { day, ...counts[signal] }] },
        origin,
        provider,
        signal,
      ),
    )
  }

  add(decision: Decision): void {
    const { origin, provider, decidedAt } = decision
    const day = Math.floor(decidedAt / DAY)
    if (day > this.#day) this.#turn(day)
    const failed = failuresOf(decision, this.#options.slowAfter)
    this.#change(origin, provider, (state, signal) => {
      const failure = failed[signal]
      if (failure === undefined) return state
      const { n, failures } = state.today
      return {
        ...state,
        detector: observe(state.detector, failure, state.baseline),
        today: { n: n + 1, failures: failures + (failure ? 1 : 0) },
      }
    })
  }

  get watched(): readonly Watched[] {
    return [...this.#watched.values()]
  }

  /** A new day has begun, and the one before is learnt from: a baseline stays the same for a day. */
  #turn(day: number): void {
    const ended = this.#day
    this.#day = day
    for (const { origin, provider } of this.watched) {
      this.#change(origin, provider, (state, signal) => {
        const past = [...state.past, { day: ended, ...state.today }]
        return this.#learnt({ ...state, past, today: NONE }, origin, provider, signal)
      })
    }
  }

  #learnt(state: SignalState, origin: string, provider: string, signal: Signal): SignalState {
    const past = state.past.filter(({ day }) => day >= this.#day - LEARNT_FROM_DAYS)
    const baseline = this.#options.baselineOf(origin, provider, signal) ?? learntBaseline(past)
    return { ...state, past, baseline }
  }

  /** What is watched no more is left out. */
  #change(
    origin: string,
    provider: string,
    change: (state: SignalState, signal: Signal) => SignalState,
  ): void {
    const key = keyOf(origin, provider)
    const watched = this.#watched.get(key)
    if (!watched) return
    const { arrival, inbox, lateness } = watched.signals
    this.#watched.set(key, {
      ...watched,
      signals: {
        arrival: change(arrival, 'arrival'),
        inbox: change(inbox, 'inbox'),
        lateness: change(lateness, 'lateness'),
      },
    })
  }
}

/** What one verdict says of each signal; undefined where it says nothing. Unknown never says anything. */
function failuresOf(
  { label, seconds }: Pick<Decision, 'label' | 'seconds'>,
  slowAfter: number,
): Readonly<Record<Signal, boolean | undefined>> {
  const arrived = label === 'inbox' || label === 'spam' || label === 'other'
  return {
    arrival: label === 'unknown' ? undefined : LOST.has(label),
    inbox: arrived ? label !== 'inbox' : undefined,
    lateness: arrived ? (seconds ?? 0) > slowAfter : undefined,
  }
}

const LOST: ReadonlySet<VerdictLabel> = new Set(['missing', 'bounced', 'rejected'])

function keyOf(origin: string, provider: string): string {
  return `${origin} ${provider}`
}
