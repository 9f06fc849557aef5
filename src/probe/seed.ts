import type { Secret } from '../base/secret.ts'
import type { Provider } from '../mail/provider.ts'

/** An account at a provider that we may read. */
export interface Seed {
  /** Word of the configuration and metric label. */
  readonly name: string
  readonly provider: Provider
  readonly address: string
  readonly imap: ImapAccount
  /** How many a prober holds of its account: its own, and those of what else is the same account; 1 unless told. */
  readonly connections?: number
  /** How it signs in; `password` unless told. */
  readonly signIn?: 'password' | 'oauth2'
  /** Path of the junk folder where neither flag nor name tells. */
  readonly junkFolder?: string
  /** When the account was made, milliseconds since the epoch: filters learn, and an old seed is not a new one. */
  readonly createdAt?: number
  /** Canaries in 24 hours, of all origins; no limit unless told. */
  readonly dailyCap?: number
  /** Milliseconds between two looks while canaries are on their way; IDLE may shorten it. */
  readonly pollEvery: number
  /** Milliseconds between two looks into the other folders. */
  readonly othersEvery: number
  /** Milliseconds between two sign-ins after a failure, at first and at most; a minute and half an hour unless told. */
  readonly retryAfter?: { readonly least: number; readonly most: number }
}

/** Whether its provider bears more connections to the account beside those that a prober holds, as far as is known. */
export function bearsAnother({ provider, connections = 1 }: Seed, more = 1): boolean {
  return connections + more <= (provider.imap?.connections ?? Number.POSITIVE_INFINITY)
}

/** How to reach and sign in to an account. */
export interface ImapAccount {
  readonly host: string
  readonly port: number
  /** PEM of an authority to trust instead of the system's. */
  readonly ca?: string
  readonly servername?: string
  readonly username: string
  /**
   * Asked for at every sign-in, since an OAuth 2 token lives for an hour.
   *
   * @param fresh the last one was refused, and is not wanted again
   * @throws SignInError where a person is needed
   */
  readonly credential: (fresh?: boolean) => Promise<ImapCredential>
}

export type ImapCredential =
  | { readonly kind: 'password'; readonly password: Secret }
  | { readonly kind: 'oauth2'; readonly accessToken: Secret }

/** There is nothing to sign in with until a person has done something: what, is in the message. */
export class SignInError extends Error {
  override readonly name = 'SignInError'
}
