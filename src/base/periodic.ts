import type { Part } from './lifecycle.ts'

/** Does the same thing again and again, one run after the other, until it is stopped. */
export class Periodic implements Part {
  readonly name: string
  readonly #every: number
  readonly #run: () => Promise<unknown>
  readonly #failed: (error: unknown) => void
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> = Promise.resolve()
  #stopped = false

  /**
   * @param options.every milliseconds from the end of one run to the beginning of the next; the first begins at once
   * @param options.failed is told what a run threw; the next one comes all the same
   */
  constructor(options: {
    readonly name: string
    readonly every: number
    readonly run: () => Promise<unknown>
    readonly failed: (error: unknown) => void
  }) {
    this.name = options.name
    this.#every = options.every
    this.#run = options.run
    this.#failed = options.failed
  }

  start(): Promise<void> {
    this.#next()
    return Promise.resolve()
  }

  /** Waits for the run that is under way. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#running
  }

  #next(): void {
    this.#running = this.#run()
      .then(() => undefined, this.#failed)
      .then(() => {
        if (!this.#stopped) this.#timer = setTimeout(() => this.#next(), this.#every)
      })
  }
}
