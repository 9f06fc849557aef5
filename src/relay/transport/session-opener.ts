import type { Clock } from '../../base/clock.ts'
import type { ConnectionPool } from './connection-pool.ts'
import type { Endpoint } from './resolver.ts'
import { SmtpClient, type TlsMode } from './smtp-client.ts'
import { SmtpFault } from './smtp-fault.ts'
import type { SmtpTimers } from './smtp-timers.ts'
import { TlsMemory } from './tls-memory.ts'

/** How mail to MX hosts is secured on its way. */
export type MxTls =
  /**
   * STARTTLS where offered, any certificate (RFC 7435).
   *
   * `fallback`: whether a failed handshake is followed by clear text; true unless told. A host that spoke TLS within
   * the last day is never spoken to in clear text. `ca` is for domains whose MTA-STS wants more.
   */
  | { readonly policy: 'opportunistic'; readonly fallback?: boolean; readonly ca?: string }
  /** A certificate for the MX host's name from a trusted authority, or the mail waits. */
  | { readonly policy: 'required'; readonly ca?: string }

export interface OpenSession {
  readonly client: SmtpClient
  /** What the pool knows it by. */
  readonly key: string
}

interface Options {
  readonly hostname: string
  readonly timers: SmtpTimers
  readonly tls: MxTls
  readonly pool: ConnectionPool
  readonly clock: Clock
}

/** Gets a session with an MX host: one that lay idle, or a new one as the TLS policy wants it. */
export class SessionOpener {
  readonly #options: Options
  readonly #memory: TlsMemory

  constructor(options: Options) {
    this.#options = options
    this.#memory = new TlsMemory(options.clock)
  }

  /**
   * @param verified whether TLS with a verified certificate is needed whatever our own policy (MTA-STS)
   * @throws SmtpFault
   */
  async open(
    host: string,
    endpoint: Endpoint,
    verified: boolean,
    signal: AbortSignal,
  ): Promise<OpenSession> {
    const { tls, pool } = this.#options
    const policy = verified ? 'required' : tls.policy
    const key = `${policy} ${host} ${endpoint.address} ${endpoint.port}`
    const idle = pool.take(key, signal)
    if (idle) return { client: idle, key }
    pool.makeRoom(host)
    if (policy === 'required') {
      const mode: TlsMode = {
        kind: 'verified',
        start: 'starttls',
        ...(tls.ca === undefined ? {} : { ca: tls.ca }),
      }
      return { client: await this.#connect(host, endpoint, mode, signal), key }
    }
    const fallback = tls.policy === 'opportunistic' && tls.fallback !== false
    return { client: await this.#opportunistic(host, endpoint, fallback, signal), key }
  }

  async #opportunistic(
    host: string,
    endpoint: Endpoint,
    fallback: boolean,
    signal: AbortSignal,
  ): Promise<SmtpClient> {
    const known = this.#memory.knows(host)
    try {
      const client = await this.#connect(host, endpoint, { kind: 'opportunistic' }, signal)
      if (client.wire.tls !== '') this.#memory.note(host)
      else if (known) {
        await client.wire.quit(client.timers.quit)
        throw new SmtpFault('tls', `${client.tlsRefused}, though it spoke TLS within the last day`)
      }
      return client
    } catch (error) {
      const failed = error instanceof SmtpFault && error.kind === 'tls'
      if (!failed || known || !fallback || signal.aborted) throw error
      return this.#connect(host, endpoint, { kind: 'none' }, signal)
    }
  }

  #connect(
    host: string,
    endpoint: Endpoint,
    tls: TlsMode,
    signal: AbortSignal,
  ): Promise<SmtpClient> {
    const { hostname, timers } = this.#options
    return SmtpClient.open({ endpoint, host, hostname, tls, timers }, signal)
  }
}
