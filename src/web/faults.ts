import type { FastifyInstance } from 'fastify'
import { ZodError } from 'zod'

/** How questions are answered that cannot be. */
export function answerFaults(app: FastifyInstance): void {
  app.setErrorHandler((error, _, reply) => {
    const { status, text } = answerTo(error)
    return reply.code(status).send({ error: text })
  })
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
