import { MINUTE } from '../../base/clock.ts'
import type { Part } from '../../base/lifecycle.ts'
import { Periodic } from '../../base/periodic.ts'
import type { TokenKeeper } from './token-keeper.ts'

const EVERY = MINUTE

/**
 * Has every token refreshed in time, also while no sign-in needs one: a mailbox stays signed in for weeks, and a refresh
 * token that nobody uses dies.
 */
export class TokenRefresher implements Part {
  readonly name = 'token refresher'
  readonly #keepers: readonly TokenKeeper[]
  readonly #periodic: Periodic

  constructor(keepers: readonly TokenKeeper[], every = EVERY) {
    this.#keepers = keepers
    this.#periodic = new Periodic({
      name: this.name,
      every,
      run: () => this.#checkAll(),
      failed: () => undefined,
    })
  }

  start(): Promise<void> {
    return this.#periodic.start()
  }

  async stop(): Promise<void> {
    for (const keeper of this.#keepers) keeper.stop()
    await this.#periodic.stop()
  }

  /** One after the other: a provider that is asked for a thousand tokens at once refuses. */
  async #checkAll(): Promise<void> {
    for (const keeper of this.#keepers) await keeper.check()
  }
}
