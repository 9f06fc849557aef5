import { type Clock, MINUTE } from '../../base/clock.ts'
import { messageOf } from '../../base/problem.ts'
import type { Secret } from '../../base/secret.ts'
import type { ReportProbeEvent } from '../events.ts'
import { type ImapCredential, SignInError } from '../seed.ts'
import { type OAuthClient, refresh, type TokenGrant } from './oauth-client.ts'
import { OAuthError } from './oauth-error.ts'
import type { StoredToken, TokenFile } from './token-file.ts'

export interface TokenKeeperOptions {
  readonly seed: string
  readonly provider: string
  readonly client: OAuthClient
  readonly file: TokenFile
  readonly report: ReportProbeEvent
  readonly clock: Clock
}

// A sign-in that began with the old token ends well before that.
const AHEAD = 10 * MINUTE
// Also where an access token lasts less than twice that.
const SHARE_AHEAD = 0.25
const LEAST_PAUSE = MINUTE
const LONGEST_PAUSE = 30 * MINUTE

/**
 * The OAuth 2 sign-in of one seed: refreshes the access token before it ends, and stores the refresh token that comes
 * with it before anybody uses the new access token. A refusal is final until somebody has signed in anew: the file
 * changes then, and nothing has to be restarted.
 */
export class TokenKeeper {
  readonly #options: TokenKeeperOptions
  #refreshing: Promise<StoredToken> | undefined
  /** What a person must do something about, and the token it was said of; '' while nobody has signed in. */
  #refused: { readonly token: string; readonly error: SignInError } | undefined
  #known: StoredToken | undefined
  #failures = 0
  #notBefore = 0
  readonly #stopped = new AbortController()

  constructor(options: TokenKeeperOptions) {
    this.#options = options
  }

  /**
   * An access token to sign in with.
   *
   * @param fresh the last one was refused: it may have been revoked before its time
   * @throws SignInError where a person is needed, OAuthError where it is a passing fault
   */
  async credential(fresh = false): Promise<ImapCredential> {
    const stored = await this.#stored()
    const { accessToken } = fresh || this.#isDue(stored) ? await this.#refresh(stored) : stored
    return { kind: 'oauth2', accessToken }
  }

  /** Refreshes where it is time. Never rejects: what fails was reported. */
  async check(): Promise<void> {
    try {
      const stored = await this.#stored()
      if (this.#isDue(stored) && this.#options.clock() >= this.#notBefore) {
        await this.#refresh(stored)
      }
    } catch {
      // Reported where it happened.
    }
  }

  stop(): void {
    this.#stopped.abort(new Error('the prober was stopped'))
  }

  #isDue(stored: StoredToken): boolean {
    const life = stored.accessUntil - stored.refreshedAt
    const ahead = Math.min(AHEAD, life * SHARE_AHEAD)
    return this.#options.clock() >= stored.accessUntil - ahead
  }

  /** @throws SignInError, reported once, where nobody has signed in or the sign-in is over */
  async #stored(): Promise<StoredToken> {
    const { seed, file } = this.#options
    let stored: StoredToken | undefined
    try {
      stored = await file.read()
    } catch (error) {
      throw this.#refuse('', messageOf(error))
    }
    if (stored === undefined) {
      throw this.#refuse('', `nobody has signed in: mailcanary seed login ${seed}`)
    }
    if (this.#refused?.token === stored.refreshToken.reveal()) throw this.#refused.error
    this.#refused = undefined
    if (this.#known?.accessToken.reveal() !== stored.accessToken.reveal()) {
      // From a restart, or from `seed login`: what failed before failed for another.
      this.#failures = 0
      this.#notBefore = 0
      this.#tell(stored)
    }
    return stored
  }

  #refresh(stored: StoredToken): Promise<StoredToken> {
    this.#refreshing ??= this.#renew(stored).finally(() => (this.#refreshing = undefined))
    return this.#refreshing
  }

  async #renew(stored: StoredToken): Promise<StoredToken> {
    const { client, clock, file, seed, provider, report } = this.#options
    try {
      const grant = await refresh(client, stored.refreshToken, this.#stopped.signal)
      const current = await file.read().catch(() => undefined)
      // Somebody has signed in meanwhile: that is the newer one.
      if (current && current.signedInAt > stored.signedInAt) return current
      const renewed = storedFrom(grant, clock(), stored)
      await file.write(renewed)
      this.#failures = 0
      this.#tell(renewed)
      return renewed
    } catch (error) {
      if (this.#stopped.signal.aborted) throw error
      if (error instanceof OAuthError && error.kind !== 'unavailable') {
        throw this.#refuse(stored.refreshToken.reveal(), whyRefused(error, seed))
      }
      const wait = Math.min(LONGEST_PAUSE, LEAST_PAUSE * 2 ** Math.min(this.#failures++, 10))
      const retryAfter = error instanceof OAuthError ? error.retryAfter : 0
      this.#notBefore = clock() + Math.max(wait, Math.min(retryAfter, LONGEST_PAUSE))
      const detail = messageOf(error)
      report({ kind: 'token-failed', seed, provider, result: 'unavailable', detail })
      // The old one is good for a while yet, unless it was refused.
      if (clock() < stored.accessUntil) return stored
      throw error
    }
  }

  #refuse(token: string, detail: string): SignInError {
    const { seed, provider, report } = this.#options
    const error = new SignInError(detail)
    if (this.#refused?.token !== token || this.#refused.error.message !== detail) {
      report({ kind: 'token-failed', seed, provider, result: 'refused', detail })
    }
    this.#refused = { token, error }
    this.#known = undefined
    return error
  }

  #tell(stored: StoredToken): void {
    const { seed, provider, report } = this.#options
    this.#known = stored
    report({ kind: 'token-refreshed', seed, provider, until: stored.accessUntil })
  }
}

/**
 * What is kept of a grant.
 *
 * @param before what was kept until now; undefined where a person has just signed in
 * @throws OAuthError where there is no refresh token: the sign-in would die within the hour
 */
export function storedFrom(
  grant: TokenGrant,
  now: number,
  before: StoredToken | undefined,
): StoredToken {
  // RFC 6749 section 6: without a new one the old one stays good.
  const refreshToken: Secret | undefined = grant.refreshToken ?? before?.refreshToken
  if (refreshToken === undefined) {
    throw new OAuthError(
      'misconfigured',
      'no refresh token was given: the scope lacks offline access, or the client may not have one',
    )
  }
  return {
    refreshToken,
    accessToken: grant.accessToken,
    accessUntil: now + grant.lasts,
    signedInAt: before?.signedInAt ?? now,
    refreshedAt: now,
  }
}

function whyRefused(error: OAuthError, seed: string): string {
  return error.kind === 'refused'
    ? `the sign-in is over (${error.message}): mailcanary seed login ${seed}`
    : `the OAuth client is refused (${error.message}): see oauth.clients, then restart`
}
