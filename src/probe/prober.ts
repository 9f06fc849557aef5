import { type Clock, type Random, SECOND } from '../base/clock.ts'
import { newId } from '../base/id.ts'
import type { Part } from '../base/lifecycle.ts'
import { Problem } from '../base/problem.ts'
import type { BounceMailbox } from './bounce-watcher.ts'
import { canaryMessage } from './canary-message.ts'
import { Catalogue, type Probe } from './catalogue.ts'
import type { Content } from './content.ts'
import { Docket } from './docket.ts'
import { verdictElsewhere } from './elsewhere.ts'
import type { ReportProbeEvent } from './events.ts'
import type { ProbeStage } from './followers.ts'
import type { CanaryRecord, HistoryStore } from './history.ts'
import { Lookouts } from './lookouts.ts'
import type { Mailbox } from './mailbox.ts'
import type { Canary } from './model.ts'
import { type Origin, reversePathOf } from './origin.ts'
import { reviewOrphans } from './orphans.ts'
import type { SeedLeases } from './seed-lease.ts'
import type { Seed } from './seed.ts'
import { submit as submitBySmtp, type Submit } from './sender.ts'
import { Timetable } from './timetable.ts'
import { mintToken } from './token.ts'
import type { MessageTrace } from './trace.ts'

export interface ProberOptions {
  readonly history: HistoryStore
  readonly origins: readonly Origin[]
  readonly seeds: readonly Seed[]
  readonly probes: readonly Probe[]
  /** Where reports come back to. */
  readonly bounces?: readonly BounceMailbox[]
  /** Beside those that are shipped. */
  readonly contents?: readonly Content[]
  /** Where several nodes share the history: each seed is looked at by one of them. */
  readonly leases?: SeedLeases
  /** Whoever has it can forge canaries; the same for all nodes that share a history. */
  readonly tokenKey: Uint8Array
  readonly report: ReportProbeEvent
  readonly clock: Clock
  readonly random: Random
  /** False where only `runOnce` is wanted. */
  readonly scheduled?: boolean
  /** What an origin of ours can tell of a message; undefined for others. */
  readonly traceOf?: (origin: string) => MessageTrace | undefined
  readonly mailboxFor?: (seed: Seed) => Mailbox
  readonly submit?: Submit
  /** A probe with as many undecided canaries waits; 3 unless told. */
  readonly maxUndecided?: number
  /** How long a submission may go on after `stop`, milliseconds; 5 s unless told. */
  readonly stopWithin?: number
}

// Giving a submission up leaves a canary of which nothing is known.
const STOP_WITHIN = 5 * SECOND

/** Sends canaries, watches the seeds, and judges. One instance a process; any number over one history. */
export class Prober implements Part {
  readonly name = 'prober'
  readonly #options: ProberOptions
  /** When each probe sends, and whether it may. */
  readonly timetable: Timetable
  readonly #docket: Docket
  readonly #catalogue: Catalogue
  readonly #lookouts: Lookouts
  /** No new canaries. */
  readonly #ended = new AbortController()
  /** No submissions any more either. */
  readonly #gaveUp = new AbortController()
  readonly #running = new Set<Promise<unknown>>()

