import { createTransport } from 'nodemailer'

import { SECOND } from '../base/clock.ts'
import { codeOf, messageOf } from '../base/problem.ts'
import { noReply, parseReply, type Reply } from '../mail/reply.ts'
import { submitByCommand } from './command-sender.ts'
import { DeadlineError, within } from './deadline.ts'
import type { RejectionCause } from './model.ts'
import type { SmtpOrigin } from './origin.ts'
import { queueIdOf } from './queue-id.ts'
import type { Submission, SubmitOptions } from './submission.ts'

export type { Submission, Submit, SubmitOptions } from './submission.ts'

const WITHIN = 60 * SECOND

/** Hands one message to an origin as any mail program would: one attempt, no hidden retry. */
export function submit(options: SubmitOptions): Promise<Submission> {
  const { origin } = options
  const atMost = options.within ?? WITHIN
  return 'command' in origin
    ? submitByCommand(origin, { ...options, within: atMost })
    : submitBySmtp(origin, options, atMost)
}

async function submitBySmtp(
  origin: SmtpOrigin,
  options: SubmitOptions,
  atMost: number,
): Promise<Submission> {
  const { signal } = options
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
      // RFC 7435: better than clear text, and there is no login that could be stolen.
      ...(origin.tls === 'opportunistic' &&
        origin.ca === undefined && { rejectUnauthorized: false }),
      ...(origin.ca === undefined ? {} : { ca: origin.ca }),
      ...(origin.servername === undefined ? {} : { servername: origin.servername }),
    },
    ...(origin.username === undefined
      ? {}
      : { auth: { user: origin.username, pass: origin.password?.reveal() ?? '' } }),
  })
  const envelope = { from: options.reversePath ?? origin.from, to: [options.to] }
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
