import { once } from 'node:events'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

import type { SMTPServer } from 'smtp-server'
import { SMTPConnection, type SMTPConnectionOptions } from 'smtp-server/lib/smtp-connection.js'

import { keepProtocol, tlsProtocolOf } from '../../base/tls-protocol.ts'
import type { Principal } from '../../directory/principal.ts'
import { formatReply, printable, type Reply } from '../../mail/reply.ts'
import { Admission, type Access } from './admission.ts'
import { CommandParser, type Busy, type DataSink, type Line } from './command-parser.ts'
import { DataDecoder } from './data-decoder.ts'
import { Deadlines } from './deadlines.ts'
import { Departure } from './departure.ts'
import { Dialogue } from './dialogue.ts'
import type { Intake } from './intake.ts'
import { MAX_CONTENT_LINE } from './limits.ts'
import type { MemoryShare } from './memory-budget.ts'
import { SHUTTING_DOWN, TALKS_TOO_SOON, TOO_SLOW } from './replies.ts'
import type { Site } from './site.ts'
import type { SocketDoor } from './socket-door.ts'
import type { Wire } from './wire.ts'

/** Milliseconds a client that was told 421 has for closing its side when we stop. */
const LINGER = 500

/**
 * One client. smtp-server brings the socket, its upgrade to TLS and its end; parsing, dialogue and timeouts are
 * ours, since its own execute lines without a proper end, reset the clock with every octet, and wait 100 ms before
 * the greeting.
 */
export class SubmissionConnection extends SMTPConnection implements Wire {
  readonly #site: Site
  #tls: string
  readonly #dialogue: Dialogue
  readonly #deadlines: Deadlines
  readonly #departure = new Departure()
  readonly #access: Access
  readonly #admission: Admission
  readonly memory: MemoryShare
  #ready = false
  #spoken = false
  #working = false
  #stopping = false
  #intake: Intake | undefined

  constructor(
    server: SMTPServer,
    socket: Socket,
    options: SMTPConnectionOptions,
    site: Site,
    access: Access,
  ) {
    super(server, socket, options)
    this.#tls = tlsProtocolOf(socket)
    this.#site = site
    this.#access = access
    this.#admission = new Admission(site, access, this.remoteAddress)
    this.memory = site.memory.share()
    this.#dialogue = new Dialogue(site, this)
    this.#deadlines = new Deadlines(site.limits, site.clock, () => this.#tooSlow())
  }

  get trusted(): Principal | undefined {
    return this.#access.local?.principal
  }

  get door(): SocketDoor | undefined {
    return this.#access.door
  }

  get network(): string {
    return this.#admission.network
  }

  get signal(): AbortSignal {
    return this.#departure.signal
  }

  get tls(): string {
    return this.#tls
  }

  get unread(): number {
    return this._parser instanceof CommandParser ? this._parser.unread : 0
  }

