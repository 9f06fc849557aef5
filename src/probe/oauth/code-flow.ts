import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

import { type OAuthClient, requestToken, type TokenGrant } from './oauth-client.ts'
import { OAuthError, refusalOf } from './oauth-error.ts'

/*
 * Signing in with a browser that comes back to this machine: the authorization code grant with PKCE (RFC 7636) and a
 * redirect to loopback (RFC 8252 section 7.3). For Google, whose device flow does not give out mail. Where the browser
 * is on another machine its redirect finds nobody, and the person pastes the address it was sent to.
 */

export interface CodeFlow {
  /** The page to open. */
  readonly url: string
  /** Reads what a person has pasted: the whole address, or the code alone. @throws OAuthError if it is another's */
  readonly paste: (text: string) => void
  /** The sign-in, when the browser has come back or something was pasted. */
  readonly grant: Promise<TokenGrant>
  readonly close: () => void
}

const PAGE = `<!doctype html><meta charset="utf-8"><title>mailcanary</title>
<p>This can be closed: the terminal says how it went.</p>
`

/** @throws OAuthError where the provider has no page for it */
export async function beginCodeFlow(client: OAuthClient, signal: AbortSignal): Promise<CodeFlow> {
  const { authorizeUrl, scope } = client.endpoints
  if (authorizeUrl === undefined) {
    throw new OAuthError('misconfigured', 'the provider has no authorize_url')
  }
  const state = randomBytes(24).toString('base64url')
  // RFC 7636 section 4.1: 43 characters at least.
  const verifier = randomBytes(48).toString('base64url')
  let settle: { code: (code: string) => void; fail: (error: Error) => void }
  const code = new Promise<string>((resolve, reject) => {
    settle = { code: resolve, fail: reject }
  })
  const take = (params: URLSearchParams): void => {
    // RFC 6749 section 10.12: an answer to a question that somebody else asked.
    if (!same(params.get('state') ?? '', state)) return
    const error = params.get('error')
    if (error !== null) settle.fail(new OAuthError(refusalOf(error), error))
    else settle.code(params.get('code') ?? '')
  }
  const { server, redirectUri } = await listen(take)
  const stop = (): void => settle.fail(signal.reason as Error)
  signal.addEventListener('abort', stop, { once: true })
  const close = (): void => {
    server.close()
    server.closeAllConnections()
    signal.removeEventListener('abort', stop)
  }
  const grant = code
    .then(code =>
      requestToken(
        client,
        {
          grant_type: 'authorization_code',
          code,
          redirect_uri: redirectUri,
          code_verifier: verifier,
        },
        signal,
      ),
    )
    .finally(close)
  // Whoever awaits it is told; nobody has to.
  grant.catch(() => undefined)
  const url = new URL(authorizeUrl)
  for (const [name, value] of Object.entries({
    response_type: 'code',
    client_id: client.id,
    redirect_uri: redirectUri,
    scope,
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    // Google's words: a refresh token, and one at every sign-in. Others do not mind.
    access_type: 'offline',
    prompt: 'consent',
  })) {
    url.searchParams.set(name, value)
  }
  const paste = (text: string): void => {
    const params = paramsOf(text.trim(), state)
    if (!same(params.get('state') ?? '', state)) {
      throw new OAuthError('refused', 'this address belongs to another sign-in: begin again')
    }
    take(params)
  }
  return { url: url.href, paste, grant, close }
}

async function listen(
  take: (params: URLSearchParams) => void,
): Promise<{ readonly server: Server; readonly redirectUri: string }> {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1')
    response.setHeader('connection', 'close')
    if (pathname !== '/') response.writeHead(404).end()
    else {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(PAGE)
      take(searchParams)
    }
  })
  // RFC 8252 section 8.3: the address, not `localhost`, which may be somebody else.
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { server, redirectUri: `http://127.0.0.1:${port}/` }
}

function paramsOf(text: string, state: string): URLSearchParams {
  try {
    return new URL(text).searchParams
  } catch {
    // The code alone: who pasted it into this terminal answers this question.
    return new URLSearchParams({ code: text, state })
  }
}

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
