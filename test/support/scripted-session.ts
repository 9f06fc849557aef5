import type { Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'

/**
 * What a scripted server does at one point of the dialogue: a reply (lines joined by `\n`; `%` is the argument of the
 * command), or something a good server does not do.
 */
export type Deed =
  | string
  | { readonly stall: true }
  /** Says something, or nothing, and closes. */
  | { readonly close: string }
  /** Cuts the connection hard. */
  | { readonly reset: true }
  /** These octets and no others, line ends included. */
  | { readonly raw: string }

/** `BODY` is the first octet of a message, `DOT` its end, `HANDSHAKE` what follows a 220 to STARTTLS. */
export type Point =
  | 'GREETING'
  | 'EHLO'
  | 'HELO'
  | 'STARTTLS'
  | 'HANDSHAKE'
  | 'AUTH'
  | 'MAIL'
  | 'RCPT'
  | 'DATA'
  | 'BODY'
  | 'DOT'
  | 'RSET'
  | 'QUIT'

export interface SmtpScript {
  readonly host?: string
  readonly port?: number
  readonly offers?: readonly string[]
  /** What to do the first, second, ... time; the last deed is repeated. Everything else is answered as one should. */
  readonly deeds?: Partial<Record<Point, Deed | readonly Deed[]>>
  readonly tls?: {
    readonly certificatePem: string
    readonly keyPem: string
    readonly implicit?: boolean
  }
  /** Ends a message at `LF . LF` and its like too, as a server should not. */
  readonly sloppy?: boolean
}

export interface SeenMessage {
  readonly mail: string
  readonly rcpt: readonly string[]
  /** As sent, without dot-stuffing and terminator. */
  readonly data: Buffer
  readonly tls: boolean
}

/** What a connection needs of its server. */
interface Script {
  readonly script: SmtpScript
  readonly commands: string[]
  readonly messages: SeenMessage[]
  /** How many times something has come. */
  segments: number
  keep(socket: Socket): void
  /** What the script says about this point, this time. */
  deed(point: Point): Deed | undefined
}

const REPLIES: Readonly<Record<string, string>> = {
  GREETING: '220 mx.example.net ESMTP',
  HELO: '250 mx.example.net',
  STARTTLS: '220 2.0.0 Go ahead',
  AUTH: '235 2.7.0 Welcome',
  MAIL: '250 2.1.0 OK',
  RCPT: '250 2.1.5 OK',
  DATA: '354 Go on',
  DOT: '250 2.0.0 Queued',
  RSET: '250 2.0.0 OK',
  QUIT: '221 2.0.0 Bye',
}

/** One connection to a scripted server. */
export class ScriptedSession {
  readonly #server: Script
  #socket: Socket
  #input = Buffer.alloc(0)
  #mail = ''
  #rcpt: string[] = []
  #mode: 'commands' | 'data' | 'mute' = 'commands'
  #auth = 0
  #bodyBegun = false

  constructor(server: Script, socket: Socket) {
    this.#server = server
    this.#socket = socket
    server.keep(socket)
    socket.on('error', () => undefined)
    if (server.script.tls?.implicit === true) this.#secure()
    else this.#listen()
    this.#do('GREETING')
  }

  #listen(): void {
    this.#socket.on('error', () => undefined)
    this.#socket.on('data', (chunk: Buffer) => {
      this.#server.segments++
      this.#input = Buffer.concat([this.#input, chunk])
      this.#read()
    })
  }

  #secure(): void {
    const { certificatePem: cert, keyPem: key } = this.#server.script.tls ?? {}
    this.#socket.removeAllListeners('data')
    this.#input = Buffer.alloc(0)
    this.#socket = new TLSSocket(this.#socket, {
      isServer: true,
      secureContext: createSecureContext({ cert, key }),
    })
    this.#listen()
  }

  #read(): void {
    while (this.#mode !== 'mute') {
      if (this.#mode === 'data') {
        if (!this.#readData()) return
        continue
      }
      const end = this.#input.indexOf('\r\n')
      if (end < 0) return
      const line = this.#input.toString('utf8', 0, end)
      this.#input = this.#input.subarray(end + 2)
      this.#server.commands.push(line)
      this.#command(line)
    }
  }

  #command(line: string): void {
    if (this.#auth > 0) {
      this.#auth--
      this.#do('AUTH', this.#auth > 0 ? '334 UGFzc3dvcmQ6' : undefined)
      return
    }
    const verb = (line.split(' ')[0] ?? '').toUpperCase()
    if (line === 'AUTH LOGIN') {
      this.#auth = 2
      this.#say('334 VXNlcm5hbWU6')
    } else if (verb === 'EHLO') {
      const offers = this.#server.script.offers ?? []
      const tls = this.#server.script.tls && !(this.#socket instanceof TLSSocket)
      const lines = ['mx.example.net', ...offers, ...(tls ? ['STARTTLS'] : [])]
      this.#do(
        'EHLO',
        lines.map((text, i) => `250${i < lines.length - 1 ? '-' : ' '}${text}`).join('\n'),
      )
    } else if (verb in REPLIES && verb !== 'GREETING' && verb !== 'DOT') {
      if (verb === 'RSET') this.#forget()
      // RFC 5321 section 4.1.1.4: there has to be somebody to send to.
      const nobody = verb === 'DATA' && this.#rcpt.length === 0
      this.#do(verb as Point, nobody ? '503 5.5.1 Nobody to send to' : undefined, line)
    } else this.#say('500 5.5.1 What?')
  }

  #do(point: Point, usual = REPLIES[point] ?? '', line = ''): void {
    const deed = this.#server.deed(point) ?? usual
    if (typeof deed !== 'string') {
      if ('raw' in deed) this.#socket.write(deed.raw)
      else this.#misbehave(deed)
      if ('raw' in deed && point === 'STARTTLS' && deed.raw.startsWith('220')) this.#handshake()
      return
    }
    if (point === 'MAIL' && deed.startsWith('2')) this.#mail = line
    if (point === 'RCPT' && deed.startsWith('2')) this.#rcpt.push(line)
    this.#say(deed)
    if (point === 'DATA' && deed.startsWith('354')) {
      this.#mode = 'data'
      this.#bodyBegun = false
    }
    if (point === 'STARTTLS' && deed.startsWith('220')) this.#handshake()
    if (point === 'QUIT' || deed.startsWith('421')) this.#socket.end()
  }

  #handshake(): void {
    const deed = this.#server.deed('HANDSHAKE')
    if (deed === undefined) this.#secure()
    else if (typeof deed !== 'string' && 'raw' in deed) this.#socket.end(deed.raw)
    else if (typeof deed !== 'string') this.#misbehave(deed)
  }

  #misbehave(deed: Exclude<Deed, string | { raw: string }>): void {
    this.#mode = 'mute'
    if ('close' in deed) this.#socket.end(deed.close === '' ? '' : `${deed.close}\r\n`)
    else if ('reset' in deed) this.#socket.resetAndDestroy()
  }

  #say(reply: string): void {
    this.#socket.write(`${reply.replaceAll('\n', '\r\n')}\r\n`)
  }

  /** @returns whether a message has ended */
  #readData(): boolean {
    if (!this.#bodyBegun && this.#input.length > 0) {
      this.#bodyBegun = true
      if (this.#server.script.deeds?.BODY !== undefined) {
        this.#socket.pause()
        this.#do('BODY')
        return false
      }
    }
    const text = `\r\n${this.#input.toString('latin1')}`
    const ends = this.#server.script.sloppy === true ? /\r?\n\.\r?\n|\r\.\r/ : /\r\n\.\r\n/
    const found = ends.exec(text)
    if (!found) return false
    const body = text.slice(2, Math.max(2, found.index + 2))
    const stuffed = this.#server.script.sloppy === true ? /(^|\n)\./g : /(^|\r\n)\./g
    const data = Buffer.from(body.replaceAll(stuffed, '$1'), 'latin1')
    this.#input = this.#input.subarray(found.index + found[0].length - 2)
    this.#mode = 'commands'
    const tls = this.#socket instanceof TLSSocket
    this.#server.messages.push({ mail: this.#mail, rcpt: this.#rcpt, data, tls })
    this.#forget()
    this.#do('DOT')
    return true
  }

  #forget(): void {
    this.#mail = ''
    this.#rcpt = []
  }
}
