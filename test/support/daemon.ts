import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { createInterface } from 'node:readline'

import { eventually } from './server-process.ts'

/** The built program, as people run it. */
const PROGRAM = new URL('../../dist/main.js', import.meta.url).pathname

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** mailcanary as a process of its own: what tests of the whole talk to, stop and kill. */
export class Daemon {
  readonly #child: ChildProcess
  readonly #lines: string[] = []
  readonly ended: Promise<Ended>

  private constructor(child: ChildProcess) {
    this.#child = child
    this.ended = new Promise(resolve => {
      child.once('exit', (code, signal) => resolve({ code, signal }))
    })
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null)
        createInterface({ input: stream }).on('line', line => this.#lines.push(line))
    }
  }

  /**
   * Starts a command, without waiting for anything.
   *
   * @param log a file that gets what it prints, where nobody asks for it here
   */
  static start(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    log?: string,
  ): Daemon {
    return Daemon.startAs([process.execPath, PROGRAM, ...args], { ...process.env, ...env }, log)
  }

  /** Starts it by another command line than that of the built program here. */
  static startAs(
    [program = '', ...args]: readonly string[],
    env = process.env,
    log?: string,
  ): Daemon {
    const output = log === undefined ? 'pipe' : openSync(log, 'a')
    const child = spawn(program, args, { stdio: ['ignore', output, output], env })
    if (typeof output === 'number') closeSync(output)
    return new Daemon(child)
  }

  /** Runs a command to its end. */
  static async run(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Ended & { readonly output: string }> {
    const daemon = Daemon.start(args, env)
    return { ...(await daemon.ended), output: daemon.output }
  }

  get output(): string {
    return this.#lines.join('\n')
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Resolves when it says that it is ready; fails with its output if it ends before. */
  async ready(adminPort: number): Promise<void> {
    let last = 'no answer'
    const ask = async (): Promise<true | undefined> => {
      if (this.#child.exitCode !== null) throw new Error(`ended at start:\n${this.output}`)
      const answer = await fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => undefined)
      if (answer !== undefined) last = await answer.text()
      return answer?.ok === true ? true : undefined
    }
    await eventually(ask, `readiness on port ${adminPort}`, 60_000).catch((error: unknown) => {
      throw new Error(`${String(error)}; the last answer: ${last}; it said:\n${this.output}`)
    })
  }

  /** The first line that matches, waiting for it. */
  line(pattern: RegExp): Promise<string> {
    return eventually(
      () => this.#lines.find(line => pattern.test(line)),
      `a line like ${pattern} in:\n${this.output}`,
    )
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill(signal)
    return this.ended
  }
}
