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
