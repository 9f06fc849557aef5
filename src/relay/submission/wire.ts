import type { Principal } from '../../directory/principal.ts'
import type { Reply } from '../../mail/reply.ts'
import type { Intake } from './intake.ts'
import type { Client } from './login-gate.ts'
import type { MemoryShare } from './memory-budget.ts'
import type { SocketDoor } from './socket-door.ts'

/** The connection under a dialogue. */
export interface Wire extends Client {
  readonly secure: boolean
  /** `TLSv1.3`, or ''. */
  readonly tls: string
  readonly network: string
  /** Who is there without a login and without TLS: only on a listener for local applications. */
  readonly trusted: Principal | undefined
  /** Only on a Unix socket: how somebody gets in who was recognised by an SSH key. */
  readonly door: SocketDoor | undefined
  readonly memory: MemoryShare
  /** Octets that the client has sent beyond the present command. */
  readonly unread: number
  /** A reply with the code 421 also ends the connection. */
  say(reply: Reply): void
  /** Several lines with one code, without enhanced codes (RFC 2034 section 4). */
  sayLines(code: number, lines: readonly string[]): void
  /** What follows is a message. */
  receive(intake: Intake): void
  /** From here on TLS; afterwards `reset` is called on the dialogue. */
  startTls(): void
  loggedIn(): void
  close(): void
  /** The client has asked for the end, and sends nothing more. */
  hangUp(): void
}
