import { isIPv6, type AddressInfo, type Server, type Socket } from 'node:net'
import { TLSSocket, type SecureContext } from 'node:tls'

import { SMTPServer } from 'smtp-server'
import type { SMTPConnectionOptions } from 'smtp-server/lib/smtp-connection.js'

import { codeOf, messageOf, Problem } from '../../base/problem.ts'
import type { ServerIdentities } from '../../base/server-tls.ts'
import { keepProtocol } from '../../base/tls-protocol.ts'
import { listenOnSocket } from '../../base/unix-socket.ts'
import type { Access } from './admission.ts'
import { SubmissionConnection } from './connection.ts'
import { LocalAccess, type LocalOptions } from './local-access.ts'
import { networkOf, OpenCount } from './network.ts'
import type { Site } from './site.ts'
import { SocketDoor, type SocketOptions } from './socket-door.ts'

/** Where clients are awaited. */
export interface ListenerOptions {
  /** For log and metrics: `submissions`, `submission`. */
  readonly name: string
  readonly host: string
  readonly port: number
  /** TLS from the first octet (port 465, RFC 8314 section 3.3), STARTTLS (port 587), or none: for `local` only. */
  readonly tls: 'implicit' | 'starttls' | 'none'
  /** Whom to trust without a login: goes with `tls: 'none'`, and only with it. */
  readonly local?: LocalOptions
  /** A Unix socket instead of host and port, without TLS: whoever can open it says who it is. */
  readonly socket?: SocketOptions
}

/** Where a listener is to be found. */
export interface Place {
  readonly name: string
  /** `127.0.0.1:587` */
  readonly address: string
  readonly port: number
}

type SniAnswer = (error: Error | null, context?: SecureContext) => void

/** One port. */
export class Listener extends SMTPServer {
  readonly name: string
  readonly #site: Site
  readonly #options: ListenerOptions
  readonly #access: Access
  readonly #handshakes: OpenCount
  #identities: ServerIdentities
  readonly #open = new Set<SubmissionConnection>()
  #stopping = false

