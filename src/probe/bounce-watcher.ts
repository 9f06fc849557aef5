import { type Clock, jitter, type Random, SECOND } from '../base/clock.ts'
import { mayBeReport, readBounce } from './bounce-report.ts'
import type { Docket } from './docket.ts'
import type { ReportProbeEvent } from './events.ts'
import type { HistoryStore } from './history.ts'
import { ImapMailbox } from './imap-mailbox.ts'
import type { Mailbox } from './mailbox.ts'
import type { ImapAccount } from './seed.ts'
import { mintedAt } from './token.ts'
import { WatchLoop } from './watch-loop.ts'

/** Where reports of canaries come back to. */
export interface BounceMailbox {
  /** Word of the configuration. */
  readonly name: string
  readonly imap: ImapAccount
  /** Milliseconds between two looks; IDLE may shorten it. */
  readonly pollEvery: number
  readonly retryAfter: { readonly least: number; readonly most: number }
}

export interface BounceWatcherOptions {
  readonly bounces: BounceMailbox
  readonly history: HistoryStore
  readonly docket: Docket
  readonly key: Uint8Array
  readonly report: ReportProbeEvent
  readonly clock: Clock
  readonly random: Random
  readonly mailbox?: Mailbox
}

// Many canaries may wait for one look: it is not taken once for each of them.
const NUDGED_AFTER = SECOND / 4

/** Names of seeds have no colon: where this one was read to is kept beside theirs. */
export function cursorName(bounces: string): string {
  return `bounces:${bounces}`
}

/** Reads a bounce mailbox again and again, and tells the docket of every report that is about a canary. */
export class BounceWatcher {
  readonly #options: BounceWatcherOptions
  readonly #mailbox: Mailbox
  readonly #loop: WatchLoop
  #faulty = false

  constructor(options: BounceWatcherOptions) {
    this.#options = options
    const { bounces, clock, random } = options
    this.#mailbox =
      options.mailbox ??
      new ImapMailbox({
        account: bounces.imap,
        idle: true,
        ipv4Only: false,
        junkNames: [],
        junkFolder: '',
        retryAfter: bounces.retryAfter,
        wantsSource: mayBeReport,
        clock,
        random,
      })
    this.#loop = new WatchLoop({
      mailbox: this.#mailbox,
      look: signal => this.#look(signal),
      untilNext: () => jitter(bounces.pollEvery, 0.1, random),
      onFault: cause => this.#fault(cause),
      pollEvery: bounces.pollEvery,
      nudgedAfter: NUDGED_AFTER,
    })
  }

  start(): void {
    this.#loop.start()
  }

  /** Ends the wait for news: a canary cannot be judged before this mailbox was read. */
  nudge(): void {
    this.#loop.nudge()
  }

  stop(): Promise<void> {
    return this.#loop.stop()
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { bounces, history, docket, key, clock } = this.#options
    const name = cursorName(bounces.name)
    const beganAt = clock()
    const [oldest] = await history.undecided()
    const since = oldest === undefined ? beganAt : mintedAt(oldest.id)
    const reading = await this.#mailbox.read(await history.cursors(name), since, 'main', signal)
    for (const { source } of reading.messages) {
      const bounce = source && readBounce(source, key)
      if (!bounce) continue
      const { id, reply, host } = bounce
      await docket.reported(id, { at: clock(), reply, host })
    }
    // An account for reports alone has no folder for junk.
    const readable = reading.blindness === undefined || reading.blindness === 'no-junk-folder'
    if (readable) this.#faulty = false
    else if (!signal.aborted) this.#fault(reading.detail)
    const { detail } = reading
    const complete = readable && (reading.complete || reading.blindness !== undefined)
    if (!signal.aborted)
      await history.looked({ seed: name, beganAt, endedAt: clock(), complete, detail })
    // Last: what a crash kept from being put down is read again.
    await history.saveCursors(name, reading.cursors)
  }

  /** Once, not at every look for as long as it lasts. */
  #fault(cause: string): void {
    const { bounces, report } = this.#options
    if (!this.#faulty) report({ kind: 'probe-fault', part: `bounces ${bounces.name}`, cause })
    this.#faulty = true
  }
}
