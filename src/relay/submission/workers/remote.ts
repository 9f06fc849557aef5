import { WITHIN, type Judgement } from '../../limits/judge.ts'
import type { Metering } from '../../limits/meter.ts'
import type { BodyWriter, NewMessage } from '../../queue/store.ts'
import type { Site } from '../site.ts'
import type { OwnerCalls, WorkerCalls } from './calls.ts'
import type { Link } from './link.ts'

/*
 * Store and limits as a session worker has them: they are the owner's. A body that fits into one piece, as nearly all
 * do, goes over together with its message.
 */

type ToOwner = Link<OwnerCalls, WorkerCalls>

// What a store writes at once, so that a piece of ours is one of its.
const PIECE = 64 * 1_024

/** @returns the owner's store and meter, for `Site` */
export function remoteStore(link: ToOwner): Required<Pick<Site, 'store' | 'meter'>> {
  let bodies = 0
  let sessions = 0
  // A session has one message at a time, so the owner knows its allowance by the session.
  const numbers = new WeakMap<AbortSignal, number>()
  const numberOf = (session: AbortSignal): number => {
    const known = numbers.get(session)
    if (known !== undefined) return known
    const number = sessions++
    numbers.set(session, number)
    session.addEventListener('abort', () => link.tell('closed', number), { once: true })
    return number
  }
  return {
    store: {
      newBody: () => new RemoteBody(link, bodies++),
      put: async (message, body) => void (await put(link, undefined, message, body)),
    },
    meter: { begin: (login, session) => new RemoteAllowance(link, numberOf(session), login) },
  }
}

/** What a login may still send, as the owner counts it. */
class RemoteAllowance implements NonNullable<ReturnType<Metering['begin']>> {
  readonly #link: ToOwner
  readonly #session: number
  readonly #login: string
  #limited = true

  constructor(link: ToOwner, session: number, login: string) {
    this.#link = link
    this.#session = session
    this.#login = login
  }

  async message(): Promise<Judgement> {
    const judged = await this.#link.ask('mail', this.#session, this.#login)
    this.#limited = judged !== undefined
    return judged ?? WITHIN
  }

  recipient(address: string): Promise<Judgement> {
    if (!this.#limited) return Promise.resolve(WITHIN)
    return this.#link.ask('recipient', this.#session, address)
  }

  put(message: NewMessage, body: BodyWriter): Promise<Judgement> {
    return put(this.#link, this.#limited ? this.#session : undefined, message, body)
  }
}

function put(
  link: ToOwner,
  session: number | undefined,
  message: NewMessage,
  body: BodyWriter,
): Promise<Judgement> {
  if (!(body instanceof RemoteBody)) throw new TypeError('a body of another store')
  return link.ask('put', session, message, body.number, body.rest())
}

/** A body on its way to the owner. */
class RemoteBody implements BodyWriter {
  readonly number: number
  readonly #link: ToOwner
  #pieces: Buffer[] = []
  #buffered = 0
  #begun = false
  #failed = false

  constructor(link: ToOwner, number: number) {
    this.#link = link
    this.number = number
  }

  async write(chunk: Uint8Array): Promise<void> {
    // A copy: the caller may reuse its buffer.
    this.#pieces.push(Buffer.from(chunk))
    this.#buffered += chunk.byteLength
    if (this.#buffered <= PIECE) return
    this.#begun = true
    try {
      await this.#link.ask('write', this.number, this.#take())
    } catch (error) {
      this.#failed = true
      throw error
    }
  }

  /** What the owner does not have yet. */
  rest(): Uint8Array {
    // A body with a hole must never become a message.
    if (this.#failed) throw new Error('a part of this body was not stored')
    return this.#take()
  }

  abort(): Promise<void> {
    this.#failed = true
    this.#pieces = []
    if (this.#begun) this.#link.tell('abort', this.number)
    return Promise.resolve()
  }

  #take(): Uint8Array {
    // Memory of its own, for it changes its owner; not of Buffer's pool, which others use too.
    const whole = new Uint8Array(new ArrayBuffer(this.#buffered))
    let at = 0
    for (const piece of this.#pieces) {
      whole.set(piece, at)
      at += piece.length
    }
    this.#pieces = []
    this.#buffered = 0
    return this.#link.give(whole)
  }
}
