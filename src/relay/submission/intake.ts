import { isAscii } from 'node:buffer'

import { newId } from '../../base/id.ts'
import { messageOf } from '../../base/problem.ts'
import type { Principal } from '../../directory/principal.ts'
import { completeHeader, redactedReceived } from '../../mail/completion.ts'
import { HeaderScanner } from '../../mail/headers.ts'
import { originators } from '../../mail/originators.ts'
import type { Reply } from '../../mail/reply.ts'
import { WITHIN, type Judgement } from '../limits/judge.ts'
import { FILE_PIECE } from '../queue/body-files/body-file.ts'
import { StoreUnavailable, type BodyWriter, type NewMessage } from '../queue/store.ts'
import type { Busy, DataSink } from './command-parser.ts'
import type { DataDecoder } from './data-decoder.ts'
import { MAX_RECEIVED } from './limits.ts'
import type { MemoryShare } from './memory-budget.ts'
import { overLimitEvent, overLimitReply } from './over-limit.ts'
import { judgeOriginators } from './policy.ts'
import {
  BARE_NEWLINE,
  HEADER_TOO_BIG,
  INTERNAL_FAULT,
  LINE_OF_CONTENT_TOO_LONG,
  MAIL_LOOP,
  NO_HEADER,
  OUT_OF_MEMORY,
  reply,
  STORE_AWAY,
  STORE_FULL,
  TOO_BIG,
} from './replies.ts'
import type { Site } from './site.ts'
import type { Transaction } from './transaction.ts'

const CRLF = Buffer.from('\r\n')

/**
 * One message on its way from the client into the store. Only its header section is ever in memory whole. **The
 * reply comes after the commit**: a client that reads 250 may forget the message.
 *
 * A refused message is read to its end and thrown away, so that the session stays usable.
 */
export class Intake implements DataSink {
  readonly #site: Site
  readonly #transaction: Transaction
  readonly #principal: Principal
  readonly #tls: string
  readonly #authenticated: boolean
  readonly #memory: MemoryShare
  readonly #answer: (reply: Reply) => void
  readonly #id: string
  readonly #at: number
  readonly #scanner = new HeaderScanner()
  #body: BodyWriter | undefined
  #headerEnded = false
  #messageId = ''
  #eightBitHeader = false
  /** Octets received, and octets stored. */
  #received = 0
  #size = 0
  #refusal: { readonly reply: Reply; readonly reason: string } | undefined
  #aborted = false
  #committing = false

  constructor(
    site: Site,
    message: {
      readonly transaction: Transaction
      readonly principal: Principal
      /** `TLSv1.3`; '' only from a local application. */
      readonly tls: string
      /** False for a local application. */
      readonly authenticated: boolean
      /** What the session holds in memory; given back when there is nothing left of the message. */
      readonly memory: MemoryShare
      readonly answer: (reply: Reply) => void
    },
  ) {
    this.#site = site
    this.#transaction = message.transaction
    this.#principal = message.principal
    this.#tls = message.tls
    this.#authenticated = message.authenticated
    this.#memory = message.memory
    this.#answer = message.answer
    this.#at = site.clock()
    this.#id = newId(site.clock)
  }

