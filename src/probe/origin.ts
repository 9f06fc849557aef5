import type { Secret } from '../base/secret.ts'

/** A server that takes canaries, and how to reach it. Ours or anybody else's: the prober sees no difference. */
export interface Origin {
  /** Word of the configuration and metric label. */
  readonly name: string
  readonly host: string
  readonly port: number
  /** RFC 8314: implicit TLS, or STARTTLS that is demanded, not hoped for. `none` is for loopback. */
  readonly tls: 'implicit' | 'starttls' | 'none'
  /** PEM of an authority to trust instead of the system's. */
  readonly ca?: string
  /** Name in the certificate where it is not `host`. */
  readonly servername?: string
  /** What it calls itself in Received where it is neither of these. */
  readonly receivedBy?: string
  readonly username?: string
  readonly password?: Secret
  /** Envelope sender and From. */
  readonly from: string
  readonly fromName?: string
}
