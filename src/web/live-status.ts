import { Readable } from 'node:stream'

import { SECOND } from '../base/clock.ts'
import type { RangeName, Status } from './browser/status-data.ts'

// Fast enough for a person, and bounds what a busy prober and many readers cost.
const AT_MOST_EVERY = SECOND
// What no event of ours tells: time goes on, and another node judges.
const AT_LEAST_EVERY = 15 * SECOND
const MAX_READERS = 200
/** For a browser that lost the stream, milliseconds. */
const COME_AGAIN = 3 * SECOND

interface Known {
  readonly at: number
  readonly status: Promise<Status>
}

/**
 * The status of every range, asked of the history once however many look at it, and told to all of them when something
 * has changed: server-sent events (WHATWG HTML section 9.2), each of them a whole status, so that nothing is lost where
 * one is.
 */
export class LiveStatus {
  readonly #ask: (range: RangeName) => Promise<Status>
  readonly #known = new Map<RangeName, Known>()
  readonly #readers = new Map<Readable, RangeName>()
  #timer: NodeJS.Timeout | undefined
  #told = 0

  constructor(ask: (range: RangeName) => Promise<Status>) {
    this.#ask = ask
  }

  /** At most a second old, unless something has changed since. */
  status(range: RangeName): Promise<Status> {
    const now = performance.now()
    const known = this.#known.get(range)
    if (known && now - known.at < AT_MOST_EVERY) return known.status
    const status = this.#ask(range)
    this.#known.set(range, { at: now, status })
    // What failed is asked again by the next one.
    status.catch(() => this.#known.delete(range))
    return status
  }

  /** Something that the page shows is not what it was. */
  changed(): void {
    this.#known.clear()
    if (this.#readers.size > 0) this.#tellIn(this.#told + AT_MOST_EVERY - performance.now())
  }

  /** A stream of the status of one range, the first at once; undefined where too many read already. */
  read(range: RangeName): Readable | undefined {
    if (this.#readers.size >= MAX_READERS) return undefined
    const stream = new Readable({ read: () => undefined })
    stream.push(`retry: ${COME_AGAIN}\n\n`)
    stream.once('close', () => this.#forget(stream))
    this.#readers.set(stream, range)
    void this.#tell(stream, range)
    if (this.#timer === undefined) this.#tellIn(AT_LEAST_EVERY)
    return stream
  }

  #tellIn(milliseconds: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#tellAll(), Math.max(0, milliseconds))
  }

  async #tellAll(): Promise<void> {
    this.#told = performance.now()
    this.#tellIn(AT_LEAST_EVERY)
    await Promise.all([...this.#readers].map(([stream, range]) => this.#tell(stream, range)))
  }

  async #tell(stream: Readable, range: RangeName): Promise<void> {
    // Who is slow gets the next one: it has everything that this one has.
    if (stream.readableLength > stream.readableHighWaterMark) return
    const status = await this.status(range).catch(() => undefined)
    if (stream.destroyed) return
    stream.push(
      status ? `event: status\ndata: ${JSON.stringify(status)}\n\n` : 'event: away\ndata: away\n\n',
    )
  }

  #forget(stream: Readable): void {
    this.#readers.delete(stream)
    if (this.#readers.size > 0) return
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
