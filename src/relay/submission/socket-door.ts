import { messageOf } from '../../base/problem.ts'
import type { LoginResult, Principal } from '../../directory/principal.ts'
import { isFingerprint } from '../../directory/ssh-key.ts'
import type { Reply } from '../../mail/reply.ts'
import type { ReportRelayEvent } from '../events.ts'
import { OpenCount } from './network.ts'
import { KEY_UNKNOWN, LOGIN_LOCKED, LOGIN_UNAVAILABLE, NOT_A_FINGERPRINT } from './replies.ts'

/**
 * A Unix socket for programs that have recognised somebody already, by an SSH key. Whoever can open it is believed whom it
 * names, so the rights on the socket are all the guard there is.
 */
export interface SocketOptions {
  readonly path: string
  /** Name or number of the group whose members can open it; without one only our own user can. */
  readonly group?: string
  /** Whether a login may send at all, and as whom. */
  readonly entrust: (login: string) => LoginResult
  /** Whose an SSH key is, by its fingerprint. */
  readonly ownerOfKey: (
    fingerprint: string,
  ) => { readonly login: string; readonly key: string } | undefined
}

type Entered =
  | { readonly kind: 'accepted'; readonly principal: Principal }
  | { readonly kind: 'refused'; readonly reply: Reply }

/** What a listener on a Unix socket has instead of passwords: it can look up keys and let logins in, and nothing else. */
export class SocketDoor {
  readonly open: OpenCount
  readonly #options: SocketOptions
  readonly #report: ReportRelayEvent

  constructor(options: SocketOptions, connections: number, report: ReportRelayEvent) {
    this.#options = options
    this.#report = report
    this.open = new OpenCount(connections)
  }

  /** Lets a login in that the program on the other side has recognised. */
  enter(login: string): Entered {
    const result = this.#ask(login)
    switch (result.kind) {
      case 'accepted':
        this.#report({ kind: 'login', result: 'accepted', login: result.principal.login })
        return result
      case 'unavailable':
        this.#report({ kind: 'login', result: 'unavailable', login, cause: result.cause })
        return { kind: 'refused', reply: LOGIN_UNAVAILABLE }
      case 'refused':
        this.#report({ kind: 'login', result: 'refused', login, cause: 'locked or unknown' })
        return { kind: 'refused', reply: LOGIN_LOCKED }
    }
  }

  /** @returns `2.0.0 login type base64`, or why there is no saying */
  lookUp(fingerprint: string): { readonly line: string } | { readonly reply: Reply } {
    if (!isFingerprint(fingerprint)) return { reply: NOT_A_FINGERPRINT }
    const owner = this.#options.ownerOfKey(fingerprint)
    if (owner === undefined) return { reply: KEY_UNKNOWN }
    return { line: `2.0.0 ${owner.login} ${owner.key}` }
  }

  #ask(login: string): LoginResult {
    try {
      return this.#options.entrust(login)
    } catch (error) {
      return { kind: 'unavailable', cause: messageOf(error) }
    }
  }
}
