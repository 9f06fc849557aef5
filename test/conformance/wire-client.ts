import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'

export interface WireReply {
  readonly code: number
  /** Lines without their CRLF, codes included. */
  readonly lines: readonly string[]
  /** The first line. */
  readonly text: string
}

export interface Endpoint {
  readonly host: string
  readonly port: number
  readonly tls: 'implicit' | 'starttls'
}

/** The other side has closed, or has been silent for longer than anybody should be. */
export class WireClosed extends Error {
  override readonly name = 'WireClosed'
}

/**
 * An SMTP client that says exactly what it is told, octet for octet, in the segments it is told, and reads replies
 * as they come. It knows nothing of what is right.
 */
export class WireClient {
  #socket: Socket
  #received = ''
  #ended = false
  #wake: () => void = () => undefined
  readonly #patience: number
  /** Cuts every write into pieces; given how many octets there are, answers how long the next piece is. */
  cut: ((octets: number) => number) | undefined

  private constructor(socket: Socket, patience: number) {
    this.#socket = socket
    this.#patience = patience
    this.#listen(socket)
  }

  /** @param patience milliseconds to wait for a reply */
  static async connect(endpoint: Endpoint, patience = 20_000): Promise<WireClient> {
    const raw = connect({ ...endpoint, noDelay: true })
    await once(raw, 'connect')
    if (endpoint.tls === 'starttls') return new WireClient(raw, patience)
    // Whose certificate it is does not matter here: what is under test is the dialogue.
    const socket = connectTls({ socket: raw, rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    return new WireClient(socket, patience)
  }

  /** A client that has read the greeting and said EHLO, within TLS. */
  static async greeted(endpoint: Endpoint): Promise<WireClient> {
    const client = await WireClient.connect(endpoint)
    await client.reply()
    if (endpoint.tls === 'starttls') {
      await client.command('EHLO client.example.org')
      await client.startTls()
    }
    await client.command('EHLO client.example.org')
    return client
  }

  /** What was received and not yet read. */
  get unread(): string {
    return this.#received
  }

  get socket(): Socket {
    return this.#socket
  }

  #listen(socket: Socket): void {
    socket.on('data', (octets: Buffer) => {
      this.#received += octets.toString('utf8')
      this.#wake()
    })
    const ended = (): void => {
      this.#ended = true
      this.#wake()
    }
    socket.on('end', ended)
    socket.on('close', ended)
    socket.on('error', ended)
  }

  /** Writes octets, cut as `cut` says, each piece in a segment of its own as far as the system allows. */
  async write(octets: Buffer | string): Promise<void> {
    let rest = Buffer.from(octets)
    while (rest.length > 0) {
      const size = Math.max(1, Math.min(rest.length, this.cut?.(rest.length) ?? rest.length))
      const piece = rest.subarray(0, size)
      rest = rest.subarray(size)
      if (this.#socket.destroyed || this.#socket.writableEnded) return
      if (!this.#socket.write(piece)) {
        await this.#writable()
      }
      if (rest.length > 0) await new Promise(setImmediate)
    }
  }

  async #writable(): Promise<void> {
    const done = new AbortController()
    const { signal } = done
    const events = ['drain', 'close'].map(event => once(this.#socket, event, { signal }))
    await Promise.race(events).catch(() => undefined)
    done.abort()
    await Promise.allSettled(events)
  }

  /** Sends a line and reads one reply. */
  async command(line: string | Buffer): Promise<WireReply> {
    await this.write(Buffer.concat([Buffer.from(line), Buffer.from('\r\n')]))
    return this.reply()
  }

  /** The next whole reply. */
  async reply(): Promise<WireReply> {
    const deadline = Date.now() + this.#patience
    for (;;) {
      const match = /^(?:\d{3}-[^\n]*\r\n)*\d{3}(?: [^\n]*)?\r\n/.exec(this.#received)
      if (match) {
        this.#received = this.#received.slice(match[0].length)
        const lines = match[0].split('\r\n').slice(0, -1)
        const text = lines[0] ?? ''
        return { code: Number(text.slice(0, 3)), lines, text }
      }
      if (this.#ended) throw new WireClosed(`closed; unread: ${JSON.stringify(this.#received)}`)
      await this.#change(deadline)
    }
  }

  /** Resolves when the other side has closed. @returns what it said before, unread so far */
  async closed(): Promise<string> {
    const deadline = Date.now() + this.#patience
    while (!this.#ended) await this.#change(deadline)
    return this.#received
  }

  /** Begins TLS after asking for it. */
  async startTls(): Promise<WireReply> {
    const answer = await this.command('STARTTLS')
    if (answer.code === 220) await this.handshake()
    return answer
  }

  /** Begins TLS without a word. */
  async handshake(): Promise<void> {
    const raw = this.#socket
    // TLS over a socket that has ended waits for ever.
    if (this.#ended || raw.destroyed) throw new WireClosed('closed before the handshake')
    raw.removeAllListeners('data')
    const socket: TLSSocket = connectTls({ socket: raw, rejectUnauthorized: false })
    this.#received = ''
    this.#socket = socket
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(this.#patience) })
    this.#listen(socket)
  }

  /** AUTH PLAIN with an initial response. */
  logIn(login: string, password: string): Promise<WireReply> {
    return this.command(`AUTH PLAIN ${Buffer.from(`\0${login}\0${password}`).toString('base64')}`)
  }

  /** Ends this side's half of the connection. */
  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  async #change(deadline: number): Promise<void> {
    const left = deadline - Date.now()
    if (left <= 0) throw new WireClosed(`silent; unread: ${JSON.stringify(this.#received)}`)
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>(resolve => {
      this.#wake = resolve
      timer = setTimeout(resolve, left)
    })
    clearTimeout(timer)
  }
}
