import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'

const END_OF_DATA = Buffer.from('\r\n.\r\n')

/** A next hop on loopback that takes everything and forgets it: as much of SMTP as the relay's client speaks. */
export class NextHop {
  readonly #server: Server
  /** Messages taken. */
  taken = 0

  constructor() {
    this.#server = createServer({ noDelay: true }, socket => this.#serve(socket))
  }

  /** @returns the port */
  async start(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  #serve(socket: Socket): void {
    let rest = Buffer.alloc(0)
    let content = false
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk])
      for (;;) {
        const end = rest.indexOf(content ? END_OF_DATA : '\r\n')
        if (end < 0) break
        const verb = rest.toString('latin1', 0, 4).toUpperCase()
        rest = rest.subarray(end + (content ? END_OF_DATA.length : 2))
        if (content) this.taken++
        const starts = !content && verb === 'DATA'
        socket.write(content ? '250 2.0.0 taken\r\n' : answerTo(verb))
        content = starts
      }
      // Of content only the end can matter.
      if (content) rest = rest.subarray(-(END_OF_DATA.length - 1))
    })
    socket.write('220 next-hop.example.net ESMTP\r\n')
  }
}

function answerTo(verb: string): string {
  switch (verb) {
    case 'EHLO':
      return '250-next-hop.example.net\r\n250-PIPELINING\r\n250 8BITMIME\r\n'
    case 'DATA':
      return '354 go on\r\n'
    case 'QUIT':
      return '221 2.0.0 bye\r\n'
    default:
      return '250 2.0.0 well\r\n'
  }
}