  constructor(options: ListenerOptions, identities: ServerIdentities, site: Site) {
    super({
      name: site.hostname,
      secure: options.tls === 'implicit',
      ...identities.options,
      // A reply waits for no acknowledgement of the one before.
      noDelay: true,
      keepAlive: true,
      logger: false,
      hideENHANCEDSTATUSCODES: true,
      disableReverseLookup: true,
      maxClients: site.limits.connections,
      socketTimeout: site.limits.handshakeTime,
    })
    this.name = options.name
    this.#site = site
    this.#identities = identities
    this.#options = options
    const { connections, connectionsPerNetwork } = site.limits
    const of = `${options.name} ${options.socket?.path ?? options.host}`
    const door = options.socket && new SocketDoor(options.socket, connections, site.report)
    this.#access = {
      sessions: new OpenCount(connections, site.counts, `session ${of}`),
      local: door ? undefined : LocalAccess.of(options, connections, site.counts),
      door,
    }
    this.#handshakes = new OpenCount(connectionsPerNetwork, site.counts, `handshake ${of}`)
  }

  /** Where it listens, once it does. */
  get place(): Place {
    const { socket } = this.#options
    if (socket) return { name: this.name, address: socket.path, port: 0 }
    return placeOf(this.name, this.server)
  }

  /**
   * @param shared several threads listen on the port, and the kernel gives each connection to one of them
   * @throws Problem where the port or the socket cannot be had
   */
  open(shared: boolean): Promise<void> {
    const { socket } = this.#options
    if (socket) return listenOnSocket(this.server, socket.path, socket.group)
    return listen(this.server, this.#options, shared)
  }

  /** For handshakes to come; sessions that are open go on as they are. */
  useIdentities(identities: ServerIdentities): void {
    this.#identities = identities
    this.secureContext.set('*', identities.default)
  }

  override _upgrade(...[socket, secured]: Parameters<SMTPServer['_upgrade']>): void {
    super._upgrade(socket, secured)
    const secure = this._pendingSockets.get(socket)
    if (secure instanceof TLSSocket) keepProtocol(secure)
  }

  override _resolveSNI(servername: string, use: SniAnswer): void {
    use(null, this.#identities.named(servername))
  }

  /**
   * Stops listening and ends the sessions: those that wait at once, with 421; those in the middle of a message have
   * until `grace` has passed.
   *
   * @param grace milliseconds
   */
  async shutDown(grace: number): Promise<void> {
    this.#stopping = true
    const ended = new Promise<void>(resolve => {
      this.server.close(() => resolve())
    })
    // The topmost socket: a TLS socket must not lose its ground in the middle of a handshake.
    for (const socket of this._pendingSockets.values()) socket.destroy()
    for (const connection of this.#open) connection.shutDown()
    const timer = setTimeout(() => {
      for (const connection of this.#open) connection.destroy()
    }, grace)
    await ended
    clearTimeout(timer)
  }

  /** No proxy is spoken with, and no number of the session is needed. The turn of the event loop shows who talks first. */
  override _handleProxy(...[, go]: Parameters<SMTPServer['_handleProxy']>): void {
    setImmediate(go, null, { id: this.name })
  }

  /** Nothing is to be found out about the client: no turn of the event loop for it. */
  override onSecure(...[, , go]: Parameters<SMTPServer['onSecure']>): void {
    go()
  }

  /** Handshakes are counted by network as sessions are, and have a time that no octet prolongs. */
  override _acceptSocket(socket: Socket, handshake: boolean): (() => void) | false {
    const network = networkOf(socket.remoteAddress ?? '')
    if (handshake && !this.#handshakes.take(network)) {
      socket.destroy()
      return false
    }
    const release = super._acceptSocket(socket, handshake)
    if (!handshake) return release
    const { handshakeTime } = this.#site.limits
    const timer = setTimeout(() => this._pendingSockets.get(socket)?.destroy(), handshakeTime)
    let counted = true
    const end = (): void => {
      clearTimeout(timer)
      if (counted) this.#handshakes.giveBack(network)
      counted = false
    }
    socket.once('close', end)
    if (release === false) return false
    return () => {
      release()
      end()
    }
  }

  override connect(socket: Socket, options?: SMTPConnectionOptions | null): void {
    const [site, access] = [this.#site, this.#access]
    const connection = new SubmissionConnection(this, socket, options ?? {}, site, access)
    this.connections.add(connection)
    this.#open.add(connection)
    socket.once('close', () => this.#open.delete(connection))
    // Weather: a client that hangs up is nothing to report.
    connection.on('error', () => undefined)
    connection.init()
    if (this.#stopping) connection.shutDown()
  }

  /** Failed handshakes come here as well as faults of the listening socket; those of one client are its own. */
  override _onError(error: Error): void {
    if ('meta' in error || 'remoteAddress' in error || !this.server.listening) return
    this.#site.report({ kind: 'relay-fault', part: this.name, cause: messageOf(error) })
  }
}

/** @param server one that listens */
export function placeOf(name: string, server: Server): Place {
  const { address, family, port } = server.address() as AddressInfo
  return {
    name,
    address: family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`,
    port,
  }
}

/** @throws Problem where the port cannot be had */
export async function listen(
  server: Server,
  { host, port, name }: ListenerOptions,
  shared: boolean,
): Promise<void> {
  const ipv6Only = isIPv6(host)
  const place = ipv6Only ? `[${host}]:${port}` : `${host}:${port}`
  await new Promise<void>((resolve, reject) => {
    const failed = (error: unknown): void =>
      reject(new Problem(`${name} cannot listen on ${place}: ${reasonOf(error)}`))
    server.once('error', failed)
    // Otherwise `::` would take IPv4 along, and a listener on 0.0.0.0 beside it could not have the port.
    server.listen({ port, host, ipv6Only, reusePort: shared }, () => {
      server.off('error', failed)
      resolve()
    })
  })
}

function reasonOf(error: unknown): string {
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return 'another program has the port: stop it, or listen on another one'
    case 'EACCES':
      return 'ports below 1024 need the right CAP_NET_BIND_SERVICE, or a socket from systemd'
    case 'EADDRNOTAVAIL':
      return 'the address is not of this host'
    default:
      return messageOf(error)
  }
}
