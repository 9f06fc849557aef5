import type { CertificatePairs } from '../../../base/server-tls.ts'
import type { RelayEvent } from '../../events.ts'
import type { Judgement } from '../../limits/judge.ts'
import type { BodyContent } from '../../queue/body-files/body-file.ts'
import type { NewMessage } from '../../queue/store.ts'
import type { ListenerOptions } from '../listener.ts'
import type { LoginGate } from '../login-gate.ts'
import type { Site } from '../site.ts'

/** What session workers ask the thread that owns store, limits, throttle and metrics. */
export interface OwnerCalls {
  attempt(
    credentials: { readonly login: string; readonly password: string },
    network: string,
  ): ReturnType<LoginGate['attempt']>
  /** At MAIL of a session: may the login send one more, and has it so much left that nobody need ask for a while? */
  mail(session: number, login: string): Promise<{ judged: Judgement; ample: boolean }>
  recipient(session: number, address: string): Promise<Judgement>
  /** A piece of a body that is larger than one, for a store without files. */
  write(body: number, piece: Uint8Array): Promise<void>
  /** The message, with all of its body or the file that it is in. Resolves when it is durable. */
  put(session: number, message: NewMessage, content: BodyContent): Promise<Judgement>
  /** The same with the rest of a body, for a store without files. */
  putRest(session: number, message: NewMessage, body: number, rest: Uint8Array): Promise<Judgement>
  /** The body will not become a message. */
  abort(body: number): void
  closed(session: number): void
  report(event: RelayEvent): void
}

/** What `ServerIdentities` are made of. */
export interface Shown {
  readonly pairs: CertificatePairs
  readonly ticketKeys: Uint8Array
}

/** What the owner knows and sessions want to know at once. */
export interface Notice {
  /** Why no mail can be taken now. */
  readonly unready: string | undefined
  readonly freeSpace: number | undefined
}

/** What the owner asks a session worker. */
export interface WorkerCalls {
  /** Resolves when all listen. */
  open(): Promise<void>
  shutDown(grace: number): Promise<void>
  useIdentities(shown: Shown): void
  notice(notice: Notice): void
}

/** What a session worker is made of: data only. */
export interface WorkerOptions {
  /** Its place among the workers, from 0. */
  readonly place: number
  readonly listeners: readonly ListenerOptions[]
  readonly identities: Shown
  readonly rules: Pick<Site, 'hostname' | 'limits' | 'policy' | 'bareNewlines'>
  /** Where it writes large bodies by itself; undefined where the store has no files. */
  readonly bodies: string | undefined
  /** Memory that all workers share: see `shared.ts`. */
  readonly counts: SharedArrayBuffer
  readonly tally: SharedArrayBuffer
  /** Of the hash that spreads the keys of `counts`. */
  readonly seed: number
  readonly notice: Notice
}
