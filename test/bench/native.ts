import { execFile, spawn } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

const HERE = new URL('./native/', import.meta.url).pathname

/** Compiles the load generator and the next hop: written in C, so that of two cores nearly all is left for the server. */
export async function compileTools(folder: string): Promise<{ loadgen: string; sink: string }> {
  await mkdir(folder, { recursive: true })
  const compile = async (name: string): Promise<string> => {
    const program = join(folder, name)
    const source = join(HERE, `${name}.c`)
    await promisify(execFile)('cc', ['-O2', '-o', program, source, '-lssl', '-lcrypto'])
    return program
  }
  return { loadgen: await compile('loadgen'), sink: await compile('sink') }
}

/** What a run of the load generator came to. */
export interface Load {
  readonly accepted: number
  readonly rejected: number
  readonly unknown: number
  readonly session_errors: number
  readonly wall_s: number
  readonly rate: number
  readonly msg_p50_ms: number
  readonly msg_p99_ms: number
}

/** @throws what it has said, if it could not run or not everything was accepted */
export async function runLoad(program: string, args: readonly string[]): Promise<Load> {
  const { stdout } = await promisify(execFile)(program, [...args])
  return JSON.parse(stdout.trim()) as Load
}

/** Opens sessions that say nothing after their login, and holds them until `end`. */
export async function holdSessions(
  program: string,
  args: readonly string[],
): Promise<{ end(): Promise<void> }> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', line => {
      if (line.startsWith('READY')) resolve()
    })
    void exited.then(() => reject(new Error('not all sessions were opened')))
  })
  return {
    async end() {
      child.kill('SIGTERM')
      await exited
    },
  }
}
