/** Somebody who has logged in, and what that entitles to. */
export interface Principal {
  /** The directory's uid, in lower case. */
  readonly login: string
  /**
   * Addresses that may stand in MAIL FROM and From: the login's own, aliases and role addresses. Domains in
   * lower case A-label form; sub-addresses (`local+x@domain`) of each are allowed without being listed.
   */
  readonly addresses: readonly string[]
  /** Domains of which any address may stand there: for programs that relay for others, never for people. */
  readonly domains?: readonly string[]
}

/**
 * What came of a login. **Unavailable is not refused**: `unavailable` is our own trouble (no verifier, too busy)
 * and must never reach the client as 535, which makes programs drop a good password.
 */
export type LoginResult =
  | { readonly kind: 'accepted'; readonly principal: Principal }
  | { readonly kind: 'refused' }
  | { readonly kind: 'unavailable'; readonly cause: string }
