import { type Clock, jitter, type Random } from '../base/clock.ts'
import { trustedAuthResults } from '../mail/authentication-results.ts'
import { entryHop } from '../mail/received-chain.ts'
import type { Docket } from './docket.ts'
import type { ReportProbeEvent } from './events.ts'
import type { HistoryStore } from './history.ts'
import type { FoundMessage, Mailbox, Reading } from './mailbox.ts'
import type { Canary, Look } from './model.ts'
import type { Seed } from './seed.ts'
import { fieldsOf, sightingOf, wroteReceived } from './sighting.ts'
import { findToken, mintedAt } from './token.ts'
import { WatchLoop } from './watch-loop.ts'

export interface SeedWatcherOptions {
  readonly seed: Seed
  readonly mailbox: Mailbox
  readonly history: HistoryStore
  readonly docket: Docket
  readonly key: Uint8Array
  /** What an origin calls itself in Received. */
  readonly namesOf: (origin: string) => readonly string[]
  readonly report: ReportProbeEvent
  readonly clock: Clock
  readonly random: Random
  /** Milliseconds before the first look: many seeds do not all sign in at once. A nudge ends it. */
  readonly startAfter?: number
}

/** Without a canary on its way a seed is looked at more rarely by this factor: for late ones, and to know it is up. */
const REST = 5
const JITTER = 0.1

/** Looks at one seed's mailbox again and again, one look after the other, and puts down what it sees. */
export class SeedWatcher {
  readonly #options: SeedWatcherOptions
  readonly #loop: WatchLoop
  #up: boolean | undefined
  #allAt = Number.NEGATIVE_INFINITY

  constructor(options: SeedWatcherOptions) {
    this.#options = options
    const { seed, mailbox, report, clock, startAfter = 0 } = options
    this.#loop = new WatchLoop({
      mailbox,
      look: signal => this.#look(signal),
      untilNext: () => this.#untilNext(clock()),
      onFault: cause => report({ kind: 'probe-fault', part: `seed ${seed.name}`, cause }),
      pollEvery: seed.pollEvery,
      startAfter,
    })
  }

  start(): void {
    this.#loop.start()
  }

  /** Ends the wait for news: there is something to wait for. */
  nudge(): void {
    this.#loop.nudge()
  }

  stop(): Promise<void> {
    return this.#loop.stop()
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { seed, mailbox, history, docket, clock } = this.#options
    const beganAt = clock()
    const pending = await this.#pending()
    // Loss is decided by a look that began after the deadline, and that one leaves nothing out.
    const overdue = pending.some(canary => canary.deadlineAt < beganAt)
    const scope = overdue || beganAt - this.#allAt >= seed.othersEvery ? 'all' : 'main'
    const since = Math.min(beganAt, ...pending.map(canary => mintedAt(canary.id)))
    const cursors = await history.cursors(seed.name)
    const reading = await mailbox.read(cursors, since, scope, signal)
    const endedAt = clock()
    const { complete, detail, blindness } = reading
    if (complete && scope === 'all') this.#allAt = beganAt
    const look: Look = {
      seed: seed.name,
      beganAt,
      endedAt,
      complete,
      detail,
      ...(blindness === undefined ? {} : { blindness }),
    }
    for (const message of reading.messages) await this.#see(message, endedAt)
    if (!signal.aborted) {
      this.#reportState(reading)
      for (const canary of await this.#pending()) await docket.review(canary, look)
      await history.looked(look)
    }
    // Last: what a crash kept from being put down is read again.
    await history.saveCursors(seed.name, reading.cursors)
  }

  async #see(message: FoundMessage, seenAt: number): Promise<void> {
    const { seed, history, docket, key, report } = this.#options
    const fields = fieldsOf(message)
    const found = findToken(fields, key)
    if (found.kind === 'none') return
    if (found.kind === 'forged') {
      report({ kind: 'forged-canary', seed: seed.name, provider: seed.provider.name })
      return
    }
    const record = await history.find(found.id)
    // A canary that somebody forwarded to another seed has not arrived there.
    if (record?.canary.seed !== seed.name) return
    const sentAt = mintedAt(found.id)
    const names = this.#options.namesOf(record.canary.origin)
    const isOurs = (received: string): boolean => wroteReceived(received, record.canary, names)
    const auth = trustedAuthResults(fields, seed.provider, isOurs)
    const hop = entryHop(fields, seed.provider.mxSuffixes, isOurs)
    const wrote = { auth, ...(hop && { tls: hop.tls }) }
    const sighting = sightingOf(message, fields, sentAt, seenAt, wrote)
    await history.sighted(found.id, sighting)
    if (record.verdict?.kind === 'missing') {
      await docket.arrivedLate(record.canary, sighting.arrivedAt)
    }
  }

  #pending(): Promise<readonly Canary[]> {
    return this.#options.history.undecided(this.#options.seed.name)
  }

  /** Milliseconds to the next look: a poll, or the first deadline before it. */
  async #untilNext(now: number): Promise<number> {
    const { seed, random } = this.#options
    const pending = await this.#pending()
    const rest = pending.length === 0 ? REST : 1
    const poll = jitter(seed.pollEvery * rest, JITTER, random)
    const deadlines = pending.map(canary => canary.deadlineAt - now).filter(left => left >= 0)
    // One millisecond more: the look has to begin after the deadline.
    return Math.min(poll, ...deadlines.map(left => left + 1))
  }

  #reportState(reading: Reading): void {
    const up = reading.blindness === undefined
    if (up === this.#up) return
    this.#up = up
    const { seed, report } = this.#options
    report({
      kind: up ? 'seed-up' : 'seed-down',
      seed: seed.name,
      provider: seed.provider.name,
      detail: reading.detail,
    })
  }
}
