/** What a request for a token came to, where it came to none. The distinction decides whether a person is called. */
export type OAuthRefusal =
  /** The sign-in is over (password changed, revoked, too old, declined): a person has to sign in again. */
  | 'refused'
  /** The client or its settings are wrong: a person has to change the configuration. */
  | 'misconfigured'
  /** A fault that passes: no network, a server's own trouble, too many requests. */
  | 'unavailable'

/** A token could not be had. Its message holds no token. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError'
  readonly kind: OAuthRefusal
  /** Milliseconds the server wants to be left alone; 0 where it did not say. */
  readonly retryAfter: number

  constructor(kind: OAuthRefusal, message: string, retryAfter = 0) {
    super(message)
    this.kind = kind
    this.retryAfter = retryAfter
  }
}

// RFC 6749 section 5.2, RFC 8628 section 3.5, OpenID Connect Core section 3.1.2.6.
const KINDS: Readonly<Record<string, OAuthRefusal>> = {
  invalid_grant: 'refused',
  access_denied: 'refused',
  // Microsoft's word for the same.
  authorization_declined: 'refused',
  expired_token: 'refused',
  interaction_required: 'refused',
  login_required: 'refused',
  consent_required: 'refused',
  invalid_client: 'misconfigured',
  unauthorized_client: 'misconfigured',
  unsupported_grant_type: 'misconfigured',
  invalid_scope: 'misconfigured',
  invalid_request: 'misconfigured',
}

/**
 * What an `error` of the token endpoint means. A word nobody knows is taken for a passing fault: it is tried again and
 * reported, and nobody is told that a sign-in has ended which may not have.
 */
export function refusalOf(error: string): OAuthRefusal {
  return Object.hasOwn(KINDS, error) ? (KINDS[error] ?? 'unavailable') : 'unavailable'
}
