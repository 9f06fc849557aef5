import type { FastifyInstance, FastifyReply } from 'fastify'
import { z } from 'zod'

import type { CanaryFilter } from '../probe/history.ts'
import { VERDICT_LABELS } from '../probe/model.ts'
import { RANGES, type CanaryList } from './browser/status-data.ts'
import { canariesCsv, canariesJson, statusCsv } from './export.ts'
import type { LiveStatus } from './live-status.ts'
import type { StatusView } from './status-view.ts'

// Names are ours and short; whatever is longer is no question.
export const name = z.string().min(1).max(100)
const time = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
export const statusQuery = z.strictObject({ range: z.enum(RANGES).default('24h') })
const filter = {
  origin: name.optional(),
  provider: name.optional(),
  seed: name.optional(),
  verdict: z.enum(VERDICT_LABELS).optional(),
  since: time.optional(),
  until: time.optional(),
}
const exportQuery = z.strictObject(filter)
const canariesQuery = z.strictObject({
  ...filter,
  limit: z.coerce.number().int().min(1).max(500).default(100),
})

/** The data that a status page is made of: as it is now, as it changes, and to take away. */
export function addStatusRoutes(app: FastifyInstance, view: StatusView, live: LiveStatus): void {
  app.get('/api/status', request => live.status(statusQuery.parse(request.query).range))
  app.get('/api/status.csv', async (request, reply) => {
    const { range } = statusQuery.parse(request.query)
    return download(reply, `mailcanary-${range}.csv`, 'text/csv').send(
      statusCsv(await live.status(range)),
    )
  })
  app.get('/api/events', (request, reply) => {
    const stream = live.read(statusQuery.parse(request.query).range)
    if (stream === undefined) {
      return reply.code(503).send({ error: 'too many are looking: come again later' })
    }
    // Nginx holds back what it is not told to pass on.
    return reply.type('text/event-stream').header('x-accel-buffering', 'no').send(stream)
  })

  app.get('/api/canaries', request => {
    const { limit, ...query } = canariesQuery.parse(request.query)
    return view.canaries(filterOf(query, { limit }))
  })
  const whole =
    (query: z.infer<typeof exportQuery>) =>
    (page: { readonly until?: number; readonly limit: number }): Promise<CanaryList> =>
      view.canaries(filterOf(query, page))
  app.get('/api/canaries.csv', (request, reply) =>
    download(reply, 'mailcanary-canaries.csv', 'text/csv').send(
      canariesCsv(whole(exportQuery.parse(request.query))),
    ),
  )
  app.get('/api/canaries.json', (request, reply) =>
    download(reply, 'mailcanary-canaries.json', 'application/json').send(
      canariesJson(whole(exportQuery.parse(request.query))),
    ),
  )
}

/** An optional field that is absent is not one that is undefined. */
function filterOf(
  query: z.infer<typeof exportQuery>,
  page: { readonly until?: number; readonly limit: number },
): CanaryFilter {
  const given = Object.entries({ ...query, ...page }).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given) as unknown as CanaryFilter
}

function download(reply: FastifyReply, file: string, type: string): FastifyReply {
  return reply
    .type(`${type}; charset=utf-8`)
    .header('content-disposition', `attachment; filename="${file}"`)
}
