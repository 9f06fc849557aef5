import { SMTPStream } from 'smtp-server/lib/smtp-stream.js'

import { messageOf } from '../../base/problem.ts'
import type { DataDecoder } from './data-decoder.ts'
import { MAX_LINE_OCTETS } from './limits.ts'

const LF = 10
const CR = 13

/** What the client may send in one go before others get a turn. */
const COMMANDS_IN_A_ROW = 100

const MAX_PIECES = 64

const NOTHING = Buffer.alloc(0)

/** A command line without its CRLF, or the fact that there was one too long to be kept. */
export type Line =
  | { readonly kind: 'line'; readonly octets: Buffer }
  | { readonly kind: 'overlong' }

/** What has to be waited for before anything further is read from the client; mostly nothing, which costs no promise. */
export type Busy = Promise<void> | undefined

/** Takes one message. */
export interface DataSink {
  write(content: Buffer): Busy
  /** After the final dot: the reply is given in here. */
  end(decoder: DataDecoder): Busy
}

interface Taking {
  readonly decoder: DataDecoder
  readonly sink: DataSink
}

/**
 * Cuts the client's octets into command lines and messages. Replaces the parsing of smtp-server's stream, which
 * executes lines that end in a bare LF or in nothing, and closes the connection for a long one.
 */
export class CommandParser extends SMTPStream {
  readonly #onLine: (line: Line) => Busy
  readonly #onOctets: (count: number) => void
  /** The line so far, in the pieces it came in. */
  #pieces: Buffer[] = []
  #lineOctets = 0
  #lastOctet = 0
  #overlong = false
  #commands = 0
  #data: Taking | undefined
  /** Octets of the chunk being worked on. */
  #chunk = 0
  /** What of it has not been taken yet. */
  #rest: Buffer = NOTHING

  /**
   * @param options onLine: one line at a time; onOctets: something was received
   */
  constructor(options: {
    readonly onLine: (line: Line) => Busy
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
    return this.#rest.length + this.writableLength - this.#chunk
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
    this.#rest = chunk
    this.#consume(next)
  }

  /** A line that was not ended is not a command (RFC 5321 section 2.4), also when the client hangs up. */
  override _flushData(): void {
    this.#forgetLine()
  }

  #consume(next: (error: Error | null) => void): void {
    try {
      // Closed means retired: after STARTTLS or QUIT what is left must never be executed (RFC 3207 section 4.2).
      while (this.#rest.length > 0 && !this.isClosed) {
        const busy = this.#data === undefined ? this.#takeLine() : this.#takeData(this.#data)
        if (busy !== undefined) {
          void this.#await(busy, next)
          return
        }
      }
    } catch (error) {
      next(errorOf(error))
      return
    }
    // Also of nothing it would keep the memory.
    this.#rest = NOTHING
    next(null)
  }

  async #await(busy: Promise<void>, next: (error: Error | null) => void): Promise<void> {
    try {
      await busy
    } catch (error) {
      next(errorOf(error))
      return
    }
    this.#consume(next)
  }

  #takeData({ decoder, sink }: Taking): Busy {
    const { content, consumed, ended } = decoder.feed(this.#rest)
    this.#rest = this.#rest.subarray(consumed)
    const writing = content.length > 0 ? sink.write(content) : undefined
    if (!ended) return writing
    this.#data = undefined
    return writing === undefined ? sink.end(decoder) : writing.then(() => sink.end(decoder))
  }

  #takeLine(): Busy {
    const chunk = this.#rest
    const end = this.#endOfLine(chunk)
    this.#rest = end === undefined ? NOTHING : chunk.subarray(end)
    this.#keep(end === undefined ? chunk : chunk.subarray(0, end))
    if (end === undefined) return undefined
    const line: Line = this.#overlong
      ? { kind: 'overlong' }
      : { kind: 'line', octets: joined(this.#pieces).subarray(0, -2) }
    this.#forgetLine()
    const answering = this.#onLine(line)
    if (++this.#commands % COMMANDS_IN_A_ROW !== 0) return answering
    return (answering ?? Promise.resolve()).then(
      () => new Promise(resolve => setImmediate(resolve)),
    )
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

/** Not copied where there is but one, as with nearly every line. */
function joined([first = NOTHING, ...more]: readonly Buffer[]): Buffer {
  return more.length === 0 ? first : Buffer.concat([first, ...more])
}

function errorOf(error: unknown): Error {
  return error instanceof Error ? error : new Error(messageOf(error))
}
