import { setTimeout as delay } from 'node:timers/promises'

import { messageOf } from '../../base/problem.ts'
import type { LoginResult, Principal } from '../../directory/principal.ts'
import type { Reply } from '../../mail/reply.ts'
import type { ReportRelayEvent } from '../events.ts'
import type { LoginThrottle } from './login-throttle.ts'
import { LOGIN_UNAVAILABLE, TOO_MANY_WRONG, WRONG_PASSWORD } from './replies.ts'

/** Checks a password. It may take its time; it should not throw, and if it does that is our trouble. */
export type Authenticate = (
  login: string,
  password: string,
  network: string,
) => Promise<LoginResult>

type LoginAnswer =
  | { readonly kind: 'accepted'; readonly principal: Principal }
  | { readonly kind: 'refused'; readonly reply: Reply }

/** Who asks. */
export interface Client {
  /** Aborted when it has gone. */
  readonly signal: AbortSignal
}

/** The way in: throttle, password check, reply. **Unavailable is not refused**: only a wrong password is 535. */
export class LoginGate {
  readonly #authenticate: Authenticate
  readonly #throttle: LoginThrottle
  readonly #loginOf: (text: string) => string | undefined
  readonly #report: ReportRelayEvent

  constructor(options: {
    readonly authenticate: Authenticate
    readonly throttle: LoginThrottle
    /** Which login a client means by what it wrote: all ways to write one count together. */
    readonly loginOf: (text: string) => string | undefined
    readonly report: ReportRelayEvent
  }) {
    this.#authenticate = options.authenticate
    this.#throttle = options.throttle
    this.#loginOf = options.loginOf
    this.#report = options.report
  }

  /** @param client when it has gone, nobody waits for the answer any more */
  async attempt(
    credentials: { readonly login: string; readonly password: string },
    network: string,
    client: Client,
  ): Promise<LoginAnswer> {
    const { login, password } = credentials
    const guessed = this.#loginOf(login) ?? login
    const verdict = this.#throttle.enter(guessed, network, password)
    if (verdict.kind === 'closed') {
      this.#report({ kind: 'login', result: 'refused', login, cause: 'too many wrong passwords' })
      return { kind: 'refused', reply: TOO_MANY_WRONG }
    }
    const result = await this.#ask(login, password, network)
    switch (result.kind) {
      case 'accepted':
        this.#throttle.leave(guessed, network, password, 'right')
        this.#report({ kind: 'login', result: 'accepted', login })
        return result
      case 'unavailable':
        this.#throttle.leave(guessed, network, password, 'unknown')
        this.#report({ kind: 'login', result: 'unavailable', login, cause: result.cause })
        return { kind: 'refused', reply: LOGIN_UNAVAILABLE }
      case 'refused':
        this.#throttle.leave(guessed, network, password, 'wrong')
        this.#report({ kind: 'login', result: 'refused', login })
        // The guesser waits, not the one who knows.
        if (verdict.delay > 0) {
          await delay(verdict.delay, undefined, { signal: client.signal, ref: false }).catch(
            () => undefined,
          )
        }
        return { kind: 'refused', reply: WRONG_PASSWORD }
    }
  }

  async #ask(login: string, password: string, network: string): Promise<LoginResult> {
    try {
      return await this.#authenticate(login, password, network)
    } catch (error) {
      return { kind: 'unavailable', cause: messageOf(error) }
    }
  }
}