  override init(): void {
    this._setListeners(() => {
      this.#deadlines.awaitLogin()
      this.#deadlines.awaitCommand()
      // One turn of the event loop shows what has already come: a client that talks first is no mail program.
      setImmediate(() => this.#greet())
    })
  }

  /** Ends the session: at once where it is the client's turn, otherwise after the answer that is being made. */
  shutDown(): void {
    this.#stopping = true
    if (!this.#working && !this.#intake) this.#sayGoodbye()
  }

  /** Ends the connection without a word. */
  destroy(): void {
    this._socket.destroy()
  }

  #greet(): void {
    if (this._closing || this._closed) return
    this._resetSession()
    const refusal = this.#admission.take()
    if (this.#stopping) this.say(SHUTTING_DOWN)
    else if (this.#spoken) this.say(TALKS_TOO_SOON)
    else if (refusal) {
      this.say(refusal)
      this.close()
    } else {
      this.#ready = true
      if (this.trusted) this.#deadlines.loggedIn()
      this.sayLines(220, [`${this.#site.hostname} ESMTP mailcanary`])
    }
  }

  override _createParser(): CommandParser {
    return new CommandParser({
      onLine: line => this.#onLine(line),
      onOctets: count => this.#onOctets(count),
    })
  }

  #onOctets(count: number): void {
    this.#spoken = true
    this.#deadlines.received(count)
  }

  #onLine(line: Line): Busy {
    return this.#ready ? this.#work(() => this.#dialogue.line(line)) : undefined
  }

  #work(task: () => Busy): Busy {
    this.#working = true
    this.#deadlines.busy()
    let busy: Busy
    try {
      busy = task()
    } finally {
      this.#working = busy !== undefined
    }
    if (busy === undefined) return this.#worked()
    return busy
      .finally(() => {
        this.#working = false
      })
      .then(() => this.#worked())
  }

  /** It is the client's turn. */
  #worked(): Busy {
    if (this._upgrading) this.#deadlines.awaitHandshake()
    else if (this.#intake) this.#deadlines.awaitData()
    else this.#deadlines.awaitCommand()
    if (this.#stopping && !this.#intake) this.#sayGoodbye()
    // A client that sends and never reads would otherwise make replies pile up here.
    const socket = this._socket
    if (!socket.writableNeedDrain || socket.destroyed) return undefined
    return once(socket, 'drain', { signal: this.signal }).then(
      () => undefined,
      () => undefined,
    )
  }

  receive(intake: Intake): void {
    const parser = this._parser
    if (!(parser instanceof CommandParser)) return
    this.#intake = intake
    const sink: DataSink = {
      write: content => {
        const writing = intake.write(content)
        return writing && this.#work(() => writing)
      },
      end: decoder =>
        this.#work(async () => {
          await intake.end(decoder)
          this.#intake = undefined
        }),
    }
    const normalise = this.#site.bareNewlines === 'normalize'
    parser.receive(new DataDecoder({ normalise, longest: MAX_CONTENT_LINE }), sink)
  }

  startTls(): void {
    // What the client has already sent in clear text dies with the old parser (RFC 3207 section 4.2).
    this.upgrade(
      () => undefined,
      () => {
        this.#tls = tlsProtocolOf(this._socket)
        this.#dialogue.reset()
        this.#deadlines.awaitCommand()
      },
    )
  }

  loggedIn(): void {
    this.#deadlines.loggedIn()
  }

  say(answer: Reply): void {
    this.#write(`${printable(formatReply(answer))}\r\n`)
    if (answer.code === 421) this.close()
  }

  sayLines(code: number, lines: readonly string[]): void {
    const last = lines.length - 1
    // The blank of a reply without text stays (RFC 4954 section 4).
    this.#write(
      lines.map((line, i) => `${code}${i < last ? '-' : ' '}${printable(line)}\r\n`).join(''),
    )
  }

  /** @param text a whole reply, with its line ends */
  #write(text: string): void {
    const socket = this._socket
    // During the handshake it is still the one in clear text, where nothing may be said any more.
    if (!this._upgrading && !socket.destroyed && socket.readyState === 'open') socket.write(text)
  }

  #sayGoodbye(): void {
    if (!this._closing) this.say(SHUTTING_DOWN)
    setTimeout(() => this.destroy(), LINGER).unref()
  }

  #tooSlow(): void {
    if (this._upgrading) this.destroy()
    else this.say(TOO_SLOW)
  }

  override close(): void {
    super.close()
    this.#deadlines.stop()
  }

  /**
   * RFC 5321 section 4.1.1.10: it is we who close. Its side is not waited for, unless it has sent more than QUIT: unread, that
   * would make a reset of our close, which may overtake the reply.
   */
  hangUp(): void {
    const nothingMore = this.unread === 0
    this.close()
    if (nothingMore && !this._upgrading) this._socket.destroySoon()
  }

  /** smtp-server's timer counts from the last octet; `Deadlines` has taken its place. */
  override _armTimeout(socket: Socket = this._socket): void {
    // It is called with the TLS socket while that has not taken the place of the other.
    if (socket !== this._socket && socket instanceof TLSSocket) keepProtocol(socket)
  }

  override _onClose(): void {
    super._onClose()
    if (this.#departure.happened) return
    this.#departure.happen()
    this.#deadlines.stop()
    this.#admission.leave()
    this.memory.close()
    void this.#intake?.abort()
  }
}
