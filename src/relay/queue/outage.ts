import { setTimeout as pause } from 'node:timers/promises'

import { StoreUnavailable } from './store.ts'

/** When a store does not work: said once an outage, not once a try, and what has to be stored is offered again until it is. */
export class Outage {
  readonly #pause: number
  readonly #report: (error: unknown) => void
  #present = false

  /**
   * @param wait milliseconds between two tries
   * @param report told what is wrong
   */
  constructor(wait: number, report: (error: unknown) => void) {
    this.#pause = wait
    this.#report = report
  }

  /** Whether the store does not work, as far as is known. */
  get present(): boolean {
    return this.#present
  }

  /** The store has worked. */
  over(): void {
    this.#present = false
  }

  /** Using the store has thrown this. */
  failed(error: unknown): void {
    if (this.#present && error instanceof StoreUnavailable) return
    this.#present ||= error instanceof StoreUnavailable
    this.#report(error)
  }

  /**
   * Tries until the store has it.
   *
   * @returns undefined if `signal` was aborted before that
   * @throws what `write` throws, unless it is a StoreUnavailable
   */
  async outlast<T>(write: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    for (;;) {
      try {
        const written = await write()
        this.over()
        return written
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error
        this.failed(error)
        if (signal.aborted) return undefined
        await pause(this.#pause, undefined, { signal }).catch(() => undefined)
      }
    }
  }
}