  write(content: Buffer): Busy {
    this.#received += content.length
    if (this.#received > this.#site.limits.messageBytes) return this.#refuse(TOO_BIG)
    if (this.#refusal || this.#aborted) return undefined
    return this.#headerEnded ? this.#store(content) : this.#takeHeader(content)
  }

  #takeHeader(content: Buffer): Busy {
    if (!this.#memory.take(content.length)) return this.#refuse(OUT_OF_MEMORY)
    const rest = this.#scanner.push(content)
    this.#memory.giveBack(rest.length)
    this.#headerEnded = this.#scanner.state === 'ended'
    if (this.#headerEnded) return this.#openBody(rest)
    return this.#scanner.state === 'too-large' ? this.#refuse(HEADER_TOO_BIG) : undefined
  }

  async end(decoder: DataDecoder): Promise<void> {
    if (!this.#refusal && !this.#aborted && !this.#headerEnded) {
      this.#scanner.end()
      await this.#openBody(Buffer.alloc(0))
    }
    if (decoder.bareNewlines > 0 && this.#site.bareNewlines === 'reject') {
      await this.#refuse(BARE_NEWLINE, { first: true })
    }
    if (decoder.tooLong) await this.#refuse(LINE_OF_CONTENT_TOO_LONG)
    if (!this.#refusal && !this.#aborted) await this.#commit(decoder.eightBit)
    this.#memory.giveBack()
    if (this.#aborted) return
    if (this.#refusal) {
      const { reply: answer, reason } = this.#refusal
      this.#site.report({
        kind: 'message-refused',
        login: this.#principal.login,
        code: answer.code,
        enhanced: answer.enhanced,
        reason,
      })
      this.#answer(answer)
      return
    }
    this.#answer(reply(250, '2.0.0', `queued as ${this.#id}`))
  }

  /** The client has gone: a message without its final dot does not exist (RFC 5321 section 4.1.1.10). */
  async abort(): Promise<void> {
    // What is being committed is ours, whether or not the client hears of it (RFC 1047).
    if (this.#committing) return
    this.#aborted = true
    await this.#body?.abort().catch(() => undefined)
  }

  #openBody(rest: Buffer): Busy {
    if (!this.#scanner.hasHeader) return this.#refuse(NO_HEADER)
    // RFC 5321 section 6.3
    if (this.#scanner.received >= MAX_RECEIVED) return this.#refuse(MAIL_LOOP)
    const fields = this.#scanner.fields
    const refusal = judgeOriginators(originators(fields), this.#principal)
    if (refusal) return this.#refuse(refusal.reply, { reason: refusal.reason })
    const { hostname } = this.#site
    const { header, messageId } = completeHeader(fields, {
      received: redactedReceived({
        hostname,
        id: this.#id,
        // RFC 3848, RFC 6531 section 4.3
        protocol: `${this.#transaction.smtputf8 ? 'UTF8SMTP' : 'ESMTP'}${this.#protocolSuffix}`,
        tls: this.#tls,
        at: this.#at,
      }),
      messageId: `${this.#id}@${hostname}`,
      at: this.#at,
    })
    this.#messageId = messageId
    this.#eightBitHeader = !isAscii(header)
    const storing = this.#store(Buffer.concat([header, CRLF]))
    if (rest.length === 0) return storing
    return storing === undefined ? this.#store(rest) : storing.then(() => this.#store(rest))
  }

  /** RFC 3848: within TLS, after a login. */
  get #protocolSuffix(): string {
    return `${this.#tls === '' ? '' : 'S'}${this.#authenticated ? 'A' : ''}`
  }

  /** @returns undefined where there is nothing to wait for */
  #store(chunk: Buffer): Busy {
    if (this.#refusal || this.#aborted) return undefined
    try {
      this.#body ??= this.#site.store.newBody()
      // What is beyond the pieces that the store keeps in memory is on the disk already.
      const before = Math.min(this.#size, FILE_PIECE)
      this.#size += chunk.length
      const more = Math.min(this.#size, FILE_PIECE) - before
      if (!this.#memory.take(more)) return this.#refuse(OUT_OF_MEMORY)
      return this.#body.write(chunk)?.catch((error: unknown) => this.#fail(error))
    } catch (error) {
      return this.#fail(error)
    }
  }

  async #commit(eightBit: boolean): Promise<void> {
    const body = this.#body
    if (body === undefined) return
    this.#committing = true
    const envelope = this.#transaction.envelope({ eightBit, eightBitHeader: this.#eightBitHeader })
    const message: NewMessage = {
      id: this.#id,
      envelope,
      login: this.#principal.login,
      acceptedAt: this.#at,
      messageId: this.#messageId,
    }
    let judged: Judgement
    try {
      judged = await this.#put(message, body)
    } catch (error) {
      await this.#fail(error)
      return
    }
    if (judged.kind !== 'within') {
      this.#site.report(overLimitEvent(judged, this.#principal.login))
    }
    if (judged.kind === 'defer') {
      return this.#refuse(overLimitReply(judged), { reason: 'over a limit' })
    }
    this.#site.onAccepted(message, this.#size)
  }

  async #put(message: NewMessage, body: BodyWriter): Promise<Judgement> {
    const { allowance } = this.#transaction
    if (allowance) return allowance.put(message, body)
    await this.#site.store.put(message, body)
    return WITHIN
  }

  async #fail(error: unknown): Promise<void> {
    if (error instanceof StoreUnavailable) {
      return this.#refuse(error.full ? STORE_FULL : STORE_AWAY, { reason: messageOf(error) })
    }
    this.#site.report({ kind: 'relay-fault', part: 'submission', cause: messageOf(error) })
    return this.#refuse(INTERNAL_FAULT)
  }

  /** @param options.first this reason comes before any other that was found */
  async #refuse(
    answer: Reply,
    options: { readonly reason?: string; readonly first?: boolean } = {},
  ): Promise<void> {
    if (this.#refusal && options.first !== true) return
    this.#refusal = { reply: answer, reason: options.reason ?? answer.text }
    await this.#body?.abort().catch(() => undefined)
    this.#memory.giveBack()
  }
}
