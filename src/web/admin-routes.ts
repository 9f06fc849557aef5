import type { FastifyInstance, FastifyReply } from 'fastify'
import { z } from 'zod'

import { isId } from '../base/id.ts'
import type { Health, HealthReport } from '../observe/health.ts'
import type { MessageFate } from '../probe/trace.ts'
import type { MessageRecord } from '../relay/queue/store.ts'
import { detailsOf } from './canary-details.ts'
import type { LiveStatus } from './live-status.ts'
import { addStatusRoutes, name, statusQuery } from './status-routes.ts'
import { wholeView } from './status-view.ts'
import type { StatusSource } from './status.ts'

/** What the admin listener can be asked. */
export interface AdminQuestions {
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>
  readonly health: Health
  readonly status: StatusSource
  /** A message of the relay by its queue id; undefined where it is not known. */
  trace(id: string): Promise<MessageRecord | undefined>
  /** What a relay on another host tells of a message; undefined where none is asked, or it does not know it. */
  fateElsewhere?(origin: string, queueId: string): Promise<MessageFate | undefined>
}

const idParams = z.object({ id: name })
const seedParams = z.object({ seed: name })

export function addAdminRoutes(
  app: FastifyInstance,
  questions: AdminQuestions,
  live: LiveStatus,
): void {
  const { health, status } = questions

  app.get('/metrics', async (_, reply) => {
    const { contentType, text } = await questions.metrics()
    return reply.type(contentType).send(text)
  })
  app.get('/healthz', async (_, reply) => sendHealth(reply, await health.alive()))
  app.get('/readyz', async (_, reply) => sendHealth(reply, await health.ready()))

  addStatusRoutes(app, wholeView(status), live)
  app.get('/api/canaries/:id', async (request, reply) => {
    const record = await status.canary(idParams.parse(request.params).id)
    if (!record) return reply.code(404).send({ error: 'no such canary' })
    const { origin, queueId } = record.canary
    // An origin elsewhere has queue ids too: one that is not of our shape is none of our relay's.
    const message = isId(queueId)
      ? await questions.trace(queueId).catch(() => undefined)
      : undefined
    const elsewhere =
      message === undefined && queueId !== ''
        ? await questions.fateElsewhere?.(origin, queueId).catch(() => undefined)
        : undefined
    return detailsOf(record, message, elsewhere)
  })
  app.get('/api/seeds/:seed', async (request, reply) => {
    const { seed } = seedParams.parse(request.params)
    const report = await status.seed(seed, statusQuery.parse(request.query).range)
    return report ?? reply.code(404).send({ error: 'no such seed' })
  })
  app.get('/api/messages/:id', async (request, reply) => {
    const { id } = idParams.parse(request.params)
    const record = isId(id) ? await questions.trace(id) : undefined
    return record ?? reply.code(404).send({ error: 'no such message' })
  })
}

function sendHealth(reply: FastifyReply, report: HealthReport): FastifyReply {
  return reply.code(report.ok ? 200 : 503).send(report)
}
