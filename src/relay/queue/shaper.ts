import { MINUTE, type Clock } from '../../base/clock.ts'
import { remember } from '../../base/remember.ts'
import type { Outcome } from '../../mail/outcome.ts'
import type { Shaping } from '../../mail/provider.ts'
import type { Reply } from '../../mail/reply.ts'
import type { ReportRelayEvent } from '../events.ts'
import { BACK_OFF_DEFAULTS, type BackOffOptions } from './pace.ts'
import { SiteTraffic, type Site, type SiteState } from './site-traffic.ts'

/** What is known of the world behind the domains. */
export interface ShapingOptions {
  /** Never rejects. */
  readonly siteOf: (domain: string) => Promise<Site>
  readonly limitsOf: (provider: string) => Shaping
  /** For how many milliseconds we had better be silent after this reply; undefined: not at all. */
  readonly pauseOf: (reply: Reply, provider: string) => number | undefined
  readonly backOff?: Partial<BackOffOptions>
}

/** One delivery that was leased. */
export interface Slot {
  /** @returns false if its site takes no more at this moment */
  admit(): Promise<boolean>
  /** What the attempt came to. */
  heard(outcomes: readonly Outcome[]): void
  leave(): void
}

// MX records change, but not from one message to the next.
const SITE_KNOWN = 10 * MINUTE
const MOST_DOMAINS = 10_000
const MOST_SITES = 10_000

/**
 * Counts what is under way to each domain and each site, so that the next lease takes only what may go now. Lives in
 * memory: after a restart a provider that still objects says so at once.
 */
export class Shaper {
  readonly #perDomain: number
  readonly #clock: Clock
  readonly #report: ReportRelayEvent
  readonly #options: ShapingOptions | undefined
  readonly #backOff: BackOffOptions
  readonly #running = new Map<string, number>()
  /** Those of them that no site has been asked about yet. */
  readonly #entering = new Map<string, number>()
  readonly #sites = new Map<string, SiteTraffic>()
  readonly #siteOf = new Map<string, { readonly site: Site; readonly until: number }>()

  /**
   * @param perDomain deliveries at the same time to one domain
   * @param options without them only domains are counted
   */
  constructor(
    perDomain: number,
    clock: Clock,
    report: ReportRelayEvent,
    options: ShapingOptions | undefined,
  ) {
    this.#perDomain = perDomain
    this.#clock = clock
    this.#report = report
    this.#options = options
    this.#backOff = { ...BACK_OFF_DEFAULTS, ...options?.backOff }
  }

  /** How many of the slots of each domain are taken, or closed since its site takes no more. */
  taken(): ReadonlyMap<string, number> {
    const now = this.#clock()
    const taken = new Map(this.#running)
    for (const [domain, { site }] of this.#siteOf) {
      const room = this.#sites.get(site.name)?.room(now) ?? Infinity
      const closed = this.#perDomain - room
      if (closed > (taken.get(domain) ?? 0)) taken.set(domain, closed)
    }
    return taken
  }

  /** Whether one more may be taken for a domain. */
  hasRoom(domain: string): boolean {
    if ((this.#running.get(domain) ?? 0) >= this.#perDomain) return false
    const known = this.#siteOf.get(domain)
    const traffic = known && this.#sites.get(known.site.name)
    return traffic === undefined || traffic.room(this.#clock()) > (this.#entering.get(domain) ?? 0)
  }

  /** Domains that get nothing more now. */
  full(): readonly string[] {
    return [...this.taken()].filter(([, n]) => n >= this.#perDomain).map(([domain]) => domain)
  }

  /** When the next of the sites opens that are closed by a rate or a pause; `Infinity` if none is. */
  nextOpening(): number {
    const now = this.#clock()
    let next = Infinity
    for (const { opensAt } of this.#sites.values()) {
      if (opensAt > now && opensAt < next) next = opensAt
    }
    return next
  }

  take(domain: string): Slot {
    add(this.#running, domain, 1)
    add(this.#entering, domain, 1)
    let traffic: SiteTraffic | undefined
    let begunAt = 0
    let entering = true
    const entered = (): void => {
      if (entering) add(this.#entering, domain, -1)
      entering = false
    }
    return {
      admit: async () => {
        if (this.#options !== undefined) traffic = await this.#enter(domain, this.#options)
        entered()
        if (this.#options === undefined) return true
        begunAt = this.#clock()
        return traffic !== undefined
      },
      heard: outcomes => {
        for (const outcome of outcomes) if (traffic) this.#heard(traffic, outcome, begunAt)
      },
      leave: () => {
        add(this.#running, domain, -1)
        entered()
        traffic?.leave()
        traffic = undefined
      },
    }
  }

  /** All sites, or those of these domains, as far as mail went there a short time ago. */
  states(domains?: readonly string[]): readonly SiteState[] {
    const names = domains && new Set(domains.map(domain => this.#siteOf.get(domain)?.site.name))
    const now = this.#clock()
    return [...this.#sites.values()]
      .filter(({ site }) => names?.has(site.name) ?? true)
      .map(traffic => traffic.state(now))
  }

  async #enter(domain: string, options: ShapingOptions): Promise<SiteTraffic | undefined> {
    const site = await this.#lookUp(domain, options)
    const now = this.#clock()
    const traffic = this.#trafficOf(site, options, now)
    if (traffic.room(now) < 1) return undefined
    traffic.enter(now)
    return traffic
  }

  async #lookUp(domain: string, { siteOf }: ShapingOptions): Promise<Site> {
    const known = this.#siteOf.get(domain)
    if (known !== undefined && known.until > this.#clock()) return known.site
    const site = await siteOf(domain)
    remember(this.#siteOf, domain, { site, until: this.#clock() + SITE_KNOWN }, MOST_DOMAINS)
    return site
  }

  #trafficOf(site: Site, { limitsOf }: ShapingOptions, now: number): SiteTraffic {
    const known = this.#sites.get(site.name)
    if (known !== undefined) return known
    if (this.#sites.size >= MOST_SITES) this.#forgetIdle(now)
    const traffic = new SiteTraffic(site, limitsOf(site.provider), this.#backOff)
    this.#sites.set(site.name, traffic)
    return traffic
  }

  #forgetIdle(now: number): void {
    for (const [name, traffic] of this.#sites) {
      if (traffic.forgettable(now)) this.#sites.delete(name)
    }
  }

  #heard(traffic: SiteTraffic, outcome: Outcome, begunAt: number): void {
    const now = this.#clock()
    const { provider } = traffic.site
    const pause =
      outcome.kind === 'delivered' ? undefined : this.#options?.pauseOf(outcome.reply, provider)
    if (!traffic.heard(outcome, begunAt, now, pause)) return
    this.#report({ kind: 'slowed-down', ...traffic.state(now) })
  }
}

/** What is none takes no place. */
function add(counts: Map<string, number>, domain: string, amount: number): void {
  const sum = (counts.get(domain) ?? 0) + amount
  if (sum > 0) counts.set(domain, sum)
  else counts.delete(domain)
}
