import { MINUTE, type Clock } from '../../base/clock.ts'
import { remember } from '../../base/remember.ts'
import type { StsPolicies, StsPolicy } from './sts-policies.ts'

export type TxtAnswer =
  | { readonly kind: 'found'; readonly records: readonly string[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'unavailable'; readonly cause: string }

export interface MtaStsOptions {
  readonly txt: (name: string) => Promise<TxtAnswer>
  /**
   * The text behind `https://mta-sts.DOMAIN/.well-known/mta-sts.txt`, its certificate verified, no redirect
   * followed. Rejects for anything but a 200 (section 3.3).
   */
  readonly fetch: (domain: string, signal: AbortSignal) => Promise<string>
  readonly policies: StsPolicies
  readonly clock: Clock
}

// Failures to fetch, which bind nobody.
const MAX_FAILURES = 10_000
// Section 3.2 allows a year and a bit.
const MAX_AGE = 31_557_600
// Section 3.3 wants failed fetches spaced; without this every message would ask again.
const RETRY = 5 * MINUTE

/** What domains demand of those who send to them (MTA-STS, RFC 8461). */
export class MtaSts {
  readonly #options: MtaStsOptions
  readonly #failedAt = new Map<string, number>()
  readonly #fetching = new Map<string, Promise<void>>()

  readonly #stop = new AbortController()

  constructor(options: MtaStsOptions) {
    this.#options = options
  }

  /**
   * The policy that binds mail to a domain now, or undefined. A policy that was seen binds until its age is up, even
   * when its record or its server is gone: whoever can cut those off could otherwise switch it off (section 5.1).
   *
   * @param domain A-labels, lower case
   */
  async policyFor(domain: string): Promise<StsPolicy | undefined> {
    const id = announcedId(await this.#options.txt(`_mta-sts.${domain}`))
    const { policies } = this.#options
    if (id !== undefined && id !== policies.get(domain)?.id && !this.#failedLately(domain)) {
      await this.#renew(domain, id)
    }
    return policies.get(domain)?.policy
  }

  /** Breaks off what is being fetched. */
  close(): void {
    this.#stop.abort()
  }

  #failedLately(domain: string): boolean {
    const at = this.#failedAt.get(domain)
    return at !== undefined && this.#options.clock() - at < RETRY
  }

  async #renew(domain: string, id: string): Promise<void> {
    const running = this.#fetching.get(domain) ?? this.#fetch(domain, id)
    this.#fetching.set(domain, running)
    await running
    this.#fetching.delete(domain)
  }

  async #fetch(domain: string, id: string): Promise<void> {
    const { signal } = this.#stop
    try {
      const policy = parseStsPolicy(await this.#options.fetch(domain, signal))
      if (!policy) throw new Error('the policy is malformed')
      this.#options.policies.set(domain, id, policy)
      this.#failedAt.delete(domain)
    } catch {
      // Section 5: a policy that cannot be had is none, unless one was seen before.
      if (!signal.aborted) {
        remember(this.#failedAt, domain, this.#options.clock(), MAX_FAILURES)
      }
    }
  }
}

/** @returns undefined if the text is no policy; then there is none (RFC 8461 section 3.2) */
export function parseStsPolicy(text: string): StsPolicy | undefined {
  const mx: string[] = []
  const fields = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const match = /^([a-z0-9][\w.-]{0,31}):[ \t]*(.*?)[ \t]*$/i.exec(line)
    if (!match) continue
    const [, key = '', value = ''] = match
    if (key === 'mx') mx.push(value.toLowerCase())
    // The first of a key counts, all others are to be ignored.
    else if (!fields.has(key)) fields.set(key, value)
  }
  const mode = fields.get('mode')
  const age = fields.get('max_age') ?? ''
  if (fields.get('version') !== 'STSv1' || !/^\d{1,10}$/.test(age)) return undefined
  if (mode !== 'enforce' && mode !== 'testing' && mode !== 'none') return undefined
  if (mode !== 'none' && mx.length === 0) return undefined
  return { mode, mx, maxAge: Math.min(Number(age), MAX_AGE) }
}

/** Whether a policy names this MX host; a star stands for exactly one label (RFC 8461 section 4.1). */
export function stsAllows(policy: StsPolicy, host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '')
  const parent = name.slice(name.indexOf('.') + 1)
  return policy.mx.some(pattern =>
    pattern.startsWith('*.') ? name.includes('.') && pattern.slice(2) === parent : pattern === name,
  )
}

/** RFC 8461 section 3.1: exactly one record of this version, or the domain announces nothing. */
function announcedId(answer: TxtAnswer): string | undefined {
  if (answer.kind !== 'found') return undefined
  const records = answer.records.filter(record => /^v=STSv1[ \t]*(?:;|$)/.test(record))
  const [record] = records
  if (records.length !== 1 || record === undefined) return undefined
  return /;[ \t]*id[ \t]*=[ \t]*([a-z0-9]{1,32})[ \t]*(?:;|$)/i.exec(record)?.[1]
}
