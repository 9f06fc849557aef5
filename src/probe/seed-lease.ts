import { messageOf } from '../base/problem.ts'
import { pause, within } from './deadline.ts'
import type { ReportProbeEvent } from './events.ts'

/** Who of several nodes looks at which seed. Where there is one node, there are none. */
export interface SeedLeases {
  /** How long a lease lasts that is not renewed, milliseconds. */
  readonly lasts: number
  /** Takes the lease of a seed, or renews it. @returns false if another node has it */
  take(seed: string): Promise<boolean>
  /** Gives it back, if it is ours. */
  giveBack(seed: string): Promise<void>
}

/** What looks at a seed; a `SeedWatcher`. */
interface Watch {
  start(): void
  nudge(): void
  stop(): Promise<void>
}

export interface LeasedSeedOptions {
  readonly seed: string
  readonly leases: SeedLeases
  /** Makes a watcher; each runs once. */
  readonly watcher: () => Watch
  readonly report: ReportProbeEvent
}

/** A lease is asked for as often in its life: two answers may get lost. */
const RENEWALS = 3

/**
 * Looks at one seed while this node has its lease. It stops looking when the lease runs out, whether or not the
 * database can be asked; should a process have been frozen meanwhile, two nodes look for a moment, and what both write
 * down is the same.
 */
export class LeasedSeed implements Watch {
  readonly #options: LeasedSeedOptions
  readonly #stopped = new AbortController()
  #watch: Watch | undefined
  #leaving: Promise<void> = Promise.resolve()
  #running: Promise<void> | undefined
  #end: NodeJS.Timeout | undefined

  constructor(options: LeasedSeedOptions) {
    this.#options = options
  }

  start(): void {
    this.#running ??= this.#run()
  }

  nudge(): void {
    this.#watch?.nudge()
  }

  async stop(): Promise<void> {
    this.#stopped.abort(new Error('the prober was stopped'))
    await this.#running
  }

  async #run(): Promise<void> {
    const { seed, leases, report } = this.#options
    const { signal } = this.#stopped
    const between = leases.lasts / RENEWALS
    let faulty = false
    while (!signal.aborted) {
      const asked = performance.now()
      try {
        const ours = await within(between, signal, () => leases.take(seed))
        if (ours) this.#look(leases.lasts - (performance.now() - asked))
        else await this.#leave()
        faulty = false
      } catch (error) {
        if (signal.aborted) break
        const cause = `its lease: ${messageOf(error)}`
        // Once, not every few seconds for as long as the database is away.
        if (!faulty) report({ kind: 'probe-fault', part: `seed ${seed}`, cause })
        faulty = true
      }
      await pause(Math.max(0, between - (performance.now() - asked)), signal)
    }
    await this.#leave()
    // Another node need not wait for its end; where this fails it has to.
    await within(between, new AbortController().signal, () => leases.giveBack(seed)).catch(
      () => undefined,
    )
  }

  /** @param left milliseconds that the lease lasts at least */
  #look(left: number): void {
    clearTimeout(this.#end)
    this.#end = setTimeout(() => void this.#leave(), left)
    if (this.#watch !== undefined) return
    const watch = this.#options.watcher()
    this.#watch = watch
    // The one before may still be hanging up.
    void this.#leaving.then(() => {
      if (this.#watch === watch) watch.start()
    })
  }

  #leave(): Promise<void> {
    clearTimeout(this.#end)
    const watch = this.#watch
    this.#watch = undefined
    if (watch !== undefined) {
      this.#leaving = this.#leaving
        .then(() => watch.stop())
        .catch((error: unknown) => {
          const part = `seed ${this.#options.seed}`
          this.#options.report({ kind: 'probe-fault', part, cause: messageOf(error) })
        })
    }
    return this.#leaving
  }
}
