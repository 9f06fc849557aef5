import { createInterface, type Interface } from 'node:readline/promises'
import { Writable } from 'node:stream'

import { Problem } from '../../base/problem.ts'

/** The person who sits at the terminal. */
export class Terminal {
  readonly #lines: Interface
  readonly #stopped = new AbortController()
  /** What is typed is shown by readline, not by the terminal. */
  #hides = false

  constructor() {
    const output = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (!this.#hides) process.stdout.write(chunk)
        done()
      },
    })
    this.#lines = createInterface({ input: process.stdin, output, terminal: true })
    // Ctrl-C, Ctrl-D, and a terminal that was closed.
    this.#lines.on('SIGINT', () => this.#stopped.abort())
    this.#lines.on('close', () => this.#stopped.abort())
  }

  /** Aborted when the person wants no more. */
  get stopped(): AbortSignal {
    return this.#stopped.signal
  }

  /** @throws Problem when the person ends it */
  async line(prompt: string): Promise<string> {
    try {
      return (await this.#lines.question(prompt, { signal: this.stopped })).trim()
    } catch (error) {
      throw this.stopped.aborted ? new Problem('') : error
    }
  }

  /** The same without showing what is typed. */
  async hiddenLine(prompt: string): Promise<string> {
    process.stdout.write(prompt)
    this.#hides = true
    try {
      return await this.line('')
    } finally {
      this.#hides = false
      process.stdout.write('\n')
    }
  }

  close(): void {
    this.#lines.close()
  }
}
