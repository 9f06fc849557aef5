import type { SmtpClient } from './smtp-client.ts'

export interface PoolLimits {
  /** Milliseconds a connection may lie idle. Next hops count connections, idle ones too. */
  readonly idleTime: number
  /** Messages over one connection, before somebody else's balance of load gets its turn. */
  readonly messages: number
  /** Idle connections in all. */
  readonly connections: number
  /** What is told of a host goes before `messages`. */
  readonly limitsOf?: (host: string) => HostLimits
}

/** What the provider bears that has a host. */
export interface HostLimits {
  /** Hosts of one site share its connections. */
  readonly site: string
  /** Open at the same time, idle or not. */
  readonly connections: number
  /** Over one connection. */
  readonly messages: number
}

/** Few servers close before 20 messages; 15 s is below all idle limits. */
export const POOL_LIMITS: PoolLimits = { idleTime: 15_000, messages: 20, connections: 100 }

interface Idle {
  readonly key: string
  readonly site: string
  readonly client: SmtpClient
  readonly timer: NodeJS.Timeout
}

/** Connections between two messages. A connection that is in use is not in here. */
export class ConnectionPool {
  readonly #limits: PoolLimits
  #idle: Idle[] = []
  readonly #inUse = new Map<string, number>()
  readonly #closing = new Set<Promise<void>>()
  #closed = false

  constructor(limits: PoolLimits) {
    this.#limits = limits
  }

  /**
   * A connection that lay idle, or undefined. Whether it still works shows when it is used (`StaleConnection`).
   *
   * @param key everything that makes two connections alike: host, address, port, policy
   */
  take(key: string, signal: AbortSignal): SmtpClient | undefined {
    // The youngest: the others then grow old together and are closed.
    const found = this.#idle.findLast(idle => idle.key === key)
    if (!found || signal.aborted) return undefined
    this.#forget(found)
    return found.client
  }

  /** Somebody is about to use a connection to this host. @returns what is called when that is over */
  enter(host: string): () => void {
    const { site } = this.#of(host)
    this.#inUse.set(site, (this.#inUse.get(site) ?? 0) + 1)
    return () => {
      const left = (this.#inUse.get(site) ?? 1) - 1
      if (left > 0) this.#inUse.set(site, left)
      else this.#inUse.delete(site)
    }
  }

  /** Before a new connection: ends idle ones of the same site that would be too many beside it, the oldest first. */
  makeRoom(host: string): void {
    const { connections, site } = this.#of(host)
    const idle = this.#idle.filter(other => other.site === site)
    const most = Math.max(0, connections - (this.#inUse.get(site) ?? 0))
    for (const one of idle.slice(0, Math.max(0, idle.length - most))) {
      this.#forget(one)
      this.#end(one.client)
    }
  }

  /** Takes back a connection after use: keeps it, or ends it. */
  give(key: string, client: SmtpClient, host = ''): void {
    const { messages, site } = this.#of(host)
    if (this.#closed || !client.wire.clean || client.messages >= messages) {
      this.#end(client)
      return
    }
    client.rested = true
    const idle: Idle = {
      key,
      site,
      client,
      timer: setTimeout(() => {
        this.#forget(idle)
        this.#end(client)
      }, this.#limits.idleTime),
    }
    this.#idle.push(idle)
    const oldest = this.#idle[0]
    if (oldest && this.#idle.length > this.#limits.connections) {
      this.#forget(oldest)
      this.#end(oldest.client)
    }
  }

  /** Ends all idle connections; those in use end when they are given back. */
  async close(): Promise<void> {
    this.#closed = true
    for (const idle of this.#idle) {
      this.#forget(idle)
      this.#end(idle.client)
    }
    await Promise.all(this.#closing)
  }

  #of(host: string): HostLimits {
    const { limitsOf, messages } = this.#limits
    return limitsOf?.(host) ?? { site: host, connections: Infinity, messages }
  }

  #forget(idle: Idle): void {
    clearTimeout(idle.timer)
    this.#idle = this.#idle.filter(other => other !== idle)
  }

  #end(client: SmtpClient): void {
    const quitting = client.wire.quit(client.timers.quit).finally(() => {
      this.#closing.delete(quitting)
    })
    this.#closing.add(quitting)
  }
}
