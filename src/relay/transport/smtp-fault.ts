import { noReply, type Reply } from '../../mail/reply.ts'

/**
 * Why a conversation with a next hop could not go on.
 *
 * connect    no connection was to be had
 * lost       the connection ended
 * timeout    silence for longer than the phase allows
 * protocol   what came was no SMTP, or came out of turn
 * tls        the handshake failed, or policy wants TLS that is not offered
 * reply      a reply that ends the session before any mail: greeting, EHLO, AUTH
 * auth       a reply that refuses our own credentials, or no way to present them
 * stopped    we were told to stop
 * budget     the time for the whole attempt is used up
 */
export type SmtpFaultKind =
  | 'connect'
  | 'lost'
  | 'timeout'
  | 'protocol'
  | 'tls'
  | 'reply'
  | 'auth'
  | 'stopped'
  | 'budget'

/** Never leaves the transport: `deliver` turns it into outcomes. */
export class SmtpFault extends Error {
  override readonly name = 'SmtpFault'
  readonly kind: SmtpFaultKind
  /** The remote's words where it had any, ours with code 0 otherwise. */
  readonly reply: Reply

  constructor(kind: SmtpFaultKind, what: string | Reply) {
    const reply = typeof what === 'string' ? noReply(what) : what
    super(reply.text)
    this.kind = kind
    this.reply = reply
  }
}

/** An idle connection that has died in the meantime: nothing was said on it, and another one will do. */
export class StaleConnection extends Error {
  override readonly name = 'StaleConnection'
}

/** Anything thrown, as a fault; what is no fault already is of kind `kind`. */
export function faultOf(error: unknown, kind: SmtpFaultKind): SmtpFault {
  if (error instanceof SmtpFault) return error
  return new SmtpFault(kind, error instanceof Error ? error.message : String(error))
}
