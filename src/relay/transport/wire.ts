import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'

import { codeOf } from '../../base/problem.ts'
import { tlsProtocolOf } from '../../base/tls-protocol.ts'
import { ReplyReader, type ReceivedReply } from './reply-reader.ts'
import type { Endpoint } from './resolver.ts'
import { faultOf, SmtpFault, type SmtpFaultKind } from './smtp-fault.ts'

// More replies than this, unasked for, and the server is not talking SMTP. Above any number of pipelined commands.
const MAX_WAITING = 2_000

/**
 * One connection to a next hop: octets out, replies in, each with a time limit. One waiting call at a time. After
 * the first fault every call throws that fault, but replies that came before it are still handed out.
 */
export class Wire {
  #socket: Socket
  #tls = ''
  readonly #reader = new ReplyReader()
  #replies: ReceivedReply[] = []
  #fault: SmtpFault | undefined
  #wake: () => void = () => undefined
  /** What an error of the socket means now. */
  #phase: SmtpFaultKind = 'connect'

  private constructor(socket: Socket) {
    this.#socket = socket
  }

  /**
   * @param secure TLS from the first octet (RFC 8314 section 3.3), or undefined
   * @param signal breaks off at once
   * @throws SmtpFault `connect`, `tls`, `timeout` or what the signal aborts with
   */
  static async connect(
    to: Endpoint,
    timeouts: { readonly connect: number; readonly tls: number },
    signal: AbortSignal,
    secure?: ConnectionOptions,
  ): Promise<Wire> {
    // Nagle's algorithm and delayed acknowledgements together cost 40 ms a command.
    const socket = connectTcp({ host: to.address, port: to.port, noDelay: true })
    const wire = new Wire(socket)
    const release = wire.obey(signal)
    try {
      let open = false
      wire.#listen(socket)
      socket.once('connect', () => {
        open = true
        wire.#wake()
      })
      await wire.#until(() => open || undefined, timeouts.connect, 'the connection', 'connect')
      if (secure) await wire.startTls(secure, timeouts.tls)
      else wire.#speak()
      return wire
    } catch (error) {
      wire.destroy()
      throw error
    } finally {
      release()
    }
  }

  /** Protocol of the connection, `TLSv1.3`, or '' for clear text. */
  get tls(): string {
    return this.#tls
  }

  /** Whether it can still be spoken on, and nothing lies unread: what was not asked for makes replies ambiguous. */
  get clean(): boolean {
    return !this.#fault && this.#socket.writable && !this.hasInput
  }

  /** Whether the server has said something that nobody has read. */
  get hasInput(): boolean {
    return this.#replies.length > 0 || this.#reader.partial
  }

  /** Lets a signal break the connection. @returns the end of that */
  obey(signal: AbortSignal): () => void {
    const stop = (): void => this.#fail(faultOf(signal.reason, 'stopped'))
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
    return () => signal.removeEventListener('abort', stop)
  }

  /** @param phase for people: `the greeting`, `MAIL` */
  reply(timeout: number, phase: string): Promise<ReceivedReply> {
    return this.#until(() => this.#replies.shift(), timeout, phase, 'timeout')
  }

  /** Several pieces leave together, uncopied. Resolves when the socket wants more. */
  async write(
    octets: string | Uint8Array | readonly Uint8Array[],
    timeout: number,
    phase: string,
  ): Promise<void> {
    if (this.#fault) throw this.#fault
    const socket = this.#socket
    if (typeof octets === 'string' || octets instanceof Uint8Array) socket.write(octets)
    else {
      socket.cork()
      for (const piece of octets) socket.write(piece)
      socket.uncork()
    }
    if (!socket.writableNeedDrain) return
    await this.#until(() => !this.#socket.writableNeedDrain || undefined, timeout, phase, 'timeout')
  }

  /** @throws SmtpFault of kind `tls` for whatever goes wrong in the handshake */
  async startTls(options: ConnectionOptions, timeout: number): Promise<void> {
    if (this.#fault) throw this.#fault
    const plain = this.#socket
    this.#unlisten(plain)
    plain.on('error', () => undefined)
    plain.pause()
    // RFC 3207 section 4.2: what came in clear text after the reply to STARTTLS was never said (CVE-2011-0411).
    this.#reader.clear()
    this.#replies = []
    const socket = connectTls({ ...options, socket: plain })
    this.#socket = socket
    let secured = false
    this.#phase = 'tls'
    this.#listen(socket)
    socket.once('secureConnect', () => {
      this.#tls = tlsProtocolOf(socket)
      secured = true
      this.#wake()
    })
    await this.#until(() => secured || undefined, timeout, 'the TLS handshake', 'tls')
    this.#speak()
  }

  /** Ends it the polite way, but not for longer than `timeout`. Never throws. */
  async quit(timeout: number): Promise<void> {
    if (this.clean) {
      await this.write('QUIT\r\n', timeout, 'QUIT')
        .then(() => this.reply(timeout, 'QUIT'))
        .catch(() => undefined)
    }
    this.destroy()
  }

  destroy(): void {
    this.#fail(new SmtpFault('lost', 'the connection was closed by us'))
  }

  // Only our own listeners are ever removed: node keeps some of its own on the same socket.
  readonly #onError = (error: Error): void => this.#fail(new SmtpFault(this.#phase, wordsOf(error)))
  readonly #onClose = (): void =>
    this.#fail(new SmtpFault(this.#phase, 'the server closed the connection'))
  readonly #onDrain = (): void => this.#wake()
  readonly #onData = (chunk: Buffer): void => this.#read(chunk)

  #listen(socket: Socket): void {
    socket.on('error', this.#onError)
    socket.on('end', this.#onClose)
    socket.on('close', this.#onClose)
    socket.on('drain', this.#onDrain)
  }

  #unlisten(socket: Socket): void {
    socket.off('error', this.#onError)
    socket.off('end', this.#onClose)
    socket.off('close', this.#onClose)
    socket.off('drain', this.#onDrain)
    socket.off('data', this.#onData)
  }

  #speak(): void {
    this.#phase = 'lost'
    this.#socket.on('data', this.#onData)
  }

  #read(chunk: Buffer): void {
    if (this.#fault) return
    try {
      this.#replies.push(...this.#reader.push(chunk))
      if (this.#replies.length > MAX_WAITING) {
        throw new SmtpFault('protocol', 'the server sends replies without end')
      }
      this.#wake()
    } catch (error) {
      this.#fail(faultOf(error, 'protocol'))
    }
  }

  #fail(fault: SmtpFault): void {
    this.#fault ??= fault
    this.#socket.destroy()
    this.#wake()
  }

  #until<T>(
    probe: () => T | undefined,
    timeout: number,
    phase: string,
    kind: SmtpFaultKind,
  ): Promise<T> {
    // As the second of several pipelined replies is.
    const there = probe()
    if (there !== undefined) return Promise.resolve(there)
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#fail(new SmtpFault(kind, `no answer to ${phase} within ${timeout / 1_000} s`))
      }, timeout)
      const done = (settle: () => void): void => {
        clearTimeout(timer)
        this.#wake = () => undefined
        settle()
      }
      this.#wake = () => {
        const value = probe()
        if (value !== undefined) done(() => resolve(value))
        else if (this.#fault) done(() => reject(this.#fault ?? new Error('unreachable')))
      }
      this.#wake()
    })
  }
}

function wordsOf(error: Error): string {
  const code = codeOf(error)
  return code === '' || error.message.includes(code) ? error.message : `${error.message} (${code})`
}
