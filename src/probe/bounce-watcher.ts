import { type Clock, jitter, type Random, SECOND } from '../base/clock.ts'
import { messageOf } from '../base/problem.ts'
import { mayBeReport, readBounce } from './bounce-report.ts'
import { pause } from './deadline.ts'
import type { Docket } from './docket.ts'
import type { ReportProbeEvent } from './events.ts'
import type { HistoryStore } from './history.ts'
import { ImapMailbox } from './imap-mailbox.ts'
import type { Mailbox } from './mailbox.ts'
import type { ImapAccount } from './seed.ts'
import { mintedAt } from './token.ts'

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
  readonly #stopped = new AbortController()
  #nap = new AbortController()
  #nudged = false
  #running: Promise<void> | undefined
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
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Ends the wait for news: a canary cannot be judged before this mailbox was read. */
  nudge(): void {
    this.#nudged = true
    this.#nap.abort()
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    this.#nap.abort()
    await this.#running
    await this.#mailbox.close()
  }

  async #run(): Promise<void> {
    const { bounces, random } = this.#options
    const { signal } = this.#stopped
    while (!signal.aborted) {
      this.#nudged = false
      this.#nap = new AbortController()
      try {
        await this.#look(signal)
        if (this.#nudged) await pause(NUDGED_AFTER, signal)
        else await this.#nextNews(jitter(bounces.pollEvery, 0.1, random), signal)
      } catch (error) {
        this.#fault(messageOf(error))
        await pause(Math.max(SECOND, bounces.pollEvery), signal)
      }
    }
  }

  async #nextNews(atMost: number, signal: AbortSignal): Promise<void> {
    await this.#mailbox.waitForNews(atMost, AbortSignal.any([signal, this.#nap.signal]))
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
