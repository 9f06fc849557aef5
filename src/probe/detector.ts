import { setImmediate as nextTurn } from 'node:timers/promises'

import { type Clock, DAY, MINUTE, SECOND } from '../base/clock.ts'
import type { Part } from '../base/lifecycle.ts'
import { Periodic } from '../base/periodic.ts'
import { messageOf } from '../base/problem.ts'
import { LEARNT_FROM_DAYS } from './detector-baseline.ts'
import { DetectorFold, type FoldOptions, type Signal, SIGNALS } from './detector-fold.ts'
import { evidenceOf } from './detector-policy.ts'
import type { ReportProbeEvent } from './events.ts'
import type { Decision, HistoryStore, OutcomeCount } from './history.ts'

/** What is known of one signal now. */
export interface DetectorReading {
  readonly origin: string
  readonly provider: string
  readonly signal: Signal
  /** How near an alarm is, 0 to 1, on a logarithmic scale. */
  readonly evidence: number
  readonly alarm: boolean
  /** The share of canaries that fails while all is well. */
  readonly baseline: number
  /** Since the evidence began to gather: canaries decided, and how many of them failed. */
  readonly canaries: number
  readonly failures: number
}

export interface DetectorOptions extends FoldOptions {
  readonly history: HistoryStore
  readonly watched: readonly { readonly origin: string; readonly provider: string }[]
  readonly report: ReportProbeEvent
  readonly clock: Clock
}

const READ_EVERY = 10 * SECOND
const PAGE = 2_000
/** After a start so many verdicts are gone through one by one, in whole days; what is older has no weight any more. */
const REPLAYED = { verdicts: 100_000, leastDays: 2, mostDays: 28 }
/** Clocks of nodes differ, and a commit takes its time: what is younger may still get a neighbour before it. */
const SETTLED_AFTER = 2 * MINUTE

/**
 * Tells when canaries fail more than they used to. It holds nothing of its own: its state is what the verdicts of the
 * history come to, so that all nodes over one history say the same, and a restart changes nothing.
 */
export class Detector implements Part {
  readonly name = 'detector'
  readonly #options: DetectorOptions
  readonly #periodic: Periodic
  /** After the verdicts that nothing will come before any more; undefined until the history was read. */
  #settled: DetectorFold | undefined
  #cursor = { at: 0, id: '' }
  #readings: readonly DetectorReading[]
  #alarms: ReadonlySet<string> = new Set()

  constructor(options: DetectorOptions) {
    this.#options = options
    this.#readings = readingsOf(new DetectorFold(options, options.watched, options.clock()))
    this.#periodic = new Periodic({
      name: this.name,
      every: READ_EVERY,
      run: () => this.refresh(),
      failed: error =>
        options.report({ kind: 'probe-fault', part: 'detector', cause: messageOf(error) }),
    })
  }

  start(): Promise<void> {
    return this.#periodic.start()
  }

  stop(): Promise<void> {
    return this.#periodic.stop()
  }

  /** Of every signal that is watched, as of the last verdicts that were read. */
  get readings(): readonly DetectorReading[] {
    return this.#readings
  }

  /** Reads the verdicts that have come since. */
  async refresh(): Promise<void> {
    const now = this.#options.clock()
    // Before the first reading, or the clock was set back: verdicts would come that are older than what was read.
    if (!this.#settled || this.#cursor.at > now) await this.#rebuild(now)
    const settled = this.#settled
    if (!settled) return
    const young: Decision[] = []
    let after = this.#cursor
    for (;;) {
      const page = await this.#options.history.decisions(after, PAGE)
      for (const decision of page) {
        after = { at: decision.decidedAt, id: decision.id }
        if (decision.decidedAt > now - SETTLED_AFTER) {
          young.push(decision)
        } else {
          settled.add(decision)
          this.#cursor = after
        }
      }
      if (page.length < PAGE) break
      await nextTurn()
    }
    const current = settled.copy()
    for (const decision of young) current.add(decision)
    this.#readings = readingsOf(current)
    this.#tell()
  }

  async #rebuild(now: number): Promise<void> {
    const { history, watched, slowAfter } = this.#options
    const today = Math.floor(now / DAY) * DAY
    const days: (readonly OutcomeCount[])[] = []
    let replayedDays = 0
    let verdicts = 0
    // Day by day: a long history must not keep the process from anything else.
    while (days.length < replayedDays + LEARNT_FROM_DAYS) {
      const until = today - days.length * DAY
      const counts = await history.outcomes(until - DAY, until, slowAfter)
      await nextTurn()
      days.push(counts)
      verdicts += counts.reduce(
        (sum, { lost, inbox, elsewhere }) => sum + lost + inbox + elsewhere,
        0,
      )
      const { leastDays, mostDays } = REPLAYED
      const more = replayedDays < leastDays || verdicts <= REPLAYED.verdicts
      if (more && replayedDays < mostDays) replayedDays = days.length
    }
    const replayed = today - replayedDays * DAY
    const fold = new DetectorFold(this.#options, watched, replayed)
    for (const [i, counts] of days.entries()) {
      if (i < replayedDays) continue
      for (const count of counts) fold.learn(today - (i + 1) * DAY, count)
    }
    this.#settled = fold
    this.#cursor = { at: replayed, id: '' }
  }

  #tell(): void {
    const alarms = new Set<string>()
    for (const reading of this.#readings) {
      const { origin, provider, signal, alarm, canaries, failures } = reading
      const key = `${origin} ${provider} ${signal}`
      if (alarm) alarms.add(key)
      if (alarm !== this.#alarms.has(key)) {
        const kind = alarm ? 'detector-alarm' : 'detector-calm'
        this.#options.report({ kind, origin, provider, signal, canaries, failures })
      }
    }
    this.#alarms = alarms
  }
}

function readingsOf(fold: DetectorFold): readonly DetectorReading[] {
  return fold.watched.flatMap(({ origin, provider, signals }) =>
    SIGNALS.map(signal => {
      const { detector, baseline } = signals[signal]
      const { odds, alarm, canaries, failures } = detector
      return {
        origin,
        provider,
        signal,
        evidence: evidenceOf(odds),
        alarm,
        baseline,
        canaries,
        failures,
      }
    }),
  )
}
