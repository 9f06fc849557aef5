import { promises as dns } from 'node:dns'
import { isIP } from 'node:net'

import { codeOf, messageOf } from '../../base/problem.ts'
import type { TxtAnswer } from './mta-sts.ts'
import type { AddressAnswer, Endpoint, MxAnswer, Resolver } from './resolver.ts'

export interface SystemResolverOptions {
  /** Name servers, `192.0.2.53` or `127.0.0.1:5353`; those of the system (resolv.conf) unless given. */
  readonly servers?: readonly string[]
  /** Milliseconds for one question to one server. */
  readonly timeout?: number
  readonly tries?: number
  /** Port of the next hops; 25 but for tests and the demo. */
  readonly port?: number
}

export type Lookup<T> =
  | { readonly kind: 'found'; readonly value: T }
  | { readonly kind: 'no-data' }
  | { readonly kind: 'no-name' }
  | { readonly kind: 'unavailable'; readonly cause: string }

/**
 * The DNS itself, past the hosts file. Keeps nothing: a caching resolver on the machine does that better.
 */
export class SystemResolver implements Resolver {
  readonly #resolver: dns.Resolver
  readonly #port: number
  #closed = false

  constructor(options: SystemResolverOptions = {}) {
    this.#resolver = new dns.Resolver({
      timeout: options.timeout ?? 5_000,
      tries: options.tries ?? 3,
    })
    if (options.servers && options.servers.length > 0) this.#resolver.setServers(options.servers)
    this.#port = options.port ?? 25
  }

  async mx(domain: string): Promise<MxAnswer> {
    const answer = await this.#ask(() => this.#resolver.resolveMx(domain))
    if (answer.kind === 'no-name') return { kind: 'nonexistent' }
    if (answer.kind === 'no-data') return { kind: 'implicit' }
    if (answer.kind === 'unavailable') return answer
    const hosts = answer.value
      .filter(({ exchange }) => exchange !== '' && exchange !== '.')
      .map(({ exchange, priority }) => ({ host: exchange, preference: priority }))
    // RFC 7505 section 3 wants the null MX to stand alone; beside real hosts it says nothing.
    return hosts.length > 0 ? { kind: 'mx', hosts } : { kind: 'null' }
  }

  async addresses(host: string): Promise<AddressAnswer> {
    if (isIP(host) !== 0) return { kind: 'addresses', endpoints: [this.#endpoint(host)] }
    const answers = await Promise.all([
      this.#ask(() => this.#resolver.resolve4(host)),
      this.#ask(() => this.#resolver.resolve6(host)),
    ])
    const found = answers.flatMap(answer => (answer.kind === 'found' ? answer.value : []))
    if (found.length > 0) {
      return { kind: 'addresses', endpoints: found.map(address => this.#endpoint(address)) }
    }
    // That one family has no address says nothing while the other cannot be asked.
    return answers.find(answer => answer.kind === 'unavailable') ?? { kind: 'none' }
  }

  /** TXT records, each as one text (RFC 7208 section 3.3). */
  async txt(name: string): Promise<TxtAnswer> {
    const answer = await this.#ask(() => this.#resolver.resolveTxt(name))
    if (answer.kind === 'unavailable') return answer
    if (answer.kind !== 'found') return { kind: 'none' }
    return { kind: 'found', records: answer.value.map(parts => parts.join('')) }
  }

  /** Ends the questions under way; they and all to come are answered `unavailable`. */
  close(): void {
    this.#closed = true
    this.#resolver.cancel()
  }

  async #ask<T>(ask: () => Promise<T>): Promise<Lookup<T>> {
    return this.#closed ? { kind: 'unavailable', cause: 'stopped' } : lookup(ask)
  }

  #endpoint(address: string): Endpoint {
    return { address, port: this.#port }
  }
}

/** Only NXDOMAIN and an empty answer say anything about a name; all else says something about the DNS. */
export async function lookup<T>(ask: () => Promise<T>): Promise<Lookup<T>> {
  try {
    return { kind: 'found', value: await ask() }
  } catch (error) {
    switch (codeOf(error)) {
      case 'ENODATA':
        return { kind: 'no-data' }
      case 'ENOTFOUND':
      // Not even a name that could be asked for, such as `a..b`.
      case 'EBADNAME':
        return { kind: 'no-name' }
      default:
        return { kind: 'unavailable', cause: codeOf(error) || messageOf(error) }
    }
  }
}
