import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createSecureContext, TLSSocket, type SecureContext } from 'node:tls'

import type { CertificatePair } from '../../base/certificate.ts'
import type { Clock } from '../../base/clock.ts'
import type { Part } from '../../base/lifecycle.ts'
import type { Account } from './account.ts'
import type { Fault, Quirks } from './quirks.ts'
import { ImapSession } from './session.ts'

export interface ImapServerOptions {
  readonly host: string
  /** 0 for any. */
  readonly port: number
  readonly certificate: CertificatePair
  readonly quirks: Quirks
  readonly accounts: readonly Account[]
  readonly clock: Clock
}

const MOST_CONNECTIONS = 200
const HANDSHAKE_LIMIT = 30_000

/** A provider's IMAPS listener (RFC 8314 section 3.2). Its faults can be switched on and off while it runs. */
export class ImapServer implements Part {
  readonly name: string
  readonly #options: ImapServerOptions
  readonly #server: Server
  readonly #secure: SecureContext
  readonly #sockets = new Set<TLSSocket>()
  readonly #sessions = new Set<ImapSession>()
  #fault: Fault = 'none'

  constructor(options: ImapServerOptions) {
    this.name = `IMAP of ${options.quirks.name}`
    this.#options = options
    const { certificate, key } = options.certificate
    this.#secure = createSecureContext({ cert: certificate, key, minVersion: 'TLSv1.2' })
    this.#server = createServer(socket => this.#connected(socket))
    this.#server.maxConnections = MOST_CONNECTIONS
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0
  }

  get fault(): Fault {
    return this.#fault
  }

  /** Switches a fault; sessions that are open feel it too. */
  suffer(fault: Fault): void {
    this.#fault = fault
    if (fault === 'unreadable') {
      for (const session of this.#sessions) session.end('Server temporarily unavailable')
    }
    if (fault === 'drop') this.#hangUp()
  }

  async start(): Promise<void> {
    this.#server.listen(this.#options.port, this.#options.host)
    await once(this.#server, 'listening')
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#hangUp()
    await closed
  }

  #connected(plain: Socket): void {
    plain.on('error', () => undefined)
    // Answers are many small writes: each would wait for the acknowledgement of the one before.
    plain.setNoDelay(true)
    if (this.#fault === 'drop') {
      plain.destroy()
      return
    }
    // Wrapped here and not by a tls.Server: a handshake that is under way can only be ended safely from above.
    const socket = new TLSSocket(plain, { isServer: true, secureContext: this.#secure })
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    // A client that dislikes the certificate says so here; that is its affair.
    socket.on('error', () => socket.destroy())
    socket.setTimeout(HANDSHAKE_LIMIT, () => socket.destroy())
    socket.once('secure', () => this.#serve(socket))
  }

  #serve(socket: TLSSocket): void {
    socket.removeAllListeners('timeout')
    const session = new ImapSession(socket, {
      quirks: this.#options.quirks,
      fault: () => this.#fault,
      account: username =>
        this.#options.accounts.find(
          account => account.username.toLowerCase() === username.toLowerCase(),
        ),
      sessionsOf: account =>
        [...this.#sessions].filter(session => session.account === account).length,
      clock: this.#options.clock,
    })
    this.#sessions.add(session)
    socket.on('close', () => this.#sessions.delete(session))
  }

  #hangUp(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}
