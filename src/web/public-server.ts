import { Server, type SecureContext } from 'node:tls'
import { fileURLToPath } from 'node:url'

import helmet from '@fastify/helmet'
import serveFiles from '@fastify/static'
import fastify, { type FastifyInstance } from 'fastify'

import { SECOND } from '../base/clock.ts'
import type { Part } from '../base/lifecycle.ts'
import { AddressRanges, LOOPBACK_RANGES } from '../base/network-range.ts'
import { Problem } from '../base/problem.ts'
import type { ServerIdentities } from '../base/server-tls.ts'
import { isLoopback } from './admin-access.ts'
import { listenProblem } from './listen-problem.ts'
import { contentSecurity, type PublicRoutes } from './public-routes.ts'

export interface PublicOptions {
  readonly host: string
  readonly port: number
  /** Needed beyond loopback, unless there are proxies: what is read here is what people type their password into. */
  readonly tls?: ServerIdentities
  /** Networks of the proxies that speak TLS for us. Beyond loopback nobody else is answered then. */
  readonly proxies?: readonly string[]
  /** What it answers; each concern registers its own. */
  readonly routes: readonly PublicRoutes[]
  /** Folder of what browsers run; a test compiles its own. */
  readonly browserCode?: string
}

type SniAnswer = (error: Error | null, context?: SecureContext) => void

const FILES = new Set(['/style.css', '/account.css', '/setup.css', '/mark.svg', '/copy.js'])

/** The public listener: what people see of the relay in a browser. */
export class PublicServer implements Part {
  readonly name = 'public web'
  readonly #options: PublicOptions
  readonly #proxies: AddressRanges
  #identities: ServerIdentities | undefined
  #app: FastifyInstance | undefined

  constructor(options: PublicOptions) {
    this.#options = options
    this.#proxies = new AddressRanges(options.proxies ?? [])
    this.#identities = options.tls
  }

  /** The port it listens on; 0 before the start. */
  get port(): number {
    const [address] = this.#app?.addresses() ?? []
    return typeof address === 'object' ? address.port : 0
  }

  /** @throws Problem where the port cannot be had, or the page would be sent in clear text over a network */
  async start(): Promise<void> {
    const { host, port, routes, proxies = [], browserCode = beside('./browser') } = this.#options
    const tls = this.#identities
    if (tls === undefined && proxies.length === 0 && !isLoopback(host)) {
      throw new Problem(
        `The public listener on ${host} needs a certificate: people trust what it tells them.`,
      )
    }
    const app = this.#newApp()
    this.#app = app
    if (tls === undefined && !isLoopback(host)) this.#answerOnlyProxies(app)
    await app.register(helmet, {
      contentSecurityPolicy: contentSecurity({ forms: false }),
      hsts: tls !== undefined,
      referrerPolicy: { policy: 'no-referrer' },
    })
    await app.register(serveFiles, {
      root: [beside('./page'), browserCode],
      prefix: '/assets/',
      index: false,
      allowedPath: path => FILES.has(path),
    })
    for (const addTo of routes) {
      await app.register(async scope => addTo(scope))
    }
    app.setNotFoundHandler((_, reply) =>
      reply.code(404).type('text/plain').send('There is no such page.\n'),
    )
    try {
      await app.listen({ host, port })
    } catch (error) {
      throw listenProblem(error, this.name, host, port)
    }
  }

  async stop(): Promise<void> {
    await this.#app?.close()
  }

  /** Shows other certificates to connections to come; nothing where TLS is somebody else's business. */
  useIdentities(identities: ServerIdentities): void {
    if (this.#identities === undefined) return
    this.#identities = identities
    const server = this.#app?.server
    if (server instanceof Server) server.setSecureContext(identities.options)
  }

  #answerOnlyProxies(app: FastifyInstance): void {
    const local = new AddressRanges(LOOPBACK_RANGES)
    app.addHook('onRequest', async (request, reply) => {
      const peer = request.socket.remoteAddress ?? ''
      if (this.#proxies.has(peer) || local.has(peer)) return
      return reply.code(403).type('text/plain').send('Only by way of the proxy, with https.\n')
    })
  }

  #newApp(): FastifyInstance {
    const limits = {
      bodyLimit: 1_024,
      requestTimeout: 10 * SECOND,
      forceCloseConnections: true,
      // Who asks, and whether by TLS, is what the nearest proxy says that is one of ours.
      trustProxy: (address: string) => this.#proxies.has(address),
    }
    if (this.#identities === undefined) return fastify(limits)
    const https = {
      ...this.#identities.options,
      SNICallback: (servername: string, use: SniAnswer): void =>
        use(null, this.#identities?.named(servername)),
    }
    return fastify({ ...limits, https })
  }
}

function beside(folder: string): string {
  return fileURLToPath(new URL(folder, import.meta.url))
}
