import { SECOND } from '../base/clock.ts'
import { messageOf } from '../base/problem.ts'
import { pause } from './deadline.ts'
import { Followers, type ProbeStage } from './followers.ts'
import type { BounceReport, HistoryStore } from './history.ts'
import { type Canary, labelOf, type Look, type Verdict } from './model.ts'
import { withoutAddresses } from './redact.ts'
import type { Submission } from './sender.ts'
import { mintedAt } from './token.ts'
import { Tracer, type TracerOptions, UNASKED } from './tracer.ts'
import { detailOf } from './verdict-detail.ts'
import { firstSighting, isLate, judge, stageOf } from './verdict.ts'

/** A mailbox that reports come back to. */
export interface ReportsToRead {
  /** Under this its looks are kept beside those of the seeds. */
  readonly name: string
  /** Asks for a look at it soon. */
  readonly nudge: () => void
}

export interface DocketOptions extends TracerOptions {
  readonly history: HistoryStore
  /** Where reports of an origin come back to; undefined for an origin whose reports are not read. */
  readonly bouncesOf: (origin: string) => ReportsToRead | undefined
  /** Ends what is tried again and again while the history is away. */
  readonly signal: AbortSignal
}

/** The undecided canaries: collects what is known of each, has it judged, writes the verdict down and reports it. */
export class Docket {
  readonly #options: DocketOptions
  /** Canaries whose submission is going on here and now. */
  readonly #open = new Set<string>()
  /** Canaries of which the history may have a verdict that nobody was told of. */
  readonly #unsure = new Set<string>()
  readonly #tracer: Tracer
  readonly #followers: Followers

  constructor(options: DocketOptions) {
    this.#options = options
    this.#tracer = new Tracer(options)
    this.#followers = new Followers(options.report)
  }

  /** Has every stage of one canary told, until its verdict. @returns a function that ends it */
  follow(id: string, onStage: (stage: ProbeStage) => void): () => void {
    return this.#followers.add(id, onStage)
  }

  /** @returns false if another node has taken this tick: then nothing must be sent */
  async begin(canary: Canary): Promise<boolean> {
    this.#open.add(canary.id)
    try {
      const ours = await this.#options.history.begin(canary)
      if (ours) this.#followers.tell(canary.id, { kind: 'begun', canary })
      else this.#open.delete(canary.id)
      return ours
    } catch (error) {
      this.#open.delete(canary.id)
      throw error
    }
  }

  /** The submission was given up without an answer: what became of the message is not known. */
  abandon(canary: Canary): void {
    this.#open.delete(canary.id)
  }

  /** The origin has answered. */
  async answered(canary: Canary, submission: Submission): Promise<void> {
    const { history, report } = this.#options
    try {
      if (submission.kind === 'rejected') {
        await this.#insist(canary, () => this.#settle(canary, { submission }))
        return
      }
      const { at, queueId } = submission
      await this.#insist(canary, () => history.submitted(canary.id, at, queueId))
      const { id, origin, provider, seed } = canary
      report({ kind: 'canary-submitted', id, origin, provider, seed, queueId })
      this.#followers.tell(id, { kind: 'submitted', at, queueId })
    } finally {
      this.#open.delete(canary.id)
    }
  }

