import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { LONGEST_NAME, newMailPassword } from '../../account/application-password.ts'
import type { SelfService } from '../../account/self-service.ts'
import { ownsForm, type Session } from '../../account/sessions.ts'
import { SECOND, type Clock } from '../../base/clock.ts'
import { Secret } from '../../base/secret.ts'
import { printable } from '../../mail/reply.ts'
import { DEFAULT_LIMITS } from '../../relay/submission/limits.ts'
import { contentSecurity, type PublicRoutes } from '../public-routes.ts'
import { accountPage, type AccountPage } from './account-page.ts'
import { cookieFrom, cookieHeader, endingCookie } from './cookie.ts'
import { acceptForms, field, LONGEST_FORM } from './form.ts'
import { signInPage, type SignInPage } from './sign-in-page.ts'
import { isFromOurPage, wayInOf, type WayIn } from './way-in.ts'
import {
  barredSentence,
  CANNOT_NOW,
  TOO_MANY,
  unavailableSentence,
  unfitSentence,
  WRONG_FORM,
} from './words.ts'

export interface AccountRoutesOptions {
  readonly service: SelfService
  readonly domain: string
  /** Networks of the proxies that speak TLS for us. */
  readonly proxies: readonly string[]
  readonly clock: Clock
}

/** What an answer needs beside its text. */
interface Visit {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly way: WayIn
}

type SignedIn = Visit & { readonly session: Session }

/** The page on which people look after their own account. */
export function accountRoutes(options: AccountRoutesOptions): PublicRoutes {
  return app => new Routes(options).addTo(app)
}

class Routes {
  readonly #options: AccountRoutesOptions
  readonly #service: SelfService

  constructor(options: AccountRoutesOptions) {
    this.#options = options
    this.#service = options.service
  }

