import { z } from 'zod'

import { Problem } from '../base/problem.ts'
import { printable } from '../mail/reply.ts'
import type { QueueRequest } from '../relay/queue/request.ts'

const word = z.string().min(1).max(1_000)
const by = word.max(200).transform(printable)

// Strict to the last key: a filter that is not understood would be a filter that is not applied.
const select = z
  .strictObject({
    ids: z.array(word).min(1).exactOptional(),
    destination: word.exactOptional(),
    login: word.exactOptional(),
    provider: word.exactOptional(),
    state: z.enum(['queued', 'active', 'held']).exactOptional(),
    olderThan: z.int().min(0).exactOptional(),
    all: z.literal(true).exactOptional(),
  })
  .refine(({ ids, ...others }) => ids === undefined || Object.keys(others).length === 0)

const target = z
  .strictObject({
    kind: z.enum(['everything', 'destination', 'login']),
    value: z.string().max(1_000),
  })
  .refine(({ kind, value }) => (kind === 'everything') === (value === ''))

const schema = z.discriminatedUnion('ask', [
  z.strictObject({ ask: z.literal('list'), select, limit: z.int().min(1) }),
  z.strictObject({ ask: z.literal('count'), select }),
  z.strictObject({ ask: z.literal('find'), id: word }),
  z.strictObject({
    ask: z.literal('act'),
    action: z.enum(['retry', 'hold', 'release', 'drop']),
    select,
    by,
  }),
  z.strictObject({ ask: z.enum(['hold', 'lift']), target, by }),
])

/**
 * Reads what a command asks of the queue.
 *
 * @throws Problem if any of it is not understood; then nothing has been done
 */
export function readQueueRequest(body: unknown): QueueRequest {
  const read = schema.safeParse(body)
  if (read.success) return read.data
  throw new Problem(
    'the daemon does not understand this command: it is of another version; restart it',
  )
}
