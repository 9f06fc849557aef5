import { spawn, type ChildProcess } from 'node:child_process'
import { createWriteStream, existsSync, readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'

/** Where Debian keeps daemons; an ordinary user's PATH often lacks it. */
const FOLDERS = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/local/sbin', '/sbin']

/** The full path of a program, or undefined where it is not installed. */
export function findProgram(name: string): string | undefined {
  return FOLDERS.filter(folder => folder !== '')
    .map(folder => `${folder}/${name}`)
    .find(existsSync)
}

/**
 * The reason to skip a suite, or undefined if every program it needs is here. With MAILCANARY_NO_SKIP (as in CI) a
 * missing program is a failure instead: a suite that silently does not run proves nothing.
 */
export function missing(...programs: string[]): string | undefined {
  const absent = programs.filter(program => findProgram(program) === undefined)
  if (absent.length === 0) return undefined
  const reason = `needs ${absent.join(', ')}: run test/install-servers`
  if (process.env['MAILCANARY_NO_SKIP'] === '1') throw new Error(reason)
  process.stderr.write(`skipped: ${reason}\n`)
  return reason
}

/** Drops root for a server that refuses to run as root; nothing where the tests run as an ordinary user. */
export function asNobody(command: readonly string[]): string[] {
  if (process.getuid?.() !== 0) return [...command]
  return ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', ...command]
}

/** A real server, run in the foreground under its own pid. */
export class ServerProcess {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  readonly name: string

  private constructor(name: string, child: ChildProcess) {
    this.name = name
    this.#child = child
    this.#exited = new Promise(resolve => child.once('exit', resolve))
  }

  /**
   * Starts a program and waits until it listens.
   *
   * @param ready resolves when the server can be used; it is told to give up by `signal` when the process ends
   */
  static async start(options: {
    readonly name: string
    readonly command: readonly string[]
    readonly log: string
    readonly env?: Readonly<Record<string, string>>
    readonly ready: (signal: AbortSignal) => Promise<void>
  }): Promise<ServerProcess> {
    const [program, ...args] = options.command
    if (program === undefined) throw new Error('no program')
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
    })
    const log = createWriteStream(options.log, { flags: 'a' })
    child.stdout.pipe(log, { end: false })
    child.stderr.pipe(log, { end: false })
    const server = new ServerProcess(options.name, child)
    const gone = new AbortController()
    const died = new Promise<never>((_, reject) => {
      const end = (why: string): void => {
        gone.abort()
        reject(
          new Error(
            `${options.name} ended before it was ready (${why}); its log is ${options.log}`,
          ),
        )
      }
      child.once('exit', code => end(`exit code ${code}`))
      child.once('error', error => end(error.message))
    })
    await Promise.race([options.ready(gone.signal), died])
    died.catch(() => undefined)
    return server
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Stops it in its tracks. Resolves when every thread of it stands still: until then it may go on answering. */
  async freeze(): Promise<void> {
    this.#child.kill('SIGSTOP')
    const tasks = `/proc/${this.pid}/task`
    const isStill = (task: string): boolean =>
      /\) T /.test(readFileSync(`${tasks}/${task}/stat`, 'latin1'))
    await eventually(() => readdirSync(tasks).every(isStill) || undefined, `${this.name} stopped`)
  }

  /** Stops it and waits for its end: the next start must not meet the old one. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill('SIGCONT')
    this.#child.kill(signal)
    const hard = setTimeout(() => this.#child.kill('SIGKILL'), 5_000)
    await this.#exited
    clearTimeout(hard)
  }
}

/** Resolves when something accepts connections there. */
export async function portOpen(port: number, host: string, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + 30_000
  while (!signal.aborted) {
    const open = await new Promise<boolean>(resolve => {
      const socket = connect(port, host)
      socket.once('connect', () => {
        socket.destroy()
        resolve(true)
      })
      socket.once('error', () => resolve(false))
    })
    if (open) return
    if (Date.now() > deadline) throw new Error(`nothing listens on ${host}:${port} after 30 s`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

/**
 * Asks until the answer is what was waited for, and returns it. For states that have no event to wait on; it never
 * asserts a time, it only gives up.
 */
export async function eventually<T>(
  ask: () => Promise<T | undefined> | T | undefined,
  what: string,
  atMost = 20_000,
): Promise<T> {
  const deadline = Date.now() + atMost
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    if (Date.now() > deadline) throw new Error(`still waiting after ${atMost / 1000} s: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 25))
  }
}
