import { setTimeout as pause } from 'node:timers/promises'

import { HOUR, MINUTE, SECOND, type Clock, type Random } from '../../base/clock.ts'
import type { Part } from '../../base/lifecycle.ts'
import { messageOf } from '../../base/problem.ts'
import type { ReportRelayEvent } from '../events.ts'
import type { Transport } from '../transport/transport.ts'
import { Alarm } from './alarm.ts'
import { attempt } from './attempt.ts'
import { conclude, eventsOf, type Conclusion } from './conclusion.ts'
import { Outage } from './outage.ts'
import { RETRY_DEFAULTS, type RetryOptions } from './retry.ts'
import { Shaper, type ShapingOptions, type Slot } from './shaper.ts'
import type { SiteState } from './site-traffic.ts'
import type { Lease, QueueStore, Reservation } from './store.ts'

export interface QueueRunnerOptions {
  readonly store: QueueStore
  /** The transport that takes mail for this domain. */
  readonly routeOf: (domain: string) => Transport
  readonly report: ReportRelayEvent
  /** Label of the provider behind a host, or behind a domain where no host was reached (''). */
  readonly providerOf: (host: string, domain: string) => string
  /** Our own name, for the reports. */
  readonly hostname: string
  readonly clock: Clock
  readonly random: Random
  /** What is not told is as in `RETRY_DEFAULTS`. */
  readonly retry?: Partial<RetryOptions>
  /** Deliveries at the same time, in all and to one domain. */
  readonly concurrency: { readonly total: number; readonly perDomain: number }
  /** How much a provider takes; without it only the domains are told apart. */
  readonly shaping?: ShapingOptions
  /** Milliseconds; an attempt is aborted when nine tenths of it are over. Default 1 h. */
  readonly leaseDuration?: number
  /** Milliseconds that running attempts have to finish when the runner stops, before they are aborted. Default 10 s. */
  readonly stopGrace?: number
  /** Milliseconds between two tries of a store that does not work. Default 2 s. */
  readonly storePause?: number
}

// RFC 5321 section 4.5.3.2 gives one transaction 5 min for the greeting, EHLO, MAIL and each RCPT, 2 for DATA, 3 for each
// block and 10 for the final reply: half an hour and more. Leases are never renewed, so they are longer than that.
const LEASE = HOUR
const STOP_GRACE = 10 * SECOND
// An attempt that ignores its AbortSignal for this long is left behind; its lease is released at the next start.
const ABORT_GRACE = 5 * SECOND
const STORE_PAUSE = 2 * SECOND
const FAULT_PAUSE = HOUR
// A timer counts elapsed time, `dueAt` the time of day: when the clock is set, this is how long it goes unnoticed.
const LONGEST_SLEEP = MINUTE
const SHORTEST_SLEEP = 20

/**
 * Empties the queue: leases what is due, hands it to a transport, has the result decided and stored.
 *
 * A LEASED DELIVERY IS ALWAYS SETTLED OR GIVEN BACK. A result that cannot be stored is kept and offered again, for
 * forgetting it means a second copy; while the store does not work nothing new is begun.
 */
export class QueueRunner implements Part {
  readonly name = 'queue runner'
  readonly #options: QueueRunnerOptions
  readonly #retry: RetryOptions
  readonly #work = new Set<Promise<void>>()
  /** Slots that are kept for deliveries that are being put. */
  #reserved = 0
  readonly #shaper: Shaper
  readonly #stopping = new AbortController()
  readonly #aborting = new AbortController()
  #loop: Promise<void> | undefined
  readonly #alarm = new Alarm()
  readonly #outage: Outage
  readonly #storePause: number

  constructor(options: QueueRunnerOptions) {
    this.#options = options
    this.#retry = { ...RETRY_DEFAULTS, ...options.retry }
    const { clock, concurrency, report, shaping, storePause = STORE_PAUSE } = options
    this.#storePause = storePause
    this.#outage = new Outage(storePause, error => this.#fault(error))
    this.#shaper = new Shaper(concurrency.perDomain, clock, report, shaping)
  }

  async start(): Promise<void> {
    if (this.#stopping.signal.aborted) return
    this.#loop ??= this.#run()
    this.#options.store.reserveWith?.(domain => this.#reserve(domain))
  }

  /** Something may be due now: an operator said so, or a slot is free again. */
  wake(): void {
    this.#alarm.ring()
  }

  /** A message was put. Where slots are reserved for what is put, what has to wait has woken us already. */
  messagePut(): void {
    if (this.#options.store.reserveWith === undefined) this.wake()
  }

  /** Begins nothing new; what runs may finish within the grace, and then is aborted and given back. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#options.store.reserveWith?.(undefined)
    this.wake()
    await this.#loop
    await this.#drained(this.#options.stopGrace ?? STOP_GRACE)
    this.#aborting.abort()
    await this.#drained(ABORT_GRACE)
  }

  /** How mail goes to the sites of these domains, or to all. */
  sites(domains?: readonly string[]): readonly SiteState[] {
    return this.#shaper.states(domains)
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        let wait = await this.#untilNextDue()
        // A question costs less than a transaction that leases nothing.
        if (wait <= 0) {
          await this.#leaseAndBegin()
          wait = await this.#untilNextDue()
        }
        await this.#alarm.sleep(Math.max(wait, SHORTEST_SLEEP))
      } catch (error) {
        this.#outage.failed(error)
        await this.#alarm.sleep(this.#storePause)
      }
    }
  }

