import { SECOND, type Clock } from '../base/clock.ts'
import type { Secret } from '../base/secret.ts'
import type { Rejection } from '../directory/account.ts'
import type { Directory } from '../directory/directory.ts'
import type { FailureClass } from '../mail/outcome.ts'
import type { Reply } from '../mail/reply.ts'
import type { OverLimit } from '../relay/limits/login-limits.ts'
import type { LimitUse } from '../relay/limits/use.ts'
import type { RefusedMail } from '../relay/queue/queue-of-login.ts'
import type { ApplicationPassword } from './application-password.ts'
import type { ApplicationPasswords } from './application-passwords.ts'
import type { Door, Entrance } from './door.ts'
import type { SignInWay } from './events.ts'
import type { ChangeState, MailPassword, PasswordChange } from './mail-password.ts'
import type { Refusal, Refusals } from './refusals.ts'
import { Sessions, type Session } from './sessions.ts'

export interface SelfServiceOptions {
  readonly directory: Pick<Directory, 'account' | 'status'>
  readonly door: Door
  /** Absent where nobody can change it: the directory is a file. */
  readonly mailPassword?: MailPassword
  /** Absent where they are turned off. */
  readonly applicationPasswords?: ApplicationPasswords
  readonly mail: MailOfLogin
  readonly refusals: Refusals
  readonly clock: Clock
}

/** What the relay knows of the mail of one login. Every method may throw while the store is away. */
export interface MailOfLogin {
  limits(login: string): Promise<{ readonly over: OverLimit; readonly uses: readonly LimitUse[] }>
  /** Deliveries that have not ended, as many as one wants to count. */
  waiting(login: string): Promise<Waiting>
  /** What other servers have refused lately, the latest first. */
  refused(login: string): Promise<readonly RefusedMail[]>
  /** Why a reply refuses. */
  classify(reply: Reply, host: string): FailureClass
}

export interface Waiting {
  readonly queued: number
  readonly held: number
  /** Why the held ones are. */
  readonly reasons: readonly string[]
  /** There are more than were counted. */
  readonly more: boolean
}

/** Everything that somebody sees of their own account. */
export interface AccountView {
  readonly session: Session
  readonly addresses: readonly string[]
  readonly password: {
    readonly rejection: Rejection | undefined
    /** When the entry was last seen to change; undefined if not since the first reading of all. */
    readonly changedAt: number | undefined
    readonly change: ChangeState | undefined
    readonly mayChange: boolean
  }
  /** The comparison with the directory that logins go by. */
  readonly directory: {
    readonly comparedAt: number | undefined
    readonly troubleSince: number | undefined
  }
  /** Undefined where the store could not be asked. */
  readonly mail:
    | (Awaited<ReturnType<MailOfLogin['limits']>> & {
        readonly waiting: Waiting
        readonly refused: readonly (RefusedMail & { readonly class: FailureClass })[]
      })
    | undefined
  readonly refusals: readonly Refusal[]
  readonly applicationPasswords:
    | {
        readonly mayCreate: boolean
        /** Undefined where they could not be read. */
        readonly list: readonly ApplicationPassword[] | undefined
      }
    | undefined
}

export type NewApplicationPassword =
  | { readonly kind: 'created'; readonly secret: Secret }
  | { readonly kind: 'forbidden' | 'taken' | 'too-many' }

/** What people do about their own account: the page asks this, and this asks the parts. */
export class SelfService {
  readonly #options: SelfServiceOptions
  readonly #sessions: Sessions

  constructor(options: SelfServiceOptions) {
    this.#options = options
    this.#sessions = new Sessions(options.clock)
  }

  /** Which passwords somebody can sign in with. */
  get ways(): readonly SignInWay[] {
    return this.#options.door.ways
  }

