import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { FastifyInstance } from 'fastify'

import { answerFaults } from './faults.ts'
import type { LiveStatus } from './live-status.ts'
import type { PublicRoutes } from './public-routes.ts'
import { chartFolder, PAGE_FILES, STATUS_POLICY, type PageFiles } from './status-pages.ts'
import { addStatusRoutes } from './status-routes.ts'
import type { StatusView } from './status-view.ts'

/** The status page at /status for everybody, made of what the view lets through. */
export function publicStatusRoutes(
  view: StatusView,
  live: LiveStatus,
  files: PageFiles = PAGE_FILES,
): PublicRoutes {
  return app => {
    answerFaults(app)
    app.addHook('onRequest', async (request, reply) => {
      const shared = request.url.startsWith('/assets/')
      reply.header('cache-control', shared ? 'public, max-age=0' : 'no-store')
    })
    const page = readFileSync(join(files.page, 'index.html'))
    app.get('/status', { helmet: { contentSecurityPolicy: STATUS_POLICY } }, (_, reply) =>
      reply.type('text/html; charset=utf-8').send(page),
    )
    for (const name of readdirSync(files.browser)) {
      if (name.endsWith('.js')) addScript(app, files.browser, name)
    }
    addScript(app, chartFolder(), 'chart.umd.min.js')
    addStatusRoutes(app, view, live)
  }
}

/** Asked for anew each time, and answered with 304: after an upgrade no old code meets new data. */
function addScript(app: FastifyInstance, folder: string, name: string): void {
  const script = readFileSync(join(folder, name))
  const tag = `"${createHash('sha256').update(script).digest('base64url')}"`
  app.get(`/assets/${name}`, (request, reply) => {
    reply.header('etag', tag)
    if (request.headers['if-none-match'] === tag) return reply.code(304).send()
    return reply.type('application/javascript; charset=utf-8').send(script)
  })
}
