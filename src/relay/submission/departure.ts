// The default reason is an error with a stack.
const GONE = 'the client has gone'

/** The end of a session, for whoever waits for it. */
export class Departure {
  #happened = false
  #controller: AbortController | undefined

  get happened(): boolean {
    return this.#happened
  }

  /** Made when it is asked for: most sessions never are, and it costs as much as a command. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#happened) this.#controller.abort(GONE)
    return this.#controller.signal
  }

  happen(): void {
    this.#happened = true
    this.#controller?.abort(GONE)
  }
}
