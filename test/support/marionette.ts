import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

import { eventually } from './server-process.ts'

interface Waiting {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

type Answer = [
  type: 1,
  id: number,
  error: { error: string; message: string } | null,
  result: unknown,
]

/** The remote control of Mozilla's programs: JSON with its length before it, one answer for each question. */
export class Marionette {
  readonly #socket: Socket
  readonly #waiting = new Map<number, Waiting>()
  #received = Buffer.alloc(0)
  #last = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', octets => this.#receive(octets))
    socket.on('error', () => undefined)
    socket.once('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the program has ended'))
    })
  }

  /** Takes over a program that listens on this port, with the rights of its own code. */
  static async control(port: number): Promise<Marionette> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const made = new Marionette(socket)
    await made.#ask('WebDriver:NewSession', {
      capabilities: { alwaysMatch: { unhandledPromptBehavior: 'ignore' } },
    })
    await made.#ask('Marionette:SetContext', { value: 'chrome' })
    await made.#ask('WebDriver:SetTimeouts', { script: 20_000 })
    return made
  }

  /**
   * Runs the body of an asynchronous function there; `args` are its `arguments`.
   *
   * @returns what it returns; undefined where a dialogue has opened first, see `dialogue`
   */
  async run(body: string, ...args: readonly unknown[]): Promise<unknown> {
    const script = `const done = arguments[arguments.length - 1]
      ;(async () => { ${body} })().then(value => done({ value }), error => done({ error: String(error) }))`
    const answer = await this.#ask('WebDriver:ExecuteAsyncScript', {
      script,
      args,
      newSandbox: true,
    })
    const { value } = answer as { value: { value?: unknown; error?: string } | null }
    if (value?.error !== undefined) throw new Error(value.error)
    return value?.value
  }

  /** Waits for a dialogue, closes it, and returns its words. */
  async dialogue(): Promise<string> {
    const open = (): Promise<unknown> =>
      this.#ask('WebDriver:GetAlertText').catch((error: unknown) => {
        if (!String(error).includes('no such alert')) throw error
      })
    const answer = await eventually(open, 'a dialogue')
    await this.#ask('WebDriver:DismissAlert')
    return (answer as { value: string }).value
  }

  close(): void {
    this.#socket.destroy()
  }

  #ask(command: string, parameters: object = {}): Promise<unknown> {
    const id = ++this.#last
    const text = JSON.stringify([0, id, command, parameters])
    this.#socket.write(`${Buffer.byteLength(text)}:${text}`)
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
  }

  #receive(octets: Buffer): void {
    this.#received = Buffer.concat([this.#received, octets])
    for (;;) {
      const begin = this.#received.indexOf(':') + 1
      const end = begin + Number(this.#received.subarray(0, begin - 1))
      if (begin === 0 || this.#received.length < end) return
      const message: unknown = JSON.parse(this.#received.toString('utf8', begin, end))
      this.#received = this.#received.subarray(end)
      // The first is a greeting, and no answer.
      if (!Array.isArray(message)) continue
      const [, id, error, result] = message as Answer
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (error === null) waiting?.resolve(result)
      else waiting?.reject(new Error(`${error.error}: ${error.message}`))
    }
  }
}
