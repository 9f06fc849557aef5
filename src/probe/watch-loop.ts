import { SECOND } from '../base/clock.ts'
import { messageOf } from '../base/problem.ts'
import { pause } from './deadline.ts'
import type { Mailbox } from './mailbox.ts'

export interface WatchLoopOptions {
  readonly mailbox: Mailbox
  /** Looks at the mailbox once. */
  readonly look: (signal: AbortSignal) => Promise<void>
  /** Milliseconds that news are waited for after a look, at most. */
  readonly untilNext: () => Promise<number> | number
  /** Hears what a look has thrown: a fault of ours, for a mailbox that cannot be read is no exception. */
  readonly onFault: (cause: string) => void
  /** Milliseconds between two looks; a fault is waited out for as long. */
  readonly pollEvery: number
  /** Milliseconds before the first look; a nudge ends them. */
  readonly startAfter?: number
  /** Milliseconds between a look that was nudged and the next one. */
  readonly nudgedAfter?: number
}

/** Looks at a mailbox again and again, one look after the other, and waits for its news in between. */
export class WatchLoop {
  readonly #options: WatchLoopOptions
  readonly #stopped = new AbortController()
  #running: Promise<void> | undefined
  #nap = new AbortController()
  #nudged = false

  constructor(options: WatchLoopOptions) {
    this.#options = options
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Ends the wait for news; where a look is under way another one follows. */
  nudge(): void {
    this.#nudged = true
    this.#nap.abort()
  }

  /** Ends it and closes the mailbox. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    this.#nap.abort()
    await this.#running
    await this.#options.mailbox.close()
  }

  async #run(): Promise<void> {
    const { look, untilNext, mailbox, onFault, pollEvery } = this.#options
    const { startAfter = 0, nudgedAfter = 0 } = this.#options
    const { signal } = this.#stopped
    await pause(startAfter, AbortSignal.any([signal, this.#nap.signal]))
    while (!signal.aborted) {
      this.#nudged = false
      this.#nap = new AbortController()
      try {
        await look(signal)
        if (signal.aborted) return
        if (this.#nudged) {
          await pause(nudgedAfter, signal)
        } else {
          const wait = await untilNext()
          await mailbox.waitForNews(wait, AbortSignal.any([signal, this.#nap.signal]))
        }
      } catch (error) {
        onFault(messageOf(error))
        await pause(Math.max(SECOND, pollEvery), signal)
      }
    }
  }
}
