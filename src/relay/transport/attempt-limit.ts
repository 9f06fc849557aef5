import { faultOf, SmtpFault } from './smtp-fault.ts'

/**
 * The time that one attempt may take, over all hosts and phases, and the caller's signal to stop: one signal for the
 * sockets. Must be closed.
 */
export class AttemptLimit {
  readonly #controller = new AbortController()
  readonly #end: number
  readonly #time: number
  readonly #outer: AbortSignal
  #timer: NodeJS.Timeout | undefined
  readonly #stop = (): void =>
    this.#controller.abort(new SmtpFault('stopped', 'the relay was told to stop'))

  /** @param time milliseconds */
  constructor(time: number, outer: AbortSignal) {
    this.#time = time
    // Not the clock of the day: it jumps.
    this.#end = performance.now() + time
    this.#outer = outer
    this.resume()
    if (outer.aborted) this.#stop()
    else outer.addEventListener('abort', this.#stop, { once: true })
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Why the attempt is over, or undefined. */
  get fault(): SmtpFault | undefined {
    return this.signal.aborted ? faultOf(this.signal.reason, 'stopped') : undefined
  }

  /**
   * From here on only the caller can end it: after the final dot the answer is worth its own ten minutes, since to
   * give up makes a duplicate (RFC 5321 section 4.5.3.2.6).
   */
  readonly suspend = (): void => clearTimeout(this.#timer)

  /** The time counts again, also the time in between. */
  resume(): void {
    clearTimeout(this.#timer)
    const words = `the attempt took longer than ${this.#time / 1_000} s`
    this.#timer = setTimeout(
      () => this.#controller.abort(new SmtpFault('budget', words)),
      Math.max(0, this.#end - performance.now()),
    )
  }

  /** Waits for what knows no signal, such as the DNS. @throws SmtpFault when the attempt is over before it */
  async within<T>(work: Promise<T>): Promise<T> {
    const { signal } = this
    let over: (() => void) | undefined
    try {
      return await Promise.race([
        work,
        new Promise<never>((_, reject) => {
          over = () => reject(faultOf(signal.reason, 'stopped'))
          if (signal.aborted) over()
          else signal.addEventListener('abort', over, { once: true })
        }),
      ])
    } finally {
      if (over) signal.removeEventListener('abort', over)
    }
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#outer.removeEventListener('abort', this.#stop)
  }
}