  /** Judges a canary by a look at its mailbox; undefined where nobody looks at that mailbox any more. */
  async review(canary: Canary, look: Look | undefined): Promise<void> {
    if (look) this.#followers.tell(canary.id, { kind: 'look', look })
    await this.#settle(canary, {
      submission: this.#submissionOf(canary),
      ...(look === undefined ? {} : { look }),
    })
  }

  async #settle(
    canary: Canary,
    known: {
      readonly submission: Submission | { readonly kind: 'open' } | { readonly kind: 'lost' }
      readonly look?: Look
    },
  ): Promise<void> {
    const { history, clock } = this.#options
    const record = await history.find(canary.id)
    if (!record) return
    if (record.verdict) {
      if (this.#unsure.delete(canary.id))
        await this.#decided(record.canary, record.verdict, { ...known, fate: undefined })
      return
    }
    const { submission, look } = known
    // With a report there is nothing to ask: many may come at once.
    const { fate, away } = record.report ? UNASKED : await this.#tracer.trace(record.canary)
    if (fate) this.#followers.tell(canary.id, { kind: 'fate', fate })
    const begunAt = mintedAt(canary.id)
    const verdict = judge({
      canary: record.canary,
      begunAt,
      submission,
      sightings: record.sightings,
      lookedAfterDeadline: look?.complete === true && look.beganAt > canary.deadlineAt,
      blindness: look?.blindness ?? (look && !look.complete ? 'unreadable' : undefined),
      fate,
      traceAway: away,
      reportsAway: await this.#reportsAway(record.canary),
      report: record.report?.reply,
      // A look that took long must not call blind what the next one will see.
      now: look?.beganAt ?? clock(),
      // A blind seed is waited for as long again as a canary is.
      grace: canary.deadlineAt - begunAt,
    })
    if (!verdict) return
    let ours: boolean
    try {
      ours = await history.decide(canary.id, verdict, clock())
    } catch (error) {
      // It may have written the verdict down all the same: then whoever finds it there tells it. Not before: another look
      // at the same time must not tell what this one is about to.
      this.#unsure.add(canary.id)
      throw error
    }
    if (!ours) return
    this.#unsure.delete(canary.id)
    await this.#decided(record.canary, verdict, { submission, fate })
  }

  /** Tells everybody, once. */
  async #decided(
    canary: Canary,
    verdict: Verdict,
    known: Parameters<typeof stageOf>[0],
  ): Promise<void> {
    this.#report(canary, verdict, stageOf(known))
    const record = await this.#options.history.find(canary.id)
    if (record) {
      const late = firstSighting(record.sightings.filter(sighting => isLate(sighting, canary)))
      if (verdict.kind === 'missing' && late) await this.arrivedLate(canary, late.arrivedAt)
      this.#followers.tell(canary.id, { kind: 'verdict', record })
    }
    this.#followers.end(canary.id)
  }

  /** What the origin has said is known here alone: while the history cannot be written, it is tried again. */
  async #insist(canary: Canary, write: () => Promise<void>): Promise<void> {
    const { clock, report, signal } = this.#options
    for (;;) {
      try {
        await write()
        return
      } catch (error) {
        // By then it is judged as one of which nothing is known.
        if (signal.aborted || clock() > 2 * canary.deadlineAt - mintedAt(canary.id)) throw error
        report({ kind: 'probe-fault', part: 'history', cause: messageOf(error) })
        await pause(SECOND, signal)
      }
    }
  }

  /** A report came back for a canary: kept, and judged at once. */
  async reported(id: string, report: BounceReport): Promise<void> {
    const { history } = this.#options
    if (!(await history.reported(id, report))) return
    const record = await history.find(id)
    if (record) await this.#settle(record.canary, { submission: this.#submissionOf(record.canary) })
  }

  /** Seen after it was decided missing: counted once, and nothing else changes. */
  async arrivedLate(canary: Canary, arrivedAt: number): Promise<void> {
    if (!(await this.#options.history.late(canary.id, arrivedAt))) return
    const { id, origin, provider, seed } = canary
    const seconds = Math.max(0, (arrivedAt - canary.submittedAt) / SECOND)
    this.#options.report({ kind: 'canary-late', id, origin, provider, seed, seconds })
  }

  #submissionOf(
    canary: Canary,
  ): Submission | { readonly kind: 'open' } | { readonly kind: 'lost' } {
    if (this.#open.has(canary.id)) return { kind: 'open' }
    if (canary.submittedAt === 0) return { kind: 'lost' }
    return { kind: 'submitted', at: canary.submittedAt, queueId: canary.queueId }
  }

  /** Whether a report of the canary may lie where nobody has looked since its deadline. */
  async #reportsAway({ origin, deadlineAt }: Canary): Promise<boolean> {
    const { history, bouncesOf, clock } = this.#options
    const bounces = bouncesOf(origin)
    if (bounces === undefined || clock() <= deadlineAt) return false
    const look = await history.lastLook(bounces.name)
    if (look?.complete === true && look.beganAt > deadlineAt) return false
    bounces.nudge()
    return true
  }

  #report(canary: Canary, verdict: Verdict, stage: ReturnType<typeof stageOf>): void {
    this.#options.report({
      kind: 'verdict',
      id: canary.id,
      origin: canary.origin,
      provider: canary.provider,
      seed: canary.seed,
      verdict: labelOf(verdict),
      stage: 'stage' in verdict ? verdict.stage : stage,
      seconds: verdict.kind === 'arrived' ? verdict.seconds : undefined,
      auth: verdict.kind === 'arrived' ? verdict.auth : undefined,
      detail: withoutAddresses(detailOf(verdict)),
    })
  }
}
