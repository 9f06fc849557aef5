import { MINUTE, SECOND } from '../../base/clock.ts'

/** How long we wait for a next hop, in milliseconds, phase by phase. */
export interface SmtpTimers {
  readonly connect: number
  readonly greeting: number
  /** EHLO, HELO, STARTTLS, AUTH and RSET. */
  readonly command: number
  /** The TLS handshake. */
  readonly tls: number
  readonly mail: number
  readonly rcpt: number
  readonly data: number
  /** Until the next hop takes one more piece of the body. */
  readonly block: number
  readonly final: number
  readonly quit: number
}

/** The minimums of RFC 5321 section 4.5.3.2; what it does not name is ours. */
export const SMTP_TIMERS: SmtpTimers = {
  connect: 30 * SECOND,
  greeting: 5 * MINUTE,
  command: 5 * MINUTE,
  tls: MINUTE,
  mail: 5 * MINUTE,
  rcpt: 5 * MINUTE,
  data: 2 * MINUTE,
  block: 3 * MINUTE,
  // The longest by intent: giving up here is what makes duplicates (section 4.5.3.2.6).
  final: 10 * MINUTE,
  // Nothing depends on the answer to QUIT.
  quit: 2 * SECOND,
}
