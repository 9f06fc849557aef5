import { z } from 'zod'

import { Problem } from '../base/problem.ts'
import { printable } from '../mail/reply.ts'
import type { PeriodRequest } from '../probe/period.ts'
import type { TimetableRequest } from '../probe/timetable.ts'

const word = z.string().min(1).max(200)

const timetable = z.discriminatedUnion('ask', [
  z.strictObject({ ask: z.literal('list') }),
  z.strictObject({
    ask: z.enum(['pause', 'resume']),
    name: word,
    by: word.transform(printable),
  }),
])

const period = z.strictObject({
  since: z.int().min(0),
  until: z.int().min(0),
  compare: z.tuple([word, word]).exactOptional(),
})

/** @throws Problem if any of it is not understood; then nothing has been done */
export function readTimetableRequest(body: unknown): TimetableRequest {
  return understood(timetable.safeParse(body))
}

/** @throws Problem if any of it is not understood */
export function readPeriodRequest(body: unknown): PeriodRequest {
  return understood(period.safeParse(body))
}

function understood<T>(read: z.ZodSafeParseResult<T>): T {
  if (read.success) return read.data
  throw new Problem(
    'the daemon does not understand this command: it is of another version; restart it',
  )
}
