import type { Clock, Random } from '../base/clock.ts'
import { type BounceMailbox, BounceWatcher, cursorName } from './bounce-watcher.ts'
import type { Docket, ReportsToRead } from './docket.ts'
import type { ReportProbeEvent } from './events.ts'
import type { HistoryStore } from './history.ts'
import { imapMailboxOf } from './imap-mailbox.ts'
import type { Mailbox } from './mailbox.ts'
import { LeasedSeed, type SeedLeases } from './seed-lease.ts'
import { SeedWatcher } from './seed-watcher.ts'
import type { Seed } from './seed.ts'

export interface LookoutsOptions {
  readonly history: HistoryStore
  readonly docket: Docket
  /** What tokens are made with. */
  readonly key: Uint8Array
  /** What an origin calls itself in Received. */
  readonly namesOf: (origin: string) => readonly string[]
  /** Where several nodes share the history: each mailbox is looked at by one of them. */
  readonly leases?: SeedLeases
  readonly report: ReportProbeEvent
  readonly clock: Clock
  readonly random: Random
  readonly mailboxFor?: (seed: Seed) => Mailbox
}

// Between the first sign-ins of two seeds: a thousand at once look like an attack, and their handshakes time out.
const SIGN_IN_SPREAD = 50

/** Those who watch the mailboxes: one for each seed, and one for each that reports come back to. */
export class Lookouts {
  readonly #options: LookoutsOptions
  readonly #seeds = new Map<string, SeedWatcher | LeasedSeed>()
  readonly #bounces = new Map<string, BounceWatcher | LeasedSeed>()

  constructor(options: LookoutsOptions) {
    this.#options = options
  }

  start(seeds: Iterable<Seed>, bounces: Iterable<BounceMailbox>): void {
    for (const seed of seeds) this.#watchSeed(seed)
    for (const mailbox of bounces) this.#watchBounces(mailbox)
  }

  async stop(): Promise<void> {
    const watchers = [...this.#seeds.values(), ...this.#bounces.values()]
    await Promise.all(watchers.map(watcher => watcher.stop()))
    this.#seeds.clear()
    this.#bounces.clear()
  }

  isWatched(seed: string): boolean {
    return this.#seeds.has(seed)
  }

  /** Asks for a look at a seed soon: a canary is on its way to it. */
  nudge(seed: string): void {
    this.#seeds.get(seed)?.nudge()
  }

  /** @param mailbox name of the mailbox that reports come back to @returns undefined where nobody reads it */
  bouncesOf(mailbox: string | undefined): ReportsToRead | undefined {
    const watcher = mailbox === undefined ? undefined : this.#bounces.get(mailbox)
    if (mailbox === undefined || watcher === undefined) return undefined
    return { name: cursorName(mailbox), nudge: () => watcher.nudge() }
  }

  #watchSeed(seed: Seed): void {
    const { mailboxFor, clock, random } = this.#options
    const startAfter = this.#seeds.size * SIGN_IN_SPREAD
    const newWatcher = (): SeedWatcher => {
      const mailbox = mailboxFor?.(seed) ?? imapMailboxOf(seed, clock, random)
      return new SeedWatcher({ ...this.#options, seed, mailbox, startAfter })
    }
    const watcher = this.#leased(seed.name, newWatcher)
    this.#seeds.set(seed.name, watcher)
    watcher.start()
  }

  #watchBounces(bounces: BounceMailbox): void {
    const newWatcher = (): BounceWatcher => new BounceWatcher({ ...this.#options, bounces })
    const watcher = this.#leased(cursorName(bounces.name), newWatcher)
    this.#bounces.set(bounces.name, watcher)
    watcher.start()
  }

  /** Where nodes share the work, it watches while this one has the lease. */
  #leased<Watcher extends SeedWatcher | BounceWatcher>(
    seed: string,
    newWatcher: () => Watcher,
  ): Watcher | LeasedSeed {
    const { leases, report } = this.#options
    return leases === undefined
      ? newWatcher()
      : new LeasedSeed({ seed, leases, watcher: newWatcher, report })
  }
}
