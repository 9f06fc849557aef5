import type { Secret } from '../base/secret.ts'
import type { Provider } from '../mail/provider.ts'

/** An account at a provider that we may read. */
export interface Seed {
  /** Word of the configuration and metric label. */
  readonly name: string
  readonly provider: Provider
  readonly address: string
  readonly imap: ImapAccount
  /** Path of the junk folder where neither flag nor name tells. */
  readonly junkFolder?: string
  /** Canaries in 24 hours, of all origins; no limit unless told. */
  readonly dailyCap?: number
  /** Milliseconds between two looks while canaries are on their way; IDLE may shorten it. */
  readonly pollEvery: number
  /** Milliseconds between two looks into the other folders. */
  readonly othersEvery: number
  /** Milliseconds between two sign-ins after a failure, at first and at most; a minute and half an hour unless told. */
  readonly retryAfter?: { readonly least: number; readonly most: number }
}

/** How to reach and sign in to an account. */
export interface ImapAccount {
  readonly host: string
  readonly port: number
  /** PEM of an authority to trust instead of the system's. */
  readonly ca?: string
  readonly servername?: string
  readonly username: string
  /** Asked for at every sign-in, since an OAuth 2 token lives for an hour. */
  readonly credential: () => Promise<ImapCredential>
}

export type ImapCredential =
  | { readonly kind: 'password'; readonly password: Secret }
  | { readonly kind: 'oauth2'; readonly accessToken: Secret }
