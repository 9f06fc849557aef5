import { isIP } from 'node:net'
import { Server } from 'node:tls'

import helmet from '@fastify/helmet'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'

import { SECOND } from '../base/clock.ts'
import type { Part } from '../base/lifecycle.ts'
import type { Secret } from '../base/secret.ts'
import type { ServerIdentities } from '../base/server-tls.ts'
import { checkExposure, knowsHost, showsToken } from './admin-access.ts'
import { addAdminRoutes, type AdminQuestions } from './admin-routes.ts'
import { hasSession } from './admin-session.ts'
import { answerFaults } from './faults.ts'
import { listenProblem } from './listen-problem.ts'
import { LiveStatus } from './live-status.ts'
import { addLoginPage } from './login-page.ts'
import { addAssets, PAGE_FILES, STATUS_POLICY, type PageFiles } from './status-pages.ts'

export interface AdminOptions extends AdminQuestions {
  readonly host: string
  /** 0 takes any free one; `port` tells which. */
  readonly port: number
  /** Both are needed beyond loopback. */
  readonly tls?: ServerIdentities
  readonly token?: Secret
  /** Names under which a browser may ask, besides `localhost`, bare addresses and those of the certificate. */
  readonly hostNames?: readonly string[]
  /** Where the page and its compiled code are; beside this file unless told. */
  readonly assets?: PageFiles
}

/** What somebody who has not logged in yet may see: the way to log in. */
const OPEN = /^\/(?:login|assets\/(?:style\.css|mark\.svg))(?:\?|$)/

/** The admin listener: metrics, health, the status pages and their data. It only answers questions; it changes nothing. */
export class AdminServer implements Part {
  readonly name = 'admin web'
  readonly #options: AdminOptions
  readonly #live: LiveStatus
  #identities: ServerIdentities | undefined
  #app: FastifyInstance | undefined

  constructor(options: AdminOptions) {
    this.#options = options
    this.#live = new LiveStatus(range => options.status.status(range))
    this.#identities = options.tls
  }

  /** The port it listens on; 0 before the start. */
  get port(): number {
    const [address] = this.#app?.addresses() ?? []
    return typeof address === 'object' ? address.port : 0
  }

  /** Where a browser of this host finds it. */
  get url(): string {
    const { host } = this.#options
    const everywhere = host === '0.0.0.0' || host === '::'
    const name = everywhere ? '127.0.0.1' : isIP(host) === 6 ? `[${host}]` : host
    return `${this.#identities ? 'https' : 'http'}://${name}:${this.port}/`
  }

  /** @throws Problem where the port cannot be had, or the listener would be open to strangers */
  async start(): Promise<void> {
    const { host, port, tls, token } = this.#options
    checkExposure({ host, hasTls: tls !== undefined, ...(token && { token }) })
    const app = this.#newApp()
    this.#app = app
    await this.#addHandlers(app)
    try {
      await app.listen({ host, port })
    } catch (error) {
      throw listenProblem(error, this.name, host, port)
    }
  }

  async stop(): Promise<void> {
    await this.#app?.close()
  }

  /** Something that the pages show is not what it was: who looks at them is told. */
  changed(): void {
    this.#live.changed()
  }

  /** Shows another certificate to connections to come. */
  useIdentities(identities: ServerIdentities): void {
    this.#identities = identities
    const server = this.#app?.server
    if (server instanceof Server) server.setSecureContext(identities.options)
  }

  async #addHandlers(app: FastifyInstance): Promise<void> {
    const { token, assets = PAGE_FILES, tls } = this.#options
    await app.register(helmet, {
      contentSecurityPolicy: STATUS_POLICY,
      hsts: tls !== undefined,
      referrerPolicy: { policy: 'no-referrer' },
    })
    app.addHook('onRequest', async (request, reply) => {
      if (!knowsHost(request.hostname, this.#hostNames())) {
        return reply.code(421).send({ error: 'this name is not one of ours' })
      }
      if (token && !OPEN.test(request.url) && !mayAsk(request, token)) {
        return sendToLogin(request, reply)
      }
      // Numbers of now are wrong in a minute, and nobody's browser should keep them.
      if (!request.url.startsWith('/assets/')) reply.header('cache-control', 'no-store')
    })
    answerFaults(app)
    app.setNotFoundHandler((_, reply) => reply.code(404).send({ error: 'no such page' }))
    addAdminRoutes(app, this.#options, this.#live)
    if (token) addLoginPage(app, token)
    await addAssets(app, assets)
    app.get('/', (_, reply) => reply.sendFile('index.html', assets.page))
    app.get('/canaries/:id', (_, reply) => reply.sendFile('canary.html', assets.page))
    app.get('/seeds/:name', (_, reply) => reply.sendFile('seed.html', assets.page))
  }

  #hostNames(): readonly string[] {
    const { hostNames = [] } = this.#options
    return [...hostNames, ...(this.#identities?.names ?? []).flatMap(names => names.split(', '))]
  }

  #newApp(): FastifyInstance {
    const limits = {
      // Nobody has anything to send here but a token.
      bodyLimit: 1_024,
      requestTimeout: 30 * SECOND,
      connectionTimeout: 60 * SECOND,
      routerOptions: { maxParamLength: 100 },
      // A page that listens keeps its connection, and would keep us from stopping.
      forceCloseConnections: true,
    }
    if (!this.#identities) return fastify(limits)
    return fastify({ ...limits, https: this.#identities.options })
  }
}

function mayAsk({ headers }: FastifyRequest, token: Secret): boolean {
  return (
    showsToken(headers.authorization ?? '', token) ||
    hasSession(headers.cookie ?? '', token, Date.now())
  )
}

/** A person is led to where the token can be typed; a program is told which way to show it. */
function sendToLogin(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (request.method === 'GET' && /\btext\/html\b/.test(request.headers.accept ?? '')) {
    return reply.redirect(`/login?to=${encodeURIComponent(request.url)}`, 303)
  }
  reply.header('www-authenticate', 'Bearer realm="mailcanary"')
  return reply.code(401).send({ error: 'needs the token' })
}
