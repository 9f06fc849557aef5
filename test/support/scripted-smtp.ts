import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'

import {
  ScriptedSession,
  type Deed,
  type Point,
  type SeenMessage,
  type SmtpScript,
} from './scripted-session.ts'

export type { Deed, SmtpScript } from './scripted-session.ts'

/** A next hop that refuses, stalls, closes or misbehaves at any point, as data. It remembers everything it was told. */
export class ScriptedSmtp {
  readonly commands: string[] = []
  readonly messages: SeenMessage[] = []
  connections = 0
  segments = 0
  readonly #script: SmtpScript
  readonly #server = createServer({ noDelay: true }, socket => new ScriptedSession(this, socket))
  readonly #sockets = new Set<Socket>()
  readonly #counts = new Map<Point, number>()

  private constructor(script: SmtpScript) {
    this.#script = script
  }

  static async start(script: SmtpScript = {}): Promise<ScriptedSmtp> {
    const server = new ScriptedSmtp(script)
    server.#server.listen(script.port ?? 0, script.host ?? '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  get script(): SmtpScript {
    return this.#script
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get open(): number {
    return this.#sockets.size
  }

  /** Connections that are open right now, for those who want to cut them. */
  keep(socket: Socket): void {
    this.connections++
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  deed(point: Point): Deed | undefined {
    const deeds = this.#script.deeds?.[point]
    if (deeds === undefined) return undefined
    const list = (Array.isArray(deeds) ? deeds : [deeds]) as readonly Deed[]
    const count = this.#counts.get(point) ?? 0
    this.#counts.set(point, count + 1)
    return list[Math.min(count, list.length - 1)]
  }

  /** Cuts every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async stop(): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
