import { WITHIN, type Judgement } from '../../limits/judge.ts'
import { AMPLE, type Judged, type MessageAllowance } from '../../limits/meter.ts'
import { BodyFolder } from '../../queue/body-files/body-folder.ts'
import { GrowingBody } from '../../queue/body-files/growing-body.ts'
import type { BodyWriter, NewMessage } from '../../queue/store.ts'
import type { Client } from '../login-gate.ts'
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

/**
 * @param folder where this thread writes large bodies by itself; without it they go over in pieces
 * @returns the owner's store and meter, for `Site`
 */
export function remoteStore(
  link: ToOwner,
  folder: string | undefined,
): Required<Pick<Site, 'store' | 'meter'>> {
  const files = folder === undefined ? undefined : new BodyFolder(folder)
  let bodies = 0
  let sessions = 0
  // A session has one message at a time, so the owner knows its allowance by the session.
  const known = new WeakMap<Client, Session>()
  const sessionOf = (client: Client): Session => {
    const session = known.get(client) ?? { number: sessions++, client, told: false }
    known.set(client, session)
    return session
  }
  const room = new Map<string, number>()
  return {
    store: {
      newBody: () => (files ? new GrowingBody(files) : new RemoteBody(link, bodies++)),
      put: () => Promise.reject(new Error('the owner counts every message')),
    },
    meter: {
      begin: (login, client) =>
        new RemoteAllowance(link, { login, session: sessionOf(client), room }),
    },
  }
}

interface Session {
  readonly number: number
  readonly client: Client
  /** Whether the owner remembers it, and has to hear of its end. */
  told: boolean
}

interface Sender {
  readonly login: string
  readonly session: Session
  /** Messages of each login that may pass before the owner is asked again; `put` has the last word about them too. */
  readonly room: Map<string, number>
}

/** What a login may still send, as the owner counts it. */
class RemoteAllowance implements MessageAllowance {
  readonly #link: ToOwner
  readonly #sender: Sender
  #ample = false

  constructor(link: ToOwner, sender: Sender) {
    this.#link = link
    this.#sender = sender
  }

  message(): Judged {
    const { login, session, room } = this.#sender
    const left = room.get(login) ?? 0
    if (left > 0) {
      room.set(login, left - 1)
      this.#ample = true
      return WITHIN
    }
    if (!session.told) {
      session.told = true
      const { number, client } = session
      client.signal.addEventListener('abort', () => this.#link.tell('closed', number), {
        once: true,
      })
    }
    return this.#link.ask('mail', session.number, login).then(({ judged, ample }) => {
      this.#ample = ample
      if (ample) room.set(login, AMPLE - 1)
      else room.delete(login)
      return judged
    })
  }

  recipient(address: string): Judged {
    if (this.#ample) return WITHIN
    return this.#link.ask('recipient', this.#sender.session.number, address)
  }

  async put(message: NewMessage, body: BodyWriter): Promise<Judgement> {
    if (body instanceof GrowingBody) {
      const content = body.large
        ? await body.seal()
        : this.#link.give(ownMemory(body.pieces(), body.size))
      return this.#link.ask('put', this.#sender.session.number, message, content)
    }
    if (!(body instanceof RemoteBody)) throw new TypeError('a body of another store')
    return this.#link.ask('putRest', this.#sender.session.number, message, body.number, body.rest())
  }
}

/** A body on its way to the owner. */
class RemoteBody implements BodyWriter {
  readonly number: number
  readonly #link: ToOwner
  #pieces: Uint8Array[] = []
  #buffered = 0
  #begun = false
  #failed = false

  constructor(link: ToOwner, number: number) {
    this.#link = link
    this.number = number
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#pieces.push(chunk)
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
    const whole = ownMemory(this.#pieces, this.#buffered)
    this.#pieces = []
    this.#buffered = 0
    return this.#link.give(whole)
  }
}

/** Pieces in memory that can change its owner: nobody else's, as that of Buffer's pool is. */
function ownMemory(pieces: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const whole = Buffer.allocUnsafeSlow(size)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}
