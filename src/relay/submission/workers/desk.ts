import { WITHIN, type Judgement } from '../../limits/judge.ts'
import type { MessageAllowance } from '../../limits/meter.ts'
import { sizeOf } from '../../queue/body-files/body-file.ts'
import type { BodyWriter, NewMessage } from '../../queue/store.ts'
import type { Site } from '../site.ts'
import type { OwnerCalls } from './calls.ts'

interface Body {
  readonly writer: BodyWriter
  /** Octets so far. */
  size: number
}

/** Answers what one session worker asks, from the owner's own store, limits and throttle. */
export class Desk {
  readonly #site: Site
  readonly #bodies = new Map<number, Body>()
  readonly #sessions = new Map<number, MessageAllowance>()
  /** All clients of the worker: gone when it is. */
  readonly #gone = new AbortController()

  constructor(site: Site) {
    this.#site = site
  }

  readonly calls: OwnerCalls = {
    attempt: (credentials, network) => this.#site.gate.attempt(credentials, network, this.#gone),
    mail: async (session, login) => {
      const allowance = this.#site.meter?.begin(login, this.#gone)
      if (allowance === undefined) return { judged: WITHIN, ample: true }
      this.#sessions.set(session, allowance)
      const judged = await allowance.message()
      return { judged, ample: allowance.ample?.(this.#site.limits.recipients) ?? false }
    },
    recipient: async (session, address) => {
      return (await this.#sessions.get(session)?.recipient(address)) ?? WITHIN
    },
    write: (number, piece) => this.#write(this.#body(number), piece),
    putRest: async (session, message, number, rest) => {
      const body = this.#body(number)
      try {
        await this.#write(body, rest)
        return await this.#put(session, message, body)
      } catch (error) {
        await this.#abort(number)
        throw error
      } finally {
        this.#bodies.delete(number)
      }
    },
    put: (session, message, content) => {
      const writer = this.#site.store.bodyFiles?.adopt(content)
      if (writer === undefined) throw new Error('a body for a store without files')
      return this.#put(session, message, { writer, size: sizeOf(content) })
    },
    abort: body => void this.#abort(body),
    closed: session => void this.#sessions.delete(session),
    report: event => this.#site.report(event),
  }

  /** The worker is gone: what it had begun never becomes a message. */
  close(): void {
    this.#gone.abort()
    this.#sessions.clear()
    for (const number of this.#bodies.keys()) void this.#abort(number)
  }

  #body(number: number): Body {
    const known = this.#bodies.get(number)
    if (known !== undefined) return known
    const body = { writer: this.#site.store.newBody(), size: 0 }
    this.#bodies.set(number, body)
    return body
  }

  /** The body becomes a message, or nothing. */
  async #put(session: number, message: NewMessage, { writer, size }: Body): Promise<Judgement> {
    const { meter, onAccepted, store } = this.#site
    const allowance = this.#sessions.get(session) ?? meter?.begin(message.login, this.#gone)
    let judged: Judgement = WITHIN
    try {
      if (allowance === undefined) await store.put(message, writer)
      else judged = await allowance.put(message, writer)
    } catch (error) {
      await writer.abort().catch(() => undefined)
      throw error
    }
    if (judged.kind === 'defer') await writer.abort().catch(() => undefined)
    else onAccepted(message, size)
    return judged
  }

  async #write(body: Body, piece: Uint8Array): Promise<void> {
    body.size += piece.length
    await body.writer.write(piece)
  }

  async #abort(number: number): Promise<void> {
    const body = this.#bodies.get(number)
    this.#bodies.delete(number)
    await body?.writer.abort().catch(() => undefined)
  }
}
