import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'

import { freePort } from '../support/ports.ts'
import { portOpen, ServerProcess } from '../support/server-process.ts'

/** What the next hop has taken. */
export interface Taken {
  readonly msgs: number
  readonly unique: number
  readonly dups: number
  readonly badsum: number
  /** When the last message came, milliseconds of the monotonic clock that `process.hrtime` shows too. */
  readonly last_ms: number
}

/** The next hop: takes everything, and keeps exact books. */
export class Sink {
  readonly port: number
  readonly #process: ServerProcess

  private constructor(process: ServerProcess, port: number) {
    this.#process = process
    this.port = port
  }

  static async start(program: string, folder: string): Promise<Sink> {
    const port = await freePort()
    const process = await ServerProcess.start({
      name: 'next hop',
      command: [program, '-p', String(port)],
      log: join(folder, 'sink.log'),
      ready: signal => portOpen(port, '127.0.0.1', signal),
    })
    return new Sink(process, port)
  }

  /** Forgets what it has taken. */
  async reset(): Promise<void> {
    await this.#ask('XRESET')
  }

  async taken(): Promise<Taken> {
    const answer = await this.#ask('XSTAT')
    const pairs = [...answer.matchAll(/(\w+)=(\d+)/g)].map(([, key, value]) => [key, Number(value)])
    return Object.fromEntries(pairs) as Taken
  }

  async stop(): Promise<void> {
    await this.#process.stop()
  }

  async #ask(command: string): Promise<string> {
    const socket = connect(this.port, '127.0.0.1')
    socket.setEncoding('latin1')
    const [greeting] = (await once(socket, 'data')) as [string]
    if (!greeting.startsWith('220')) throw new Error(`the next hop said ${greeting}`)
    socket.write(`${command}\r\n`)
    const [answer] = (await once(socket, 'data')) as [string]
    socket.destroy()
    return answer
  }
}
