import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'

import { SECOND } from '../base/clock.ts'
import { Problem } from '../base/problem.ts'
import type { Secret } from '../base/secret.ts'
import type { MessageTrace } from '../probe/trace.ts'
import { type FateRecord, fateOf } from './trace.ts'

/** The admin listener of a relay on another host. */
export interface RemoteTraceOptions {
  /** `https://relay.example.org:9464`; http on loopback alone. */
  readonly url: string
  readonly token?: Secret
  /** PEM of an authority to trust instead of the system's. */
  readonly ca?: string
  /** The whole answer, milliseconds; 4 s unless told. */
  readonly within?: number
}

const WITHIN = 4 * SECOND
// A message to one recipient that was tried for days is some 100 KiB.
const MAX_ANSWER = 2 * 1024 * 1024

/** Asks `GET /api/messages/ID` of a relay elsewhere: the same trace as in its own process, one hop away. */
export function createRemoteTrace(options: RemoteTraceOptions): MessageTrace {
  return {
    async fate(queueId) {
      const path = `/api/messages/${encodeURIComponent(queueId)}`
      const { status, body } = await get(new URL(path, options.url), options)
      if (status === 404) return undefined
      if (status === 401 || status === 403) {
        throw new Problem(`the relay does not take our token (${status}): see trace_token_file`)
      }
      if (status !== 200) throw new Problem(`the relay answered ${status}`)
      const record = asJson(body)
      if (!isRecord(record))
        throw new Problem('the relay answered with something else than a record')
      return fateOf(record, 0)
    },
  }
}

function get(
  url: URL,
  { token, ca, within = WITHIN }: RemoteTraceOptions,
): Promise<{ readonly status: number; readonly body: string }> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const asked = request(
      url,
      {
        signal: AbortSignal.timeout(within),
        // RFC 6750 section 2.1
        headers: {
          accept: 'application/json',
          ...(token && { authorization: `Bearer ${token.reveal()}` }),
        },
        ...(ca !== undefined && { ca }),
      },
      response => {
        const chunks: Buffer[] = []
        let size = 0
        response.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > MAX_ANSWER)
            response.destroy(new Problem('the answer of the relay is too long'))
          else chunks.push(chunk)
        })
        response.once('error', reject)
        response.once('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            body: Buffer.concat(chunks).toString('utf8'),
          }),
        )
      },
    )
    asked.once('error', reject)
    asked.end()
  })
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const STATES: ReadonlySet<string> = new Set(['queued', 'held', 'delivered', 'bounced', 'removed'])

/** Whether an answer has what is read of a record, whatever the relay's version adds to it. */
function isRecord(answer: unknown): answer is FateRecord {
  const { message, recipients, timeline } = fieldsOf(answer)
  return (
    typeof fieldsOf(message)['acceptedAt'] === 'number' &&
    Array.isArray(recipients) &&
    recipients
      .map(fieldsOf)
      .every(
        recipient =>
          STATES.has(String(recipient['state'])) &&
          typeof recipient['attempts'] === 'number' &&
          areText(recipient, ['address', 'lastReply', 'lastHost']),
      ) &&
    Array.isArray(timeline) &&
    timeline
      .map(fieldsOf)
      .every(
        entry =>
          typeof entry['at'] === 'number' &&
          areText(entry, ['kind', 'domain', 'host', 'reply', 'tls']),
      )
  )
}

function areText(fields: Readonly<Record<string, unknown>>, names: readonly string[]): boolean {
  return names.every(name => typeof fields[name] === 'string')
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
