import { promises as dns, type SrvRecord } from 'node:dns'
import { isIPv6 } from 'node:net'

import { SECOND } from '../../base/clock.ts'
import { lookup, type Lookup } from '../../relay/transport/system-resolver.ts'
import { reversed } from './reverse-zone.ts'

/** Questions at the same time: a resolver of a small network is not to be flooded by its own monitoring. */
const AT_ONCE = 8
const TIMEOUT = 3 * SECOND
const TRIES = 2

/**
 * The DNS as checks ask it: each answer with what kind of answer it is. `no-data` and `no-name` are statements of the
 * zone, `unavailable` is none.
 */
export class Questions {
  readonly #resolver = new dns.Resolver({ timeout: TIMEOUT, tries: TRIES })
  readonly #waiting: (() => void)[] = []
  #asked = 0
  #closed = false

  /** @param servers instead of the system's */
  constructor(servers: readonly string[] = []) {
    if (servers.length > 0) this.#resolver.setServers(servers)
  }

  a(name: string): Promise<Lookup<readonly string[]>> {
    return this.#ask(() => this.#resolver.resolve4(name))
  }

  /** All addresses of a name, IPv4 first; what is known of one family does not wait for the other. */
  async addresses(name: string): Promise<Lookup<readonly string[]>> {
    const [four, six] = await Promise.all([
      this.a(name),
      this.#ask(() => this.#resolver.resolve6(name)),
    ])
    const found = [four, six].flatMap(answer => (answer.kind === 'found' ? answer.value : []))
    if (found.length > 0) return { kind: 'found', value: found }
    return [four, six].find(({ kind }) => kind === 'unavailable') ?? four
  }

  mx(domain: string): Promise<Lookup<readonly string[]>> {
    return this.#ask(async () =>
      (await this.#resolver.resolveMx(domain)).map(({ exchange }) => exchange),
    )
  }

  srv(name: string): Promise<Lookup<readonly SrvRecord[]>> {
    return this.#ask(() => this.#resolver.resolveSrv(name))
  }

  /** Each record as one text (RFC 7208 section 3.3). */
  txt(name: string): Promise<Lookup<readonly string[]>> {
    return this.#ask(async () =>
      (await this.#resolver.resolveTxt(name)).map(parts => parts.join('')),
    )
  }

  /** The names that an address has in the reverse tree. */
  names(address: string): Promise<Lookup<readonly string[]>> {
    const zone = isIPv6(address) ? 'ip6.arpa' : 'in-addr.arpa'
    // Not `reverse`, which believes the hosts file before the DNS.
    return this.#ask(() => this.#resolver.resolvePtr(`${reversed(address)}.${zone}`))
  }

  /** Ends the questions under way; they and all to come are answered `unavailable`. */
  close(): void {
    this.#closed = true
    this.#resolver.cancel()
  }

  async #ask<T>(ask: () => Promise<T>): Promise<Lookup<T>> {
    if (this.#asked >= AT_ONCE) await new Promise<void>(resolve => this.#waiting.push(resolve))
    this.#asked += 1
    try {
      // An answer may be what the next question is for.
      return this.#closed ? { kind: 'unavailable', cause: 'stopped' } : await lookup(ask)
    } finally {
      this.#asked -= 1
      this.#waiting.shift()?.()
    }
  }
}
