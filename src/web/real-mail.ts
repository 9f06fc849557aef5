import { DAY, HOUR, type Clock } from '../base/clock.ts'
import type { RelayEvent } from '../relay/events.ts'

/** What became of real mail at one provider in some hours. */
export interface MailTally {
  readonly provider: string
  readonly delivered: number
  readonly bounced: number
  readonly deferrals: number
  readonly reasons: Readonly<Record<string, number>>
}

interface Hour {
  readonly from: number
  readonly providers: Map<string, Counts>
}

interface Counts {
  delivered: number
  bounced: number
  deferrals: number
  readonly reasons: Map<string, number>
}

// As far back as the page can look.
const KEPT = 30 * DAY

/**
 * Hourly counts of the relay's own deliveries, to be shown beside the canaries: a seed account that gets all its mail
 * proves little while people's mail is put off. In memory: a restart begins anew, and the page says since when.
 */
export class RealMailTally {
  readonly #clock: Clock
  /** When counting began, milliseconds since the epoch. */
  readonly since: number
  readonly #providers: ReadonlySet<string>
  readonly #hours: Hour[] = []

  /** @param providers labels that are kept apart; all others are `other`, so that memory stays bounded */
  constructor(options: { readonly clock: Clock; readonly providers: readonly string[] }) {
    this.#clock = options.clock
    this.#providers = new Set(options.providers)
    this.since = options.clock()
  }

  record(event: RelayEvent): void {
    if (event.kind === 'settled') {
      if (event.final === 'removed') return
      this.#counts(event.provider)[event.final] += 1
    } else if (event.kind === 'attempt' && event.outcome !== 'delivered') {
      const counts = this.#counts(event.provider)
      if (event.outcome === 'deferred') counts.deferrals += event.recipients
      counts.reasons.set(event.class, (counts.reasons.get(event.class) ?? 0) + event.recipients)
    }
  }

  /** Sums of the hours that began at or after `since`, and of the one it falls into. */
  read(since: number): readonly MailTally[] {
    const sums = new Map<string, Counts>()
    for (const hour of this.#hours) {
      if (hour.from + HOUR <= since) continue
      for (const [provider, counts] of hour.providers) add(entry(sums, provider), counts)
    }
    return [...sums].map(([provider, { delivered, bounced, deferrals, reasons }]) => ({
      provider,
      delivered,
      bounced,
      deferrals,
      reasons: Object.fromEntries(reasons),
    }))
  }

  #counts(provider: string): Counts {
    const now = this.#clock()
    const from = now - (now % HOUR)
    let hour = this.#hours.at(-1)
    // A clock that was set back adds to the hour it left.
    if (!hour || hour.from < from) {
      hour = { from, providers: new Map() }
      this.#hours.push(hour)
      while ((this.#hours[0]?.from ?? now) + HOUR < now - KEPT) this.#hours.shift()
    }
    return entry(hour.providers, this.#providers.has(provider) ? provider : 'other')
  }
}

function entry(counts: Map<string, Counts>, provider: string): Counts {
  let found = counts.get(provider)
  if (!found) {
    found = { delivered: 0, bounced: 0, deferrals: 0, reasons: new Map() }
    counts.set(provider, found)
  }
  return found
}

function add(sum: Counts, counts: Counts): void {
  sum.delivered += counts.delivered
  sum.bounced += counts.bounced
  sum.deferrals += counts.deferrals
  for (const [reason, count] of counts.reasons) {
    sum.reasons.set(reason, (sum.reasons.get(reason) ?? 0) + count)
  }
}
