import { SECOND } from '../../base/clock.ts'
import { codeOf, messageOf } from '../../base/problem.ts'
import { Secret } from '../../base/secret.ts'
import type { OAuthEndpoints } from '../../mail/provider.ts'
import { printable } from '../../mail/reply.ts'
import { withoutAddresses } from '../redact.ts'
import { OAuthError, refusalOf } from './oauth-error.ts'

/** An application that was registered at a provider: the operator's own, never ours. */
export interface OAuthClient {
  readonly id: string
  /** Absent for a public client (RFC 6749 section 2.1), as the device flow has it. */
  readonly secret?: Secret
  readonly endpoints: OAuthEndpoints
}

/** What the token endpoint gives (RFC 6749 section 5.1). */
export interface TokenGrant {
  readonly accessToken: Secret
  /** Milliseconds the access token lasts. */
  readonly lasts: number
  /** A new one replaces the old; absent where the old one stays good. */
  readonly refreshToken?: Secret
}

/** What the server says, for a person and for `error`: everything but tokens. */
export interface OAuthAnswer {
  readonly ok: boolean
  readonly body: Readonly<Record<string, unknown>>
  /** Milliseconds; 0 where it did not say. */
  readonly retryAfter: number
}

const WITHIN = 20 * SECOND
const LARGEST_ANSWER = 64 * 1024
const MAX_DETAIL = 300
// RFC 6749 section 5.1 leaves expires_in out where it is known otherwise; an hour is what providers give.
const USUAL_LIFE = 3_600

/**
 * Posts a form to an endpoint and reads the JSON it answers with (RFC 6749 section 3.2). An `error` in the answer is
 * the caller's to judge.
 *
 * @throws OAuthError `unavailable` where no answer could be had, the reason of `signal` if that was aborted
 */
export async function postForm(
  url: string,
  form: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<OAuthAnswer> {
  const timeout = AbortSignal.timeout(WITHIN)
  try {
    const response = await fetch(url, {
      method: 'POST',
      // Section 2.3.1: the secret goes into the body, never into a URL.
      body: new URLSearchParams(form),
      headers: { accept: 'application/json' },
      // What is posted is a secret: it goes to the host that was configured and to no other.
      redirect: 'error',
      signal: AbortSignal.any([signal, timeout]),
    })
    const retryAfter = Number(response.headers.get('retry-after') ?? 0)
    const answer = {
      ok: response.ok,
      body: await bodyOf(response),
      retryAfter: Number.isFinite(retryAfter) ? Math.max(0, retryAfter) * SECOND : 0,
    }
    if (response.status === 429 || response.status >= 500) {
      throw new OAuthError('unavailable', `HTTP ${response.status}`, answer.retryAfter)
    }
    return answer
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (error instanceof OAuthError) throw error
    if (timeout.aborted)
      throw new OAuthError('unavailable', `no answer within ${WITHIN / SECOND} s`)
    throw new OAuthError('unavailable', faultOf(error))
  }
}

/**
 * Asks the token endpoint for a grant.
 *
 * @param form what identifies the grant; the client's own fields are added
 * @throws OAuthError with what the server said
 */
export async function requestToken(
  client: OAuthClient,
  form: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<TokenGrant> {
  return grantOf(await postForm(client.endpoints.tokenUrl, withClient(client, form), signal))
}

/** A new access token for an old sign-in (RFC 6749 section 6). @throws OAuthError */
export function refresh(
  client: OAuthClient,
  refreshToken: Secret,
  signal: AbortSignal,
): Promise<TokenGrant> {
  return requestToken(
    client,
    {
      grant_type: 'refresh_token',
      refresh_token: refreshToken.reveal(),
      scope: client.endpoints.scope,
    },
    signal,
  )
}

/** @throws OAuthError where the answer is a refusal, or holds no token */
export function grantOf({ ok, body, retryAfter }: OAuthAnswer): TokenGrant {
  if (!ok || typeof body['error'] === 'string') throw errorOf(body, retryAfter)
  const { access_token: access, refresh_token: next, expires_in: seconds } = body
  if (typeof access !== 'string' || access === '') {
    throw new OAuthError('unavailable', 'the answer holds no access_token')
  }
  // Some servers write the number as text.
  const lasts = Number(seconds ?? USUAL_LIFE)
  return {
    accessToken: new Secret(access),
    lasts: (Number.isFinite(lasts) && lasts > 0 ? lasts : USUAL_LIFE) * SECOND,
    ...(typeof next === 'string' && next !== '' && { refreshToken: new Secret(next) }),
  }
}

/** What an answer with `error` means. */
export function errorOf(body: OAuthAnswer['body'], retryAfter = 0): OAuthError {
  const word = textOf(body['error'])
  const said = textOf(body['error_description'])
  const detail = [word, said].filter(part => part !== '').join(': ') || 'no reason given'
  return new OAuthError(
    refusalOf(word),
    withoutAddresses(printable(detail)).slice(0, MAX_DETAIL),
    retryAfter,
  )
}

export function withClient(
  client: OAuthClient,
  form: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return {
    client_id: client.id,
    ...(client.secret && { client_secret: client.secret.reveal() }),
    ...form,
  }
}

async function bodyOf(response: Response): Promise<OAuthAnswer['body']> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true })
    if (text.length > LARGEST_ANSWER) throw new OAuthError('unavailable', 'the answer is too long')
  }
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body === 'object' && body !== null) return body as OAuthAnswer['body']
  } catch {
    // A page of some proxy.
  }
  throw new OAuthError('unavailable', `HTTP ${response.status} without JSON`)
}

/** `fetch` wraps what happened: its own message is always "fetch failed". */
function faultOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const code = codeOf(cause)
  const message = messageOf(cause)
  return code === '' || message.includes(code) ? message : `${message} (${code})`
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