  addTo(app: FastifyInstance): void {
    acceptForms(app)
    app.addHook('onRequest', async (_, reply) => {
      // Never from a cache, also not with the button "back"; in no search.
      reply.header('cache-control', 'no-store').header('x-robots-tag', 'noindex')
    })
    const security = {
      helmet: {
        contentSecurityPolicy: contentSecurity({ forms: true }),
        // Without a referrer browsers leave out the origin too, and that is how we know our own forms.
        referrerPolicy: { policy: 'same-origin' as const },
      },
      bodyLimit: LONGEST_FORM,
    }
    app.get('/account', security, (request, reply) => this.#show(request, reply))
    const post = (path: string, act: (visit: Visit) => Promise<FastifyReply>): void => {
      app.post(`/account/${path}`, security, (request, reply) => this.#post(request, reply, act))
    }
    post('sign-in', visit => this.#signIn(visit))
    post('sign-out', visit => this.#within(visit, signedIn => this.#signOut(signedIn)))
    post('look', visit =>
      this.#within(visit, async ({ reply }) => {
        await this.#service.look()
        return reply.redirect('/account', 303)
      }),
    )
    post('password', visit => this.#within(visit, signedIn => this.#changePassword(signedIn)))
    post('application-passwords', visit =>
      this.#within(visit, signedIn => this.#createApplicationPassword(signedIn)),
    )
    post('application-passwords/revoke', visit =>
      this.#within(visit, signedIn => this.#revoke(signedIn)),
    )
  }

  async #show(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const way = wayInOf(request, this.#options.proxies)
    if (way === undefined) return notThere(reply)
    const session = this.#sessionOf(request, way)
    return session === undefined
      ? this.#askToSignIn(reply, 200, {})
      : this.#page({ request, reply, way, session }, 200, {})
  }

  async #post(
    request: FastifyRequest,
    reply: FastifyReply,
    act: (visit: Visit) => Promise<FastifyReply>,
  ): Promise<FastifyReply> {
    const way = wayInOf(request, this.#options.proxies)
    if (way === undefined) return notThere(reply)
    if (!isFromOurPage(request)) {
      return this.#askToSignIn(reply, 403, { notice: { tone: 'alert', text: WRONG_FORM } })
    }
    return act({ request, reply, way })
  }

  /** For who is signed in, and sent a form that we gave to them. */
  async #within(
    visit: Visit,
    act: (visit: SignedIn) => Promise<FastifyReply>,
  ): Promise<FastifyReply> {
    const session = this.#sessionOf(visit.request, visit.way)
    if (session === undefined) {
      const text = 'You are signed out: too much time has passed, or your account has changed.'
      return this.#askToSignIn(visit.reply, 403, { notice: { tone: 'alert', text } })
    }
    const signedIn = { ...visit, session }
    return ownsForm(session, field(visit.request.body, 'form_token'))
      ? act(signedIn)
      : this.#page(signedIn, 403, { notice: { tone: 'alert', text: WRONG_FORM } })
  }

  async #signIn({ request: { body }, reply, way }: Visit): Promise<FastifyReply> {
    const login = field(body, 'login').slice(0, 200)
    const chosen = this.#service.ways.find(known => known === field(body, 'way'))
    const again = (status: number, text: string): FastifyReply =>
      this.#askToSignIn(reply, status, {
        login,
        ...(chosen && { way: chosen }),
        notice: { tone: 'alert', text },
      })
    if (chosen === undefined) return again(422, 'Say which password it is.')
    const password = new Secret(field(body, 'password'))
    const result = await this.#service.signIn(chosen, login, password, way.network)
    switch (result.kind) {
      case 'signed-in':
        reply.header('set-cookie', cookieHeader(result.cookie, way.secure))
        return reply.redirect('/account', 303)
      case 'refused':
        return again(403, 'Login or password is wrong.')
      case 'too-many':
        reply.header('retry-after', DEFAULT_LIMITS.loginWindow / SECOND)
        return again(429, TOO_MANY)
      case 'unavailable':
        return again(503, unavailableSentence(chosen))
      case 'barred':
        return again(403, barredSentence(result.rejection))
    }
  }

  async #signOut({ reply, way, session }: SignedIn): Promise<FastifyReply> {
    this.#service.signOut(session)
    reply.header('set-cookie', endingCookie(way.secure))
    return this.#askToSignIn(reply, 200, {
      notice: { tone: 'status', text: 'You are signed out.' },
    })
  }

  async #changePassword(visit: SignedIn): Promise<FastifyReply> {
    const { request, reply, session, way } = visit
    const { body } = request
    const make = field(body, 'choice') !== 'own'
    const wanted = make ? newMailPassword() : new Secret(field(body, 'wanted'))
    const not = (status: number, text: string): Promise<FastifyReply> =>
      this.#page(visit, status, { changing: true, notice: { tone: 'alert', text } })
    if (!make && wanted.reveal() !== field(body, 'again')) {
      return not(422, 'The two new passwords are not the same. Nothing was changed.')
    }
    const shown = new Secret(field(body, 'directory_password'))
    const result = await this.#service.changePassword(session, shown, wanted, way.network)
    switch (result.kind) {
      case 'changed':
      case 'unknown':
        if (!make) return reply.redirect('/account', 303)
        return this.#page(visit, 200, {
          made: { title: 'Your new mail password', secret: wanted.reveal() },
        })
      case 'refused':
        return not(403, 'The password of your account is wrong. Nothing was changed.')
      case 'too-many':
        return not(429, TOO_MANY)
      case 'unavailable':
        return not(503, CANNOT_NOW)
      case 'forbidden':
        return not(
          403,
          'The directory does not let you change it. Nothing was changed; please tell the people who run your mail.',
        )
      case 'unfit':
        return not(422, `${unfitSentence(result.why)} Nothing was changed.`)
    }
  }

  async #createApplicationPassword(visit: SignedIn): Promise<FastifyReply> {
    const name = printable(field(visit.request.body, 'name')).slice(0, LONGEST_NAME).trim()
    const not = (status: number, text: string): Promise<FastifyReply> =>
      this.#page(visit, status, { notice: { tone: 'alert', text } })
    if (name === '') return not(422, 'Give it a name, by which you will know it again.')
    const result = await this.#service
      .createApplicationPassword(visit.session, name)
      .catch(() => ({ kind: 'unavailable' }) as const)
    switch (result.kind) {
      case 'created':
        return this.#page(visit, 200, {
          made: { title: `The password for ${name}`, secret: result.secret.reveal() },
        })
      case 'forbidden':
        return not(403, 'For that you have to sign in with the password of your account.')
      case 'taken':
        return not(422, `You have one of the name ${name}. Revoke that one, or take another name.`)
      case 'too-many':
        return not(422, 'You have as many as anybody may have. Revoke one that is not used.')
      case 'unavailable':
        return not(503, 'It cannot be made at the moment; try again later.')
    }
  }

  async #revoke(visit: SignedIn): Promise<FastifyReply> {
    try {
      const done = await this.#service.revoke(visit.session, field(visit.request.body, 'id'))
      const text = done ? 'Revoked: nobody can log in with it any more.' : 'It was revoked before.'
      return await this.#page(visit, 200, { notice: { tone: 'status', text } })
    } catch {
      const text = 'It could NOT be revoked at the moment and works still; try again at once.'
      return this.#page(visit, 503, { notice: { tone: 'alert', text } })
    }
  }

  #sessionOf(request: FastifyRequest, { secure }: WayIn): Session | undefined {
    const cookie = cookieFrom(request.headers.cookie, secure)
    return cookie === '' ? undefined : this.#service.sessionOf(cookie)
  }

  async #page(
    { reply, session }: SignedIn,
    status: number,
    more: Pick<AccountPage, 'notice' | 'changing' | 'made'>,
  ): Promise<FastifyReply> {
    const { domain, clock } = this.#options
    const view = await this.#service.view(session)
    return send(reply, status, accountPage({ domain, view, now: clock(), ...more }))
  }

  #askToSignIn(
    reply: FastifyReply,
    status: number,
    more: Pick<SignInPage, 'login' | 'way' | 'notice'>,
  ): FastifyReply {
    const { domain } = this.#options
    return send(reply, status, signInPage({ domain, ways: this.#service.ways, ...more }))
  }
}

function notThere(reply: FastifyReply): FastifyReply {
  reply.callNotFound()
  return reply
}

function send(reply: FastifyReply, status: number, page: string): FastifyReply {
  return reply.code(status).type('text/html; charset=utf-8').send(page)
}
