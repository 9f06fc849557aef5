export interface BenchOptions {
  /** Clients at the same time. */
  readonly sessions: number
  readonly messages: number
  /** Messages that a client sends before it connects anew. */
  readonly perConnection: number
  /** Octets of a message. */
  readonly size: number
}

export interface BenchResult {
  readonly accepted: number
  /** Replies other than 250, and how often each was given. */
  readonly refused: readonly (readonly [reply: string, times: number])[]
  readonly seconds: number
  readonly acceptedPerSecond: number
  /** What the next hop has. */
  readonly delivered: number
  readonly deliveredPerSecond: number
  /** From MAIL to 250, a connection included where one was made for it. */
  readonly medianMilliseconds: number
  readonly p99Milliseconds: number
}

/** What the thread that sends is told. */
export interface LoadOrder extends BenchOptions {
  readonly port: number
  readonly certificateName: string
  readonly ca: string
  readonly login: string
  readonly password: string
  readonly from: string
}