  /** Slots that nobody has. */
  get #room(): number {
    return this.#options.concurrency.total - this.#work.size - this.#reserved
  }

  async #leaseAndBegin(): Promise<void> {
    const { clock, concurrency, leaseDuration = LEASE, store } = this.#options
    const now = clock()
    const leases = await store.lease({
      now,
      until: now + leaseDuration,
      limit: this.#room,
      perDomain: concurrency.perDomain,
      running: this.#shaper.taken(),
    })
    this.#outage.over()
    for (const lease of leases) this.#begin(lease)
  }

  /** Keeps a slot for a delivery that is being put, if it could begin now. */
  #reserve(domain: string): Reservation | undefined {
    const { clock, leaseDuration = LEASE } = this.#options
    if (this.#outage.present || this.#room <= 0 || !this.#shaper.hasRoom(domain)) {
      this.wake()
      return undefined
    }
    const slot = this.#shaper.take(domain)
    this.#reserved++
    const at = clock()
    return {
      at,
      until: at + leaseDuration,
      begin: lease => {
        this.#reserved--
        this.#begin(lease, slot)
      },
      leave: () => {
        this.#reserved--
        slot.leave()
        this.wake()
      },
    }
  }

  /** Milliseconds, 60 s at most; none or less where something is due, and a slot is free for it. */
  async #untilNextDue(): Promise<number> {
    if (this.#room <= 0) return LONGEST_SLEEP
    const { clock, store } = this.#options
    const waiting = await store.nextDue(this.#shaper.full())
    const due = Math.min(waiting ?? Infinity, this.#shaper.nextOpening())
    return Math.min(due - clock(), LONGEST_SLEEP)
  }

  #begin(lease: Lease, slot = this.#shaper.take(lease.domain)): void {
    const work = this.#deliver(lease, slot)
      .catch((error: unknown) => {
        this.#fault(error)
        // A fault of ours after the attempt. If the result was stored the lease is over, and this does nothing.
        return this.#giveBack(lease, this.#options.clock() + FAULT_PAUSE)
      })
      .catch((error: unknown) => this.#fault(error))
      .finally(() => {
        this.#work.delete(work)
        slot.leave()
        this.wake()
      })
    this.#work.add(work)
  }

  async #deliver(lease: Lease, slot: Slot): Promise<void> {
    const { clock, store } = this.#options
    const admitted = await slot.admit()
    // The lease came while we were told to stop, or its provider takes no more.
    if (this.#stopping.signal.aborted || !admitted) return this.#giveBack(lease, clock())
    const result = await attempt(lease, {
      ...this.#options,
      // Set against our own clock's idea of the lease, so that it ends before anybody else may take the delivery.
      deadline: (lease.until - clock()) * 0.9,
      stop: this.#aborting.signal,
    })
    if (result.kind === 'untouched') {
      if (result.cause === undefined) return this.#giveBack(lease, clock())
      this.#outage.failed(result.cause)
      return this.#giveBack(lease, clock() + this.#storePause)
    }
    if (result.fault !== undefined) this.#fault(result.fault)
    slot.heard(result.outcomes)
    const concluded = await this.#persist(() =>
      conclude(lease, result.outcomes, { ...this.#options, retry: this.#retry }),
    )
    if (concluded === undefined) return
    const stored = await this.#persist(() => store.settle(lease, concluded.settlement))
    this.#tell(lease, concluded, stored === true)
  }

  #tell(lease: Lease, conclusion: Conclusion, stored: boolean): void {
    const { providerOf, report } = this.#options
    for (const event of eventsOf(lease, conclusion, stored, providerOf)) report(event)
    if (stored) return
    report({
      kind: 'relay-fault',
      part: this.name,
      cause: `the result for ${lease.message.id} was not stored; it may be delivered twice`,
    })
  }

  async #giveBack(lease: Lease, dueAt: number): Promise<void> {
    await this.#persist(() => this.#options.store.giveBack(lease, dueAt))
  }

  /** @returns undefined if we were aborted before the store had it */
  #persist<T>(write: () => Promise<T>): Promise<T | undefined> {
    return this.#outage.outlast(write, this.#aborting.signal)
  }

  #fault(error: unknown): void {
    this.#options.report({ kind: 'relay-fault', part: this.name, cause: messageOf(error) })
  }

  async #drained(atMost: number): Promise<void> {
    if (this.#work.size === 0) return
    const over = new AbortController()
    const wait = pause(atMost, undefined, { signal: over.signal }).catch(() => undefined)
    await Promise.race([Promise.all(this.#work), wait])
    over.abort()
  }
}
