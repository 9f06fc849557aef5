import { type Clock, DAY, type Random, SECOND } from '../base/clock.ts'
import type { Catalogue, Probe } from './catalogue.ts'
import { pause } from './deadline.ts'
import type { ReportProbeEvent } from './events.ts'
import type { HistoryStore, Pause, Standing } from './history.ts'
import { isTurn } from './rotation.ts'
import { runSchedule, type Skip } from './schedule.ts'

export interface TimetableOptions {
  readonly history: HistoryStore
  readonly catalogue: Catalogue
  readonly report: ReportProbeEvent
  readonly clock: Clock
  readonly random: Random
  /** A probe with as many undecided canaries waits; 3 unless told. */
  readonly maxUndecided?: number
  /** Sends one canary, unless the tick is taken. */
  readonly send: (probe: Probe, slot: number) => Promise<unknown>
}

/** What a command may ask of the timetable. */
export type TimetableRequest =
  | { readonly ask: 'list' }
  | {
      readonly ask: 'pause' | 'resume'
      /** Of a probe, of a group, or `all`. */
      readonly name: string
      /** Who asks, for the record. */
      readonly by: string
    }

const MAX_UNDECIDED = 3
// Those that are compared wait for each other, but not for an origin that does not answer.
const MOST_APART = 10 * SECOND
const WITHIN_A_MINUTE = 50 * SECOND

/** The schedules of all probes, and what keeps a probe from sending at a tick. */
export class Timetable {
  readonly #options: TimetableOptions
  readonly #maxUndecided: number

  constructor(options: TimetableOptions) {
    this.#options = options
    this.#maxUndecided = options.maxUndecided ?? MAX_UNDECIDED
  }

  /** Runs until `signal` is aborted and the last canary is submitted; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { catalogue, clock, random } = this.#options
    const schedules = [...catalogue.sets()].map(([name, probes]) =>
      runSchedule({
        name,
        schedule: probes[0].schedule,
        clock,
        random,
        signal,
        run: slot => this.#tickTogether(probes, slot, signal),
        skipped: skip => {
          for (const probe of probes) this.#skipped(probe, skip)
        },
      }),
    )
    await Promise.all(schedules)
  }

  /**
   * No scheduled canaries of this probe until `resume`, on any node and after a restart too; those on their way are
   * followed to their verdict.
   *
   * @param by who wants it, for the record
   * @returns false if it was paused before
   * @throws Problem for a probe that does not exist
   */
  async pause(name: string, by: string): Promise<boolean> {
    const { history, catalogue, clock } = this.#options
    const probe = catalogue.probe(name)
    const changed = await history.pause({ probe: name, at: clock(), by })
    await this.#standingOf(probe)
    return changed
  }

  /** @returns false if it was not paused @throws Problem for a probe that does not exist */
  async resume(name: string): Promise<boolean> {
    const { history, catalogue } = this.#options
    const probe = catalogue.probe(name)
    const changed = await history.resume(name)
    await this.#standingOf(probe)
    return changed
  }

  /** What operators have paused, also probes that are configured no more. */
  pauses(): Promise<readonly Pause[]> {
    return this.#options.history.pauses()
  }

  /** All of them within the same minute, in an order that chance decides: whoever is first may be treated better. */
  async #tickTogether(probes: readonly Probe[], slot: number, signal: AbortSignal): Promise<void> {
    const apart = Math.min(MOST_APART, WITHIN_A_MINUTE / probes.length)
    const ticks: Promise<void>[] = []
    for (const probe of inRandomOrder(probes, this.#options.random)) {
      if (signal.aborted) break
      const tick = this.#tick(probe, slot)
      ticks.push(tick)
      if (ticks.length < probes.length) await settledOrAfter(tick, apart)
    }
    await Promise.allSettled(ticks)
    await Promise.all(ticks)
  }

  async #tick(probe: Probe, slot: number): Promise<void> {
    if (probe.turn && !isTurn(probe.turn, probe.schedule, slot)) return
    const { catalogue, send } = this.#options
    const { paused, undecided, sent } = await this.#standingOf(probe)
    const { dailyCap = Number.POSITIVE_INFINITY } = catalogue.parts(probe).seed
    if (paused) {
      this.#skipped(probe, { reason: 'paused', ticks: 1, detail: 'by an operator' })
    } else if (undecided >= this.#maxUndecided) {
      const detail = `${undecided} canaries have no verdict yet`
      this.#skipped(probe, { reason: 'undecided', ticks: 1, detail })
    } else if (sent >= dailyCap) {
      const detail = `${probe.seed} has had ${sent} canaries in 24 hours`
      this.#skipped(probe, { reason: 'cap', ticks: 1, detail })
    } else {
      await send(probe, slot)
    }
  }

  async #standingOf({ name, seed }: Probe): Promise<Standing> {
    const { history, clock, report } = this.#options
    const standing = await history.standing(name, seed, clock() - DAY)
    const { paused } = standing
    const undecided = standing.undecided >= this.#maxUndecided
    report({ kind: 'probe-standing', probe: name, paused, undecided })
    return standing
  }

  #skipped(probe: Probe, skip: Skip): void {
    this.#options.report({ kind: 'tick-skipped', probe: probe.name, ...skip })
  }
}

function inRandomOrder<T>(rows: readonly T[], random: Random): readonly T[] {
  const rest = [...rows]
  return rows.flatMap(() => rest.splice(Math.floor(random() * rest.length), 1))
}

/** Waits until something has ended well or badly, but not longer than that. @param atMost milliseconds */
async function settledOrAfter(work: Promise<unknown>, atMost: number): Promise<void> {
  const settled = new AbortController()
  const end = (): void => settled.abort()
  work.then(end, end)
  await pause(atMost, settled.signal)
}
