import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

import serveFiles from '@fastify/static'
import type { FastifyInstance } from 'fastify'

/** Where the page and its compiled code are. */
export interface PageFiles {
  readonly page: string
  readonly browser: string
}

export const PAGE_FILES: PageFiles = { page: beside('./page'), browser: beside('./browser') }

/** Nothing but our own files, no inline script or style, never in a frame. */
export const STATUS_POLICY = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'", 'data:'],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
  },
}

/** What the status pages refer to, below /assets/. */
export async function addAssets(app: FastifyInstance, { page, browser }: PageFiles): Promise<void> {
  await app.register(serveFiles, {
    root: [page, browser],
    prefix: '/assets/',
    // Asked for anew each time, and answered with 304: after an upgrade no old code meets new data.
    maxAge: 0,
    index: false,
    allowedPath: path => /\.(?:css|html|js|svg)$/.test(path),
  })
  app.get('/assets/chart.umd.min.js', (_, reply) =>
    reply.sendFile('chart.umd.min.js', chartFolder()),
  )
}

/** Where chart.js keeps the bundle for browsers: not in its export map, so it is found beside what is. */
export function chartFolder(): string {
  return dirname(createRequire(import.meta.url).resolve('chart.js'))
}

function beside(folder: string): string {
  return fileURLToPath(new URL(folder, import.meta.url))
}
