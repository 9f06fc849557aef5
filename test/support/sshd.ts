import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'

import { freePort } from './ports.ts'
import { findProgram, portOpen, ServerProcess } from './server-process.ts'

const PROGRAM = new URL('../../dist/main.js', import.meta.url).pathname
const SNIPPET = new URL('../../deploy/openssh/mailcanary.conf', import.meta.url)
// Every folder above the command must belong to root and be writable by nobody else, or sshd does not run it.
const LIBRARY = '/usr/local/lib/mailcanary-tests'

/** The account that people log in to, and the group of the relay's socket. */
export const ACCOUNT = 'mailcanary-test'
const KEYS_ACCOUNT = 'mailcanary-keys-test'

/** Why there can be no sshd here, or undefined. */
export function sshdNeeds(): string | undefined {
  const reason =
    process.getuid?.() === 0
      ? [ACCOUNT, KEYS_ACCOUNT].every(name => spawnSync('id', [name]).status === 0)
        ? undefined
        : 'sshd needs two accounts: run test/install-servers'
      : 'sshd logs others in only as root'
  if (reason !== undefined) process.stderr.write(`skipped: ${reason}\n`)
  return reason
}

export interface Answer {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A real sshd on a free port, set up as deploy/openssh/mailcanary.conf says. */
export class Sshd {
  readonly folder: string
  readonly port: number
  readonly #library: string
  readonly #server: ServerProcess

  private constructor(folder: string, library: string, port: number, server: ServerProcess) {
    this.folder = folder
    this.#library = library
    this.port = port
    this.#server = server
  }

  /**
   * @param folder of the test
   * @param socket where the relay listens for it
   */
  static async start(folder: string, socket: string): Promise<Sshd> {
    const port = await freePort()
    mkdirSync(LIBRARY, { recursive: true, mode: 0o755 })
    const library = await mkdtemp(join(LIBRARY, 'sshd-'))
    await chmod(library, 0o755)
    const command = join(library, 'mailcanary')
    await writeFile(command, `#!/bin/sh\nexec ${process.execPath} ${PROGRAM} "$@"\n`, {
      mode: 0o755,
    })
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'host')])
    const snippet = (await readFile(SNIPPET, 'utf8'))
      .replace('Match User submit', `Match User ${ACCOUNT}`)
      .replace('mailcanary-keys', KEYS_ACCOUNT)
      .replace(
        '/usr/bin/mailcanary authorized-keys',
        `${command} authorized-keys --socket ${socket} --account ${ACCOUNT} --command ${command}`,
      )
    const config = join(folder, 'sshd_config')
    await writeFile(
      config,
      [
        `Port ${port}`,
        'ListenAddress 127.0.0.1',
        `HostKey ${join(folder, 'host')}`,
        'PidFile none',
        'UsePAM no',
        'LogLevel VERBOSE',
        snippet,
      ].join('\n'),
    )
    // Debian makes it when its service starts.
    mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
    await run(findProgram('sshd') ?? 'sshd', ['-t', '-f', config])
    const server = await ServerProcess.start({
      name: 'sshd',
      command: [findProgram('sshd') ?? 'sshd', '-D', '-e', '-f', config],
      log: join(folder, 'sshd.log'),
      ready: signal => portOpen(port, '127.0.0.1', signal),
    })
    return new Sshd(folder, library, port, server)
  }

  get log(): Promise<string> {
    return readFile(join(this.folder, 'sshd.log'), 'utf8')
  }

  /** Makes a key of somebody. @returns its line of authorized_keys */
  async key(name: string, ...options: readonly string[]): Promise<string> {
    const path = this.keyFile(name)
    if (!existsSync(path)) {
      const type = options.length > 0 ? options : ['-t', 'ed25519']
      await run('ssh-keygen', ['-q', ...type, '-N', '', '-C', name, '-f', path])
    }
    return (await readFile(`${path}.pub`, 'utf8')).trim()
  }

  keyFile(name: string): string {
    return join(this.folder, `key-${name}`)
  }

  /** Arguments of ssh for this server and this key, up to and with the account. */
  client(key: string, ...more: readonly string[]): string[] {
    return [
      '-F',
      'none',
      '-p',
      String(this.port),
      '-i',
      this.keyFile(key),
      ...['IdentitiesOnly=yes', 'BatchMode=yes', 'StrictHostKeyChecking=no', 'LogLevel=ERROR']
        .concat(`UserKnownHostsFile=${join(this.folder, 'known_hosts')}`)
        .flatMap(option => ['-o', option]),
      ...more,
      `${ACCOUNT}@127.0.0.1`,
    ]
  }

  /** Runs a command on the server, with this on its standard input. */
  async ssh(key: string, command: string, input: string | Buffer = ''): Promise<Answer> {
    return finished(spawn('ssh', [...this.client(key), command]), input)
  }

  async stop(): Promise<void> {
    await this.#server.stop()
    await rm(this.#library, { recursive: true, force: true })
  }
}

/** Gives a program its input, and waits for its end. */
export async function finished(
  child: ChildProcess,
  input: string | Buffer | Readable = '',
): Promise<Answer> {
  const said = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.on('data', (chunk: Buffer) => (said[name] += chunk.toString()))
  }
  // A program that refuses does not read to the end.
  child.stdin?.on('error', () => undefined)
  if (child.stdin && input instanceof Readable) input.pipe(child.stdin)
  else child.stdin?.end(input)
  const code = await new Promise<number | null>(resolve => {
    child.once('close', resolve)
  })
  return { code, ...said }
}

async function run(program: string, args: readonly string[]): Promise<void> {
  await promisify(execFile)(program, [...args])
}
