import { z } from 'zod'

import { Problem } from '../base/problem.ts'
import type { DirectoryRequest } from '../directory/request.ts'

const login = z.string().min(1).max(320)

const schema = z.discriminatedUnion('ask', [
  z.strictObject({ ask: z.literal('status') }),
  z.strictObject({ ask: z.literal('account'), login }),
  z.strictObject({ ask: z.literal('verify'), login, password: z.string().max(512) }),
  z.strictObject({ ask: z.literal('export') }),
  z.strictObject({ ask: z.literal('sync'), full: z.boolean(), accept: z.boolean() }),
])

/**
 * Reads what a command asks of the directory.
 *
 * @throws Problem if any of it is not understood; then nothing has been done
 */
export function readDirectoryRequest(body: unknown): DirectoryRequest {
  const read = schema.safeParse(body)
  if (read.success) return read.data
  throw new Problem(
    'the daemon does not understand this command: it is of another version; restart it',
  )
}
