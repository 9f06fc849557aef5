import type { Reply } from '../../mail/reply.ts'
import type { LocalAccess } from './local-access.ts'
import { networkOf, type OpenCount } from './network.ts'
import { NOT_YOUR_SERVER, reply, TOO_MANY_CONNECTIONS } from './replies.ts'
import type { Site } from './site.ts'
import type { SocketDoor } from './socket-door.ts'

/** How one gets in at a listener. */
export interface Access {
  /** Sessions of this listener. */
  readonly sessions: OpenCount
  /** On a listener for local applications: whom it trusts. */
  readonly local: LocalAccess | undefined
  /** On a Unix socket: how one gets in there. */
  readonly door: SocketDoor | undefined
}

/** Whether a client that has come is served, and its place in what is counted. */
export class Admission {
  readonly network: string
  readonly #site: Site
  readonly #access: Access
  readonly #address: string
  #ofNetwork = false
  #ofListener = false

  constructor(site: Site, access: Access, address: string) {
    this.#site = site
    this.#access = access
    this.#address = address
    this.network = networkOf(address)
  }

  /** Takes its place. @returns why it is not served, or undefined where it is */
  take(): Reply | undefined {
    const { local, sessions } = this.#access
    this.#ofNetwork = this.#counts.take(this.network)
    this.#ofListener = sessions.take('')
    // RFC 5321 section 3.1
    if (local?.admits(this.#address) === false) return NOT_YOUR_SERVER
    if (!this.#ofNetwork || !this.#ofListener) return TOO_MANY_CONNECTIONS
    // A program that is trusted needs no directory.
    const unready = local ? undefined : this.#site.ready()
    return unready === undefined ? undefined : reply(421, '4.3.0', unready)
  }

  /** Gives its place back. To be called once. */
  leave(): void {
    if (this.#ofNetwork) this.#counts.giveBack(this.network)
    if (this.#ofListener) this.#access.sessions.giveBack('')
  }

  /** Sessions by network: local applications all come from the same one, and must not shut out people there. */
  get #counts(): OpenCount {
    const { door, local } = this.#access
    return (local ?? door)?.open ?? this.#site.networks
  }
}
