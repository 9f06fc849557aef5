import type { Clock } from '../../base/clock.ts'
import type { SubmissionLimits } from './limits.ts'

/**
 * The patience for one client. Time counts only while it is the client's turn; a timer that any octet resets would
 * let one octet a minute hold a connection for ever, so a command has to be whole in time and a message has to come
 * at a minimum rate.
 */
export class Deadlines {
  readonly #limits: SubmissionLimits
  readonly #clock: Clock
  readonly #expire: () => void
  /** When patience ends, in milliseconds of `performance.now`; `Infinity` while it is our turn. */
  #until = Infinity
  /** Not set anew for each command: where it goes off before that time, it is set for the rest. */
  #timer: NodeJS.Timeout | undefined
  #goesOffAt = 0
  #loginTimer: NodeJS.Timeout | undefined
  #stopped = false
  #data: { octets: number; waited: number; since: number } | undefined

  /** @param expire the client was too slow; called once */
  constructor(limits: SubmissionLimits, clock: Clock, expire: () => void) {
    this.#limits = limits
    this.#clock = clock
    this.#expire = expire
  }

  /** From here on a login has to come in time. */
  awaitLogin(): void {
    this.#loginTimer = setTimeout(() => this.#judge(), this.#limits.timeBeforeLogin).unref()
  }

  loggedIn(): void {
    clearTimeout(this.#loginTimer)
  }

  awaitCommand(): void {
    this.#data = undefined
    this.#arm(this.#limits.commandTime)
  }

  awaitHandshake(): void {
    this.#arm(this.#limits.handshakeTime)
  }

  /** Content is due; `received` tells what comes. */
  awaitData(): void {
    this.#data ??= { octets: 0, waited: 0, since: 0 }
    this.#data.since = this.#clock()
    this.#arm(Math.max(1, this.#limits.rateWindow - this.#data.waited))
  }

  received(octets: number): void {
    if (this.#data) this.#data.octets += octets
  }

  /** It is our turn: nothing counts. */
  busy(): void {
    this.#until = Infinity
    if (this.#data) this.#data.waited += this.#clock() - this.#data.since
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    clearTimeout(this.#loginTimer)
  }

  #arm(time: number): void {
    if (this.#stopped) return
    const now = performance.now()
    this.#until = now + time
    if (this.#timer === undefined || this.#goesOffAt > this.#until) this.#setTimer(now)
  }

  #setTimer(now: number): void {
    clearTimeout(this.#timer)
    this.#goesOffAt = this.#until
    this.#timer = setTimeout(() => this.#goOff(), this.#until - now).unref()
  }

  #goOff(): void {
    this.#timer = undefined
    if (this.#until === Infinity) return
    const now = performance.now()
    // A timer may be a part of a millisecond early.
    if (this.#until - now >= 1) this.#setTimer(now)
    else this.#judge()
  }

  #judge(): void {
    if (this.#stopped) return
    const data = this.#data
    const enough = (this.#limits.minimumRate * this.#limits.rateWindow) / 1_000
    if (data !== undefined && data.octets >= enough) {
      data.octets = 0
      data.waited = 0
      this.awaitData()
      return
    }
    this.stop()
    this.#expire()
  }
}
