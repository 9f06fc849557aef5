import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** What happens to the answers of a server on their way to the client. */
export type Fault =
  | { readonly kind: 'none' }
  /** Pieces of so many octets, with a pause between them. */
  | { readonly kind: 'slow'; readonly octets: number; readonly pause: number }
  /** The connection ends after so many octets. */
  | { readonly kind: 'cut'; readonly after: number }
  /** After so many octets nothing comes any more. */
  | { readonly kind: 'stuck'; readonly after: number }

/** Stands between a client and a server, and is as bad a network as a test wants. */
export class FaultyProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  fault: Fault = { kind: 'none' }
  /** Connections that there were. */
  accepted = 0

  private constructor(target: number) {
    this.#server = createServer(client => {
      const server = connect(target, '127.0.0.1')
      for (const [one, other] of [
        [client, server],
        [server, client],
      ] as const) {
        this.#sockets.add(one)
        one.on('error', () => other.destroy())
        one.on('close', () => {
          this.#sockets.delete(one)
          other.destroy()
        })
      }
      this.accepted++
      client.pipe(server)
      void this.#answer(server, client, this.fault).catch(() => undefined)
    })
  }

  static async start(target: number): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(target)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #answer(server: Socket, client: Socket, fault: Fault): Promise<void> {
    let passed = 0
    for await (const chunk of server as AsyncIterable<Buffer>) {
      if (fault.kind === 'slow') {
        for (let at = 0; at < chunk.length && !client.destroyed; at += fault.octets) {
          client.write(chunk.subarray(at, at + fault.octets))
          await delay(fault.pause)
        }
        continue
      }
      const room = fault.kind === 'none' ? Infinity : fault.after - passed
      client.write(chunk.subarray(0, Math.max(0, room)))
      passed += chunk.length
      if (chunk.length <= room) continue
      if (fault.kind === 'cut') client.end()
      if (fault.kind !== 'none') return
    }
    client.end()
  }
}
