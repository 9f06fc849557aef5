import { DAY, type Clock } from '../../base/clock.ts'
import { remember } from '../../base/remember.ts'

const KEPT = DAY
const MAX_HOSTS = 10_000

/**
 * Which hosts have spoken TLS with us of late. Opportunistic TLS gives way to anybody who can cut a connection; a
 * host that is known to speak it is not believed when it seems to have stopped, for a day. Not kept over a restart.
 */
export class TlsMemory {
  readonly #seen = new Map<string, number>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  note(host: string): void {
    remember(this.#seen, host, this.#clock(), MAX_HOSTS)
  }

  knows(host: string): boolean {
    const at = this.#seen.get(host)
    return at !== undefined && this.#clock() - at < KEPT
  }
}