  /** @returns the value of the cookie, or why there is none */
  async signIn(
    way: SignInWay,
    login: string,
    password: Secret,
    network: string,
  ): Promise<
    { readonly kind: 'signed-in'; readonly cookie: string } | Exclude<Entrance, { kind: 'open' }>
  > {
    const entrance = await this.#options.door.enter(way, login, password, network)
    if (entrance.kind !== 'open') return entrance
    const { login: canonical, account } = entrance
    const { cookie } = this.#sessions.begin({ login: canonical, account, way })
    return { kind: 'signed-in', cookie }
  }

  /** Whose cookie this is. A session ends with the right to sign in: the account is looked at again at each click. */
  sessionOf(cookie: string): Session | undefined {
    const session = this.#sessions.find(cookie)
    if (session === undefined) return undefined
    const account = this.#options.directory.account(session.login)
    const alive =
      account?.uuid === session.account && this.#options.door.admits(session.way, account.rejection)
    if (alive) return session
    this.#sessions.end(session)
    return undefined
  }

  signOut(session: Session): void {
    this.#sessions.end(session)
  }

  async view(session: Session): Promise<AccountView> {
    const { directory, mailPassword, applicationPasswords, refusals } = this.#options
    const { login, way } = session
    const { rejection, changedAt, addresses = [] } = directory.account(login) ?? {}
    const { ageSeconds, sources } = directory.status()
    const troubles = sources.flatMap(({ trouble }) => trouble?.at ?? [])
    return {
      session,
      addresses,
      password: {
        rejection,
        changedAt,
        change: mailPassword?.stateOf(login),
        mayChange: way === 'directory' && mailPassword !== undefined,
      },
      directory: {
        comparedAt:
          ageSeconds === undefined ? undefined : this.#options.clock() - ageSeconds * SECOND,
        troubleSince: troubles.length === 0 ? undefined : Math.min(...troubles),
      },
      mail: await this.#mailOf(login).catch(() => undefined),
      refusals: refusals.of(login),
      applicationPasswords: applicationPasswords && {
        mayCreate: way === 'directory',
        list: await applicationPasswords.list(login).catch(() => undefined),
      },
    }
  }

  /** Who else is signed in with the old password is not any more. */
  async changePassword(
    session: Session,
    directoryPassword: Secret,
    wanted: Secret,
    network: string,
  ): Promise<PasswordChange> {
    const { mailPassword } = this.#options
    if (session.way !== 'directory' || mailPassword === undefined) return { kind: 'forbidden' }
    const result = await mailPassword.change(session, directoryPassword, wanted, network)
    if (result.kind === 'changed' || result.kind === 'unknown') this.#sessions.endOthers(session)
    return result
  }

  /** Compares with the directory now. */
  async look(): Promise<void> {
    await this.#options.mailPassword?.look()
  }

  /** Only for whom the directory's own password has let in: a stolen mail password must not make itself another. */
  async createApplicationPassword(session: Session, name: string): Promise<NewApplicationPassword> {
    const { applicationPasswords } = this.#options
    if (session.way !== 'directory' || applicationPasswords === undefined) {
      return { kind: 'forbidden' }
    }
    const { login } = session
    const kept = await applicationPasswords.list(login)
    if (kept.some(one => one.name.toLowerCase() === name.toLowerCase())) return { kind: 'taken' }
    const secret = await applicationPasswords.create(login, name)
    return secret === undefined ? { kind: 'too-many' } : { kind: 'created', secret }
  }

  /** @returns false if there was none (any more) */
  async revoke({ login }: Session, id: string): Promise<boolean> {
    return (await this.#options.applicationPasswords?.revoke(login, id)) ?? false
  }

  async #mailOf(login: string): Promise<AccountView['mail']> {
    const { mail } = this.#options
    const refused = await mail.refused(login)
    return {
      ...(await mail.limits(login)),
      waiting: await mail.waiting(login),
      refused: refused.map(one => ({ ...one, class: mail.classify(one.reply, one.host) })),
    }
  }
}
