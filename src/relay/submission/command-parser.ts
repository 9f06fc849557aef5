import { SMTPStream } from 'smtp-server/lib/smtp-stream.js'

import { messageOf } from '../../base/problem.ts'
import type { DataDecoder } from './data-decoder.ts'
import { MAX_LINE_OCTETS } from './limits.ts'

const LF = 10
const CR = 13

/** What the client may send in one go before others get a turn. */
const COMMANDS_IN_A_ROW = 100

const MAX_PIECES = 64

/** A command line without its CRLF, or the fact that there was one too long to be kept. */
export type Line =
  | { readonly kind: 'line'; readonly octets: Buffer }
  | { readonly kind: 'overlong' }

/** Takes one message. Each promise is waited for before anything further is read from the client. */
export interface DataSink {
  /** @returns undefined where there is nothing to wait for, as with nearly every piece: a promise costs more than that */
  write(content: Buffer): Promise<void> | undefined
  /** After the final dot: the reply is given in here. */
  end(decoder: DataDecoder): Promise<void>
}

/**
 * Cuts the client's octets into command lines and messages. Replaces the parsing of smtp-server's stream, which
 * executes lines that end in a bare LF or in nothing, and closes the connection for a long one.
 */
export class CommandParser extends SMTPStream {
  readonly #onLine: (line: Line) => Promise<void>
  readonly #onOctets: (count: number) => void
  /** The line so far, in the pieces it came in. */
  #pieces: Buffer[] = []
  #lineOctets = 0
  #lastOctet = 0
  #overlong = false
  #commands = 0
  #data: { readonly decoder: DataDecoder; readonly sink: DataSink } | undefined
  /** Octets of the chunk being worked on, and of it behind the present line. */
  #chunk = 0
  #rest = 0

  /**
   * @param options onLine: one line at a time, the next after its promise; onOctets: something was received
   */
  constructor(options: {
    readonly onLine: (line: Line) => Promise<void>
    readonly onOctets: (count: number) => void
  }) {
    // A record of TLS alone, 16 KiB, must not stop the reading: it is done with before the next one is read.
    super({ highWaterMark: 32_768 })
    this.#onLine = options.onLine
    this.#onOctets = options.onOctets
  }

  /** Octets that came with the present line and stand behind it. */
  get unread(): number {
    // The chunk being worked on is counted in writableLength until it is done with.
    return this.#rest + this.writableLength - this.#chunk
  }

  /** What follows is a message, not commands, until its end. */
  receive(decoder: DataDecoder, sink: DataSink): void {
    this.#data = { decoder, sink }
  }

  override _write(
    chunk: Buffer,
    _encoding: BufferEncoding | 'buffer',
    next: (error?: Error | null) => void,
  ): void {
    this.#onOctets(chunk.length)
    this.#chunk = chunk.length
    void this.#consume(chunk, next)
  }

  /** A line that was not ended is not a command (RFC 5321 section 2.4), also when the client hangs up. */
  override _flushData(): void {
    this.#forgetLine()
  }

  async #consume(chunk: Buffer, next: (error: Error | null) => void): Promise<void> {
    let rest = chunk
    let failure: Error | null = null
    try {
      // Closed means retired: after STARTTLS or QUIT what is left must never be executed (RFC 3207 section 4.2).
      while (rest.length > 0 && !this.isClosed) {
        if (this.#data === undefined) {
          rest = await this.#consumeLine(rest)
          continue
        }
        const { decoder, sink } = this.#data
        const { content, consumed, ended } = decoder.feed(rest)
        const writing = content.length > 0 ? sink.write(content) : undefined
        if (writing !== undefined) await writing
        if (ended) {
          this.#data = undefined
          await sink.end(decoder)
        }
        rest = rest.subarray(consumed)
      }
    } catch (error) {
      failure = error instanceof Error ? error : new Error(messageOf(error))
    }
    next(failure)
  }

  async #consumeLine(chunk: Buffer): Promise<Buffer> {
    const end = this.#endOfLine(chunk)
    this.#keep(chunk.subarray(0, end ?? chunk.length))
    if (end === undefined) return chunk.subarray(chunk.length)
    const rest = chunk.subarray(end)
    const line: Line = this.#overlong
      ? { kind: 'overlong' }
      : { kind: 'line', octets: Buffer.concat(this.#pieces).subarray(0, -2) }
    this.#forgetLine()
    this.#rest = rest.length
    await this.#onLine(line)
    if (++this.#commands % COMMANDS_IN_A_ROW === 0) await new Promise(setImmediate)
    return rest
  }

  /** @returns where the octets after the CRLF begin */
  #endOfLine(chunk: Buffer): number | undefined {
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) {
      // RFC 5321 section 2.3.8: only CR and LF together end a line.
      if ((at === 0 ? this.#lastOctet : chunk[at - 1]) === CR) return at + 1
    }
    return undefined
  }

  #keep(piece: Buffer): void {
    this.#lastOctet = piece.at(-1) ?? this.#lastOctet
    this.#lineOctets += piece.length
    if (this.#lineOctets > MAX_LINE_OCTETS) {
      this.#overlong = true
      this.#pieces = []
    } else {
      this.#pieces.push(piece)
      // A line sent octet by octet must not cost a Buffer an octet.
      if (this.#pieces.length > MAX_PIECES) this.#pieces = [Buffer.concat(this.#pieces)]
    }
  }

  #forgetLine(): void {
    this.#pieces = []
    this.#lineOctets = 0
    this.#lastOctet = 0
    this.#overlong = false
  }
}
