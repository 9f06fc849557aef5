import type { Secret } from '../base/secret.ts'

/** A way by which mail leaves: ours or anybody else's, the prober sees no difference. */
export type Origin = SmtpOrigin | CommandOrigin

interface OriginBase {
  /** Word of the configuration and metric label. */
  readonly name: string
  /** What it calls itself in Received where it is neither its host nor its servername. */
  readonly receivedBy?: string
  /** Envelope sender and From. */
  readonly from: string
  readonly fromName?: string
  /** Reports come back to an address of each canary's own, and are read there. */
  readonly bounces?: {
    /** Where `canary+TOKEN@example.org` is delivered to; the envelope sender is made of it. */
    readonly address: string
    /** Name of the mailbox that is read. */
    readonly mailbox: string
  }
}

/** A server that takes canaries by SMTP: a submission server with a login, or a mail exchanger without one. */
export interface SmtpOrigin extends OriginBase {
  readonly host: string
  readonly port: number
  /**
   * RFC 8314: implicit TLS, or STARTTLS that is demanded, not hoped for. `opportunistic` is for port 25 without a login:
   * TLS where it is offered, whatever the certificate (RFC 7435). `none` is for loopback.
   */
  readonly tls: 'implicit' | 'starttls' | 'opportunistic' | 'none'
  /** PEM of an authority to trust instead of the system's. */
  readonly ca?: string
  /** Name in the certificate where it is not `host`. */
  readonly servername?: string
  readonly username?: string
  readonly password?: Secret
}

/** A program that takes a message on its standard input, as sendmail does: a list server's, a CRM's, one behind ssh. */
export interface CommandOrigin extends OriginBase {
  /** Program and arguments; `{from}` and `{to}` stand for the addresses. No shell reads them. */
  readonly command: readonly string[]
}

/**
 * The envelope sender of one canary: a report is sent to it, whatever the report itself tells (VERP).
 *
 * @returns undefined where reports are not read
 */
export function reversePathOf({ bounces }: Origin, token: string): string | undefined {
  if (bounces === undefined) return undefined
  const at = bounces.address.lastIndexOf('@')
  // RFC 5321 section 4.5.3.1.1: a local part has 64 octets; a token 33.
  return `${bounces.address.slice(0, at)}+${token.toLowerCase()}${bounces.address.slice(at)}`
}
