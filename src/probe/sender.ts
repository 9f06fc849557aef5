import { createTransport } from 'nodemailer'

import { SECOND } from '../base/clock.ts'
import { codeOf, messageOf } from '../base/problem.ts'
import { noReply, parseReply, type Reply } from '../mail/reply.ts'
import { DeadlineError, within } from './deadline.ts'
import type { RejectionCause } from './model.ts'
import type { Origin } from './origin.ts'

/** What came of a submission. There is no third: whatever goes wrong here is the origin's fault, not blindness. */
export type Submission =
  | {
      readonly kind: 'submitted'
      /** When the reply to the final dot was read. */
      readonly at: number
      /** The origin's name for the message; '' where its reply tells none. */
      readonly queueId: string
    }
  | { readonly kind: 'rejected'; readonly cause: RejectionCause; readonly reply: Reply }

export interface SubmitOptions {
  readonly origin: Origin
  readonly to: string
  readonly message: Buffer
  readonly signal: AbortSignal
  readonly clock: () => number
  /** The whole submission, milliseconds; 60 s unless told. */
  readonly within?: number
}

/** Throws only when `signal` was aborted: then it is not known what became of the message. */
export type Submit = (options: SubmitOptions) => Promise<Submission>

const WITHIN = 60 * SECOND

/** Hands one message to an origin as any mail program would: one connection, one attempt, no hidden retry. */
export async function submit(options: SubmitOptions): Promise<Submission> {
  const { origin, signal } = options
  const atMost = options.within ?? WITHIN
  const transport = createTransport({
    host: origin.host,
    port: origin.port,
    secure: origin.tls === 'implicit',
    requireTLS: origin.tls === 'starttls',
    ignoreTLS: origin.tls === 'none',
    connectionTimeout: atMost,
    greetingTimeout: atMost,
    socketTimeout: atMost,
    dnsTimeout: atMost,
    maxResponseSize: 64 * 1024,
    logger: false,
    tls: {
      minVersion: 'TLSv1.2',
      ...(origin.ca === undefined ? {} : { ca: origin.ca }),
      ...(origin.servername === undefined ? {} : { servername: origin.servername }),
    },
    ...(origin.username === undefined
      ? {}
      : { auth: { user: origin.username, pass: origin.password?.reveal() ?? '' } }),
  })
  const envelope = { from: origin.from, to: [options.to] }
  try {
    const sent = await within(atMost, signal, async signal =>
      transport.sendMail({ envelope, raw: options.message, signal }),
    )
    return { kind: 'submitted', at: options.clock(), queueId: queueIdOf(sent.response) }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof DeadlineError) {
      return { kind: 'rejected', cause: 'timeout', reply: noReply(error.message) }
    }
    return { kind: 'rejected', ...rejectionOf(error) }
  } finally {
    transport.close()
  }
}

/**
 * The queue id in a reply to the final dot: `queued as ID` (Postfix, and ours), `id=ID` (Exim), or an id that stands
 * alone.
 *
 * @returns '' where there is none
 */
export function queueIdOf(response: string): string {
  const text = parseReply(response)?.text ?? ''
  const named =
    /\bqueued (?:mail )?(?:as|id:?)\s+<?([A-Za-z0-9.-]{4,64})|\bid[=:]\s*<?([A-Za-z0-9.-]{4,64})/i.exec(
      text,
    )
  if (named) return (named[1] ?? named[2] ?? '').replace(/[.-]+$/, '')
  // An id has at least one digit; `accepted` and `Message` have none.
  const bare = /(?:^|\s)(?=[A-Za-z0-9]*\d)([A-Z0-9]{8,32})(?=[\s.;,]|$)/.exec(text)
  return bare?.[1] ?? ''
}

function rejectionOf(error: unknown): { readonly cause: RejectionCause; readonly reply: Reply } {
  const { response, command } = error as { response?: unknown; command?: unknown }
  const reply =
    (typeof response === 'string' ? parseReply(response) : undefined) ?? noReply(messageOf(error))
  return {
    cause: causeOf(
      codeOf(error),
      typeof command === 'string' ? command : '',
      reply,
      originalCode(error),
    ),
    reply,
  }
}

function causeOf(code: string, command: string, reply: Reply, system: string): RejectionCause {
  if (code === 'EAUTH' || command.startsWith('AUTH')) return 'login'
  if (
    code === 'ETLS' ||
    /^(?:ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(system)
  ) {
    return 'tls'
  }
  if (reply.code !== 0) return 'refused'
  if (code === 'ETIMEDOUT') return 'timeout'
  // What nodemailer itself refuses to send (EMESSAGE by SIZE, EENVELOPE) the origin has announced to refuse.
  return code === 'EMESSAGE' || code === 'EENVELOPE' ? 'refused' : 'unreachable'
}

/** The error of the socket or of TLS beneath nodemailer's own. */
function originalCode(error: unknown): string {
  const { originalCode } = error as { originalCode?: unknown }
  return typeof originalCode === 'string' ? originalCode : codeOf(error)
}
