import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'

import { codeOf, messageOf } from '../base/problem.ts'
import { formatReply, type Reply } from '../mail/reply.ts'
import { ReplyReader } from '../relay/transport/reply-reader.ts'
import { EX, Exit } from './sysexits.ts'

// Longer than a busy relay needs to write a message to its disk, and short enough for somebody who waits at a terminal.
const PATIENCE = 120_000

/** The relay's Unix socket, spoken to in SMTP: one command, one reply. */
export class RelaySocket {
  readonly #socket: Socket
  readonly #reader = new ReplyReader()
  readonly #replies: Reply[] = []
  #fault: Exit | undefined
  #wake: () => void = () => undefined

  private constructor(socket: Socket, patience: number) {
    this.#socket = socket
    socket.on('data', chunk => this.#read(chunk))
    socket.on('error', error => this.#end(new Exit(EX.tempFail, `the relay: ${messageOf(error)}`)))
    socket.on('close', () => this.#end(new Exit(EX.tempFail, 'the relay hung up')))
    socket.setTimeout(patience, () => this.#end(new Exit(EX.tempFail, 'the relay does not answer')))
  }

  /**
   * Connects and waits for the greeting.
   *
   * @param patience milliseconds without a sign of the relay after which it is given up
   * @throws Exit with `tempFail` where no relay can take mail now, `noPerm` where this user may not ask it
   */
  static async open(path: string, patience = PATIENCE): Promise<RelaySocket> {
    const socket = createConnection(path)
    try {
      await once(socket, 'connect')
    } catch (error) {
      const code = codeOf(error)
      if (code === 'EACCES') {
        throw new Exit(EX.noPerm, `${path}: this user is not in the group that may use the relay`)
      }
      const why = code === 'ENOENT' || code === 'ECONNREFUSED' ? 'does not run' : messageOf(error)
      throw new Exit(EX.tempFail, `the relay ${why} (${path}); try again later`)
    }
    const relay = new RelaySocket(socket, patience)
    await relay.expect(220)
    return relay
  }

  /**
   * Says a line and waits for the reply.
   *
   * @param line without its end; it must not hold one
   */
  async ask(line: string): Promise<Reply> {
    if (/[\r\n\0]/.test(line)) throw new Exit(EX.software, 'a command with a line end in it')
    await this.write(`${line}\r\n`)
    return this.reply()
  }

  /** Waits for a reply with this code. @throws Exit for any other, by `exitOf` unless told */
  async expect(code: number, exitOf: (reply: Reply) => number = exitOfReply): Promise<Reply> {
    const reply = await this.reply()
    if (reply.code === code) return reply
    throw new Exit(exitOf(reply), formatReply(reply))
  }

  async reply(): Promise<Reply> {
    for (;;) {
      const reply = this.#replies.shift()
      if (reply) return reply
      if (this.#fault) throw this.#fault
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  /** Resolves when there is room for more: what is written is never all in memory. */
  async write(data: string | Uint8Array): Promise<void> {
    if (this.#fault) throw this.#fault
    if (this.#socket.write(data)) return
    const gone = new AbortController()
    this.#wake = () => gone.abort()
    await once(this.#socket, 'drain', { signal: gone.signal }).catch(() => undefined)
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    try {
      this.#replies.push(...this.#reader.push(chunk).map(({ reply }) => reply))
    } catch {
      this.#end(new Exit(EX.protocol, 'the relay answers what is no reply'))
    }
    this.#wake()
  }

  #end(fault: Exit): void {
    this.#fault ??= fault
    this.#socket.destroy()
    this.#wake()
  }
}

/** What a refusal means to a program: later, or not at all. */
export function exitOfReply(reply: Reply): number {
  return reply.code >= 500 ? EX.unavailable : EX.tempFail
}
