import { Server, type SecureContext } from 'node:tls'
import { fileURLToPath } from 'node:url'

import helmet from '@fastify/helmet'
import serveFiles from '@fastify/static'
import fastify, { type FastifyInstance } from 'fastify'

import { SECOND } from '../base/clock.ts'
import type { Part } from '../base/lifecycle.ts'
import { Problem } from '../base/problem.ts'
import type { ServerIdentities } from '../base/server-tls.ts'
import { isLoopback } from './admin-access.ts'
import { listenProblem } from './listen-problem.ts'
import { setupPage, type SetupFacts } from './setup-page.ts'

export interface PublicOptions {
  readonly host: string
  readonly port: number
  /** Needed beyond loopback: what is read here is what people type their password into. */
  readonly tls?: ServerIdentities
  readonly facts: SetupFacts
}

type SniAnswer = (error: Error | null, context?: SecureContext) => void

/** The public listener: how to set up a mail program. Everybody may read it, so nothing in it is about anybody. */
export class PublicServer implements Part {
  readonly name = 'public web'
  readonly #options: PublicOptions
  #identities: ServerIdentities | undefined
  #app: FastifyInstance | undefined

  constructor(options: PublicOptions) {
    this.#options = options
    this.#identities = options.tls
  }

  /** @throws Problem where the port cannot be had, or the page would be sent in clear text over a network */
  async start(): Promise<void> {
    const { host, port, facts } = this.#options
    const tls = this.#identities
    if (tls === undefined && !isLoopback(host)) {
      throw new Problem(
        `The public listener on ${host} needs a certificate: people trust what it tells them.`,
      )
    }
    const app = this.#newApp()
    this.#app = app
    await app.register(helmet, {
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          styleSrc: ["'self'"],
          imgSrc: ["'self'"],
          baseUri: ["'none'"],
          formAction: ["'none'"],
          frameAncestors: ["'none'"],
        },
      },
      hsts: tls !== undefined,
      referrerPolicy: { policy: 'no-referrer' },
    })
    await app.register(serveFiles, {
      root: fileURLToPath(new URL('./page', import.meta.url)),
      prefix: '/assets/',
      index: false,
      allowedPath: path => path === '/style.css' || path === '/mark.svg',
    })
    const page = setupPage(facts)
    app.get('/', (_, reply) => reply.type('text/html; charset=utf-8').send(page))
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

  #newApp(): FastifyInstance {
    const limits = { bodyLimit: 1_024, requestTimeout: 10 * SECOND, forceCloseConnections: true }
    if (this.#identities === undefined) return fastify(limits)
    const https = {
      ...this.#identities.options,
      SNICallback: (servername: string, use: SniAnswer): void =>
        use(null, this.#identities?.named(servername)),
    }
    return fastify({ ...limits, https })
  }
}