  /** @throws Problem if a probe names an origin, a seed or a content that does not exist */
  constructor(options: ProberOptions) {
    this.#options = options
    const { history, report, clock } = options
    const { signal } = this.#gaveUp
    this.#docket = new Docket({
      history,
      report,
      clock,
      signal,
      traceOf: options.traceOf ?? noTrace,
      bouncesOf: origin => this.#lookouts.bouncesOf(this.#catalogue.bouncesOf(origin)),
    })
    this.#catalogue = new Catalogue(
      options.origins,
      options.seeds,
      options.probes,
      options.contents,
    )
    this.#lookouts = new Lookouts({
      ...options,
      docket: this.#docket,
      key: options.tokenKey,
      namesOf: origin => this.#catalogue.namesOf(origin),
    })
    this.timetable = new Timetable({
      ...options,
      catalogue: this.#catalogue,
      send: (probe, slot) => this.#send(probe, this.#newCanary(probe, slot)),
    })
  }

  /** Takes up undecided canaries again and begins the schedules. */
  async start(): Promise<void> {
    this.#lookouts.start(this.#catalogue.seeds.values(), this.#options.bounces ?? [])
    const isWatched = (seed: string): boolean => this.#lookouts.isWatched(seed)
    void this.#track(
      reviewOrphans({
        ...this.#options,
        docket: this.#docket,
        isWatched,
        signal: this.#ended.signal,
      }),
    )
    if (this.#options.scheduled !== false) void this.#track(this.timetable.run(this.#ended.signal))
  }

  async stop(): Promise<void> {
    this.#ended.abort(new Error('the prober was stopped'))
    const stopWithin = this.#options.stopWithin ?? STOP_WITHIN
    const timer = setTimeout(() => this.#gaveUp.abort(this.#ended.signal.reason), stopWithin)
    await Promise.allSettled(this.#running)
    clearTimeout(timer)
    this.#gaveUp.abort(this.#ended.signal.reason)
    await this.#lookouts.stop()
  }

  /**
   * Sends one canary now, beside the schedule, and follows it to its verdict. The prober must have been started.
   *
   * @throws Problem for a probe that does not exist, or that sends in this very moment; the reason of `signal`, or an error if the prober is stopped
   */
  async runOnce(
    probeName: string,
    options: {
      readonly onStage?: (stage: ProbeStage) => void
      readonly signal?: AbortSignal
    } = {},
  ): Promise<CanaryRecord> {
    const { history, leases } = this.#options
    const probe = this.#catalogue.probe(probeName)
    const canary = this.#newCanary(probe, this.#options.clock())
    const signal = AbortSignal.any([
      this.#ended.signal,
      ...(options.signal ? [options.signal] : []),
    ])
    const done = new AbortController()
    let unfollow: () => void = () => undefined
    let fail: () => void = () => undefined
    try {
      const record = new Promise<CanaryRecord>((resolve, reject) => {
        fail = (): void => reject(signal.reason as Error)
        signal.addEventListener('abort', fail, { once: true })
        const follow = (stage: ProbeStage): void => {
          if (done.signal.aborted) return
          if (stage.kind === 'verdict') done.abort()
          options.onStage?.(stage)
          if (stage.kind === 'verdict') resolve(stage.record)
        }
        unfollow = this.#docket.follow(canary.id, follow)
        if (leases !== undefined)
          void this.#track(verdictElsewhere(history, canary.id, done.signal, follow))
      })
      record.catch(() => undefined)
      signal.throwIfAborted()
      const begun = await Promise.race([this.#track(this.#send(probe, canary)), record])
      if (begun === false) throw new Problem(`a canary of "${probeName}" is just being sent`)
      return await record
    } finally {
      done.abort()
      unfollow()
      signal.removeEventListener('abort', fail)
    }
  }

  #newCanary(probe: Probe, scheduledAt: number): Canary {
    const now = this.#options.clock()
    const id = newId(() => now)
    const { origin, seed, content } = probe
    return {
      id,
      probe: probe.name,
      origin,
      seed,
      content,
      scheduledAt,
      provider: this.#catalogue.parts(probe).seed.provider.name,
      token: mintToken(id, this.#options.tokenKey),
      submittedAt: 0,
      deadlineAt: now + probe.deadline,
      queueId: '',
    }
  }

  /** @returns false if this tick was taken already, and nothing was sent */
  async #send(probe: Probe, canary: Canary): Promise<boolean> {
    const { clock, random } = this.#options
    const { origin, seed, content } = this.#catalogue.parts(probe)
    if (!(await this.#docket.begin(canary))) return false
    try {
      const message = await canaryMessage({
        from: origin.from,
        fromName: origin.fromName ?? '',
        to: seed.address,
        token: canary.token,
        content,
        at: clock(),
        random,
      })
      const submit = this.#options.submit ?? submitBySmtp
      const signal = this.#gaveUp.signal
      const reversePath = reversePathOf(origin, canary.token)
      const submission = await submit({
        origin,
        ...(reversePath !== undefined && { reversePath }),
        to: seed.address,
        message,
        signal,
        clock,
      })
      await this.#docket.answered(canary, submission)
      this.#lookouts.nudge(seed.name)
    } catch (error) {
      this.#docket.abandon(canary)
      if (!this.#gaveUp.signal.aborted) throw error
    }
    return true
  }

  /** Has `stop` wait for it. */
  #track<T>(work: Promise<T>): Promise<T> {
    const tracked = work.finally(() => this.#running.delete(tracked))
    this.#running.add(tracked)
    return tracked
  }
}

function noTrace(): undefined {
  return undefined
}
