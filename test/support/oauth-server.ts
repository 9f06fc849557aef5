import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import type { OAuthEndpoints } from '../../src/mail/provider.ts'

type Form = URLSearchParams
type Answer = readonly [status: number, body: Readonly<Record<string, unknown>> | string]

/** What the person at the other end of a device code does, question by question; the last goes on for ever. */
export type DeviceAnswer = 'pending' | 'slow_down' | 'declined' | 'expired' | 'down' | 'agreed'

/**
 * An OAuth 2 server that does what it is told (RFC 6749, 8628, 7636, 7662): device codes and authorization codes,
 * refresh tokens of which each is good once, tokens that are revoked, faults.
 */
export class OAuthServer {
  readonly #server = createServer((request, response) => void this.#serve(request, response))
  /** Access token to user name. */
  readonly #access = new Map<string, string>()
  readonly #refresh = new Map<string, string>()
  readonly #codes = new Map<string, { readonly challenge: string; readonly redirect: string }>()
  /** Every form that came to the token endpoint. */
  readonly asked: Form[] = []
  /** Questions about the validity of a token (RFC 7662). */
  introspections = 0
  device: DeviceAnswer[] = ['agreed']
  user = 'seed@mail.example.net'
  secret = ''
  /** Seconds an access token lasts. */
  lasts = 3_600
  /** Seconds between two questions. */
  interval: number | undefined = 0.005
  /** Whether a refresh gives a new refresh token. */
  rotates = true
  grantsRefresh = true
  /** Happens before the token endpoint answers. */
  meanwhile: () => Promise<void> = () => Promise.resolve()
  /** Answers the token endpoint gives instead of its own, one after the other. */
  readonly instead: Answer[] = []

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  async stop(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close').catch(() => undefined)
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get endpoints(): OAuthEndpoints {
    return {
      deviceUrl: `${this.url}/devicecode`,
      authorizeUrl: `${this.url}/authorize`,
      tokenUrl: `${this.url}/token`,
      scope: 'mail offline_access',
      idleLimit: 90 * 86_400_000,
    }
  }

  /** A sign-in that has already happened. */
  grant(): { readonly accessToken: string; readonly refreshToken: string } {
    const { access_token: accessToken, refresh_token: refreshToken } = this.#issue()
    return { accessToken: String(accessToken), refreshToken: String(refreshToken) }
  }

  /** Every access token ends now: expired, or revoked, which a mail server cannot tell apart. */
  endAccessTokens(): void {
    this.#access.clear()
  }

  /** The person has changed the password: no token is worth anything any more. */
  revokeAll(): void {
    this.#access.clear()
    this.#refresh.clear()
  }

  /** Lets the browser of a person who agrees go to where the page sends it. */
  agree(authorizeUrl: string): string {
    const { searchParams } = new URL(authorizeUrl)
    const code = randomBytes(9).toString('base64url')
    const redirect = searchParams.get('redirect_uri') ?? ''
    this.#codes.set(code, { challenge: searchParams.get('code_challenge') ?? '', redirect })
    return `${redirect}?code=${code}&state=${searchParams.get('state')}`
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const { pathname } = new URL(request.url ?? '', this.url)
    if (pathname === '/authorize') {
      // A person who is signed in, and agrees.
      const location = this.agree(new URL(request.url ?? '', this.url).href)
      response.writeHead(302, { location, connection: 'close' }).end()
      return
    }
    if (pathname === '/token') await this.meanwhile()
    const [status, body] = this.#answer(pathname, new URLSearchParams(text))
    response
      .writeHead(status, { 'content-type': 'application/json', connection: 'close' })
      .end(typeof body === 'string' ? body : JSON.stringify(body))
  }

  #answer(path: string, form: Form): Answer {
    switch (path) {
      case '/devicecode':
        if (form.get('client_id') !== 'client-1') return [400, { error: 'unauthorized_client' }]
        return [
          200,
          {
            device_code: 'device-1',
            user_code: 'ABCD-EFGH',
            verification_uri: 'https://login.example.net/device',
            expires_in: 900,
            ...(this.interval !== undefined && { interval: this.interval }),
          },
        ]
      case '/introspect':
        this.introspections++
        return [200, this.#introspect(form.get('token') ?? '')]
      case '/token':
        this.asked.push(form)
        return this.instead.shift() ?? this.#token(form)
      default:
        return [404, 'not here']
    }
  }

  #introspect(token: string): Readonly<Record<string, unknown>> {
    const username = this.#access.get(token)
    return username === undefined ? { active: 'false' } : { active: 'true', username }
  }

  #token(form: Form): Answer {
    if (form.get('client_id') !== 'client-1') return [401, { error: 'invalid_client' }]
    if ((form.get('client_secret') ?? '') !== this.secret) return [401, { error: 'invalid_client' }]
    switch (form.get('grant_type')) {
      case 'refresh_token': {
        const token = form.get('refresh_token') ?? ''
        if (!this.#refresh.has(token)) {
          return [
            400,
            { error: 'invalid_grant', error_description: `AADSTS70000: ${this.user} must sign in` },
          ]
        }
        if (!this.rotates) return [200, { ...this.#issue(), refresh_token: undefined }]
        this.#refresh.delete(token)
        return [200, this.#issue()]
      }
      case 'authorization_code': {
        const code = this.#codes.get(form.get('code') ?? '')
        const verifier = createHash('sha256').update(form.get('code_verifier') ?? '')
        return code?.challenge === verifier.digest('base64url') &&
          code.redirect === form.get('redirect_uri')
          ? [200, this.#issue()]
          : [400, { error: 'invalid_grant' }]
      }
      default:
        return this.#deviceToken()
    }
  }

  #deviceToken(): Answer {
    const next = this.device.length > 1 ? this.device.shift() : this.device[0]
    switch (next) {
      case 'pending':
        return [400, { error: 'authorization_pending' }]
      case 'slow_down':
        return [400, { error: 'slow_down' }]
      case 'declined':
        return [400, { error: 'authorization_declined' }]
      case 'expired':
        return [400, { error: 'expired_token' }]
      case 'down':
        return [503, 'try again']
      default:
        return [200, this.#issue()]
    }
  }

  #issue(): Readonly<Record<string, unknown>> {
    const access = `access-${randomBytes(9).toString('base64url')}`
    const refresh = `refresh-${randomBytes(9).toString('base64url')}`
    this.#access.set(access, this.user)
    this.#refresh.set(refresh, this.user)
    return {
      access_token: access,
      token_type: 'Bearer',
      expires_in: this.lasts,
      ...(this.grantsRefresh && { refresh_token: refresh }),
    }
  }
}
