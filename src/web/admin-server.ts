import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

import helmet from '@fastify/helmet'
import serveFiles from '@fastify/static'
import fastify, { type FastifyInstance } from 'fastify'
import { ZodError } from 'zod'

import type { CertificatePair } from '../base/certificate.ts'
import { SECOND } from '../base/clock.ts'
import type { Part } from '../base/lifecycle.ts'
import type { Secret } from '../base/secret.ts'
import { checkExposure, knowsHost, showsToken } from './admin-access.ts'
import { addAdminRoutes, type AdminQuestions } from './admin-routes.ts'
import { listenProblem } from './listen-problem.ts'

export interface AdminOptions extends AdminQuestions {
  readonly host: string
  /** 0 takes any free one; `port` tells which. */
  readonly port: number
  /** Both are needed beyond loopback. */
  readonly tls?: CertificatePair
  readonly token?: Secret
  /** Names under which a browser may ask, besides `localhost` and bare addresses. */
  readonly hostNames?: readonly string[]
  /** Where the page and its compiled code are; beside this file unless told. */
  readonly assets?: { readonly page: string; readonly browser: string }
}

const HERE = { page: beside('./page'), browser: beside('./browser') }

// Nothing but our own files, no inline script or style, never in a frame.
const CONTENT_SECURITY = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'", 'data:'],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
}

/** The admin listener: metrics, health, the status page and its data. It only answers questions; it changes nothing. */
export class AdminServer implements Part {
  readonly name = 'admin web'
  readonly #options: AdminOptions
  #app: FastifyInstance | undefined

  constructor(options: AdminOptions) {
    this.#options = options
  }

  /** The port it listens on; 0 before the start. */
  get port(): number {
    const [address] = this.#app?.addresses() ?? []
    return typeof address === 'object' ? address.port : 0
  }

  /** @throws Problem where the port cannot be had, or the listener would be open to strangers */
  async start(): Promise<void> {
    const { host, port, tls, token } = this.#options
    checkExposure({ host, hasTls: tls !== undefined, ...(token && { token }) })
    const app = newApp(tls)
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

  async #addHandlers(app: FastifyInstance): Promise<void> {
    const { token, hostNames = [], assets = HERE, tls } = this.#options
    await app.register(helmet, {
      contentSecurityPolicy: CONTENT_SECURITY,
      hsts: tls !== undefined,
      referrerPolicy: { policy: 'no-referrer' },
    })
    app.addHook('onRequest', async (request, reply) => {
      if (!knowsHost(request.hostname, { hostNames })) {
        return reply.code(421).send({ error: 'this name is not one of ours' })
      }
      if (token && !showsToken(request.headers.authorization ?? '', token)) {
        reply.header('www-authenticate', 'Basic realm="mailcanary", charset="UTF-8"')
        return reply.code(401).send({ error: 'needs the token' })
      }
      // Numbers of now are wrong in a minute, and nobody's browser should keep them.
      reply.header('cache-control', 'no-store')
    })
    app.setNotFoundHandler((_, reply) => reply.code(404).send({ error: 'no such page' }))
    app.setErrorHandler((error, _, reply) => {
      const { status, text } = answerTo(error)
      return reply.code(status).send({ error: text })
    })
    addAdminRoutes(app, this.#options)
    await app.register(serveFiles, {
      root: [assets.page, assets.browser],
      prefix: '/assets/',
      cacheControl: false,
      index: false,
      allowedPath: path => /\.(?:css|html|js|svg)$/.test(path),
    })
    app.get('/', (_, reply) => reply.sendFile('index.html', assets.page))
    app.get('/assets/chart.umd.min.js', (_, reply) =>
      reply.sendFile('chart.umd.min.js', chartFolder()),
    )
  }
}

function newApp(tls: CertificatePair | undefined): FastifyInstance {
  const limits = {
    // Nobody has anything to send here.
    bodyLimit: 1_024,
    requestTimeout: 30 * SECOND,
    connectionTimeout: 60 * SECOND,
    routerOptions: { maxParamLength: 100 },
    // A page that polls keeps its connection, and would keep us from stopping.
    forceCloseConnections: true,
  }
  if (!tls) return fastify(limits)
  const https = { cert: tls.certificate, key: tls.key, minVersion: 'TLSv1.2' as const }
  return fastify({ ...limits, https })
}

/** Where chart.js keeps the bundle for browsers: not in its export map, so it is found beside what is. */
function chartFolder(): string {
  return dirname(createRequire(import.meta.url).resolve('chart.js'))
}

function beside(folder: string): string {
  return fileURLToPath(new URL(folder, import.meta.url))
}

/** A fault of the question is told; one of ours only that it is ours: the log has the rest. */
function answerTo(error: unknown): { readonly status: number; readonly text: string } {
  if (error instanceof ZodError) {
    const [issue] = error.issues
    return { status: 400, text: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}` }
  }
  const status = statusCodeOf(error)
  return status < 500
    ? { status, text: 'this cannot be answered' }
    : { status: 503, text: 'cannot be had at the moment' }
}

function statusCodeOf(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return 500
  return typeof error.statusCode === 'number' ? error.statusCode : 500
}
