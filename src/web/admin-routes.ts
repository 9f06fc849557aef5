import type { FastifyInstance, FastifyReply } from 'fastify'
import { z } from 'zod'

import { isId } from '../base/id.ts'
import type { Health, HealthReport } from '../observe/health.ts'
import type { CanaryFilter, CanaryRecord } from '../probe/history.ts'
import { VERDICT_LABELS } from '../probe/model.ts'
import type { MessageRecord } from '../relay/queue/store.ts'
import { RANGES, type CanaryDetails } from './browser/status-data.ts'
import { summaryOf } from './canary-summary.ts'
import type { StatusSource } from './status.ts'

/** What the admin listener can be asked. */
export interface AdminQuestions {
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>
  readonly health: Health
  readonly status: StatusSource
  /** A message of the relay by its queue id; undefined where it is not known. */
  trace(id: string): Promise<MessageRecord | undefined>
}

// Names are ours and short; whatever is longer is no question.
const name = z.string().min(1).max(100)
const time = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
const statusQuery = z.strictObject({ range: z.enum(RANGES).default('24h') })
const canariesQuery = z.strictObject({
  origin: name.optional(),
  provider: name.optional(),
  seed: name.optional(),
  verdict: z.enum(VERDICT_LABELS).optional(),
  since: time.optional(),
  until: time.optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
})
const idParams = z.object({ id: name })

export function addAdminRoutes(app: FastifyInstance, questions: AdminQuestions): void {
  const { health, status } = questions

  app.get('/metrics', async (_, reply) => {
    const { contentType, text } = await questions.metrics()
    return reply.type(contentType).send(text)
  })
  app.get('/healthz', async (_, reply) => sendHealth(reply, await health.alive()))
  app.get('/readyz', async (_, reply) => sendHealth(reply, await health.ready()))

  app.get('/api/status', request => status.status(statusQuery.parse(request.query).range))
  app.get('/api/canaries', request => listCanaries(status, request.query))
  app.get('/api/canaries/:id', async (request, reply) => {
    const record = await status.canary(idParams.parse(request.params).id)
    if (!record) return reply.code(404).send({ error: 'no such canary' })
    const { queueId } = record.canary
    // An origin elsewhere has queue ids too: one that is not of our shape is none of our relay's.
    const message = isId(queueId)
      ? await questions.trace(queueId).catch(() => undefined)
      : undefined
    return detailsOf(record, message)
  })
  app.get('/api/messages/:id', async (request, reply) => {
    const { id } = idParams.parse(request.params)
    const record = isId(id) ? await questions.trace(id) : undefined
    return record ?? reply.code(404).send({ error: 'no such message' })
  })
}

async function listCanaries(status: StatusSource, query: unknown): Promise<unknown> {
  // An optional field that is absent is not one that is undefined.
  const given = Object.entries(canariesQuery.parse(query)).filter(
    ([, value]) => value !== undefined,
  )
  const records = await status.canaries(Object.fromEntries(given) as unknown as CanaryFilter)
  return { canaries: records.map(summaryOf) }
}

function sendHealth(reply: FastifyReply, report: HealthReport): FastifyReply {
  return reply.code(report.ok ? 200 : 503).send(report)
}

/** Everything of a canary but its token, which would let anybody forge its arrival. */
function detailsOf(record: CanaryRecord, message: MessageRecord | undefined): CanaryDetails {
  const { token: _, ...canary } = record.canary
  return { ...record, canary, summary: summaryOf(record), timeline: message?.timeline ?? [] }
}
