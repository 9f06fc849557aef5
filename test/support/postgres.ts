import { spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'

import pg from 'pg'

import { Secret } from '../../src/base/secret.ts'
import { freePort } from './ports.ts'
import { makeScratch } from './scratch.ts'
import { asNobody, ServerProcess } from './server-process.ts'

const DEBIAN = '/usr/lib/postgresql'
const USER = 'mailcanary'
const NOBODY = 65_534
const INT8 = 20

/** A real PostgreSQL. Everybody on this host may log in. */
export interface PostgresServer {
  /** Makes an empty database. @returns its URL */
  newDatabase(): Promise<Secret>
  /** Runs a statement as its owner; for what only a test wants to know or do. */
  ask<Row>(url: Secret, sql: string): Promise<Row[]>
  /** Ends it at once, as a crash would, and starts it again on the same port with the same data. */
  crash(): Promise<void>
  down(): Promise<void>
  up(): Promise<void>
  /** Stops it for good and removes its folder. */
  stop(): Promise<void>
}

/** Where the programs of the newest PostgreSQL are: Debian keeps them out of the PATH. */
function programs(): string | undefined {
  if (!existsSync(DEBIAN)) return undefined
  const versions = readdirSync(DEBIAN).sort((a, b) => Number(a) - Number(b))
  const folder = join(DEBIAN, versions.at(-1) ?? '', 'bin')
  return existsSync(join(folder, 'initdb')) ? folder : undefined
}

/** The reason to skip a suite, as `missing` gives it. */
export function missingPostgres(): string | undefined {
  if (programs() !== undefined) return undefined
  const reason = 'needs postgresql: run test/install-servers'
  if (process.env['MAILCANARY_NO_SKIP'] === '1') throw new Error(reason)
  process.stderr.write(`skipped: ${reason}\n`)
  return reason
}

/** @param durable writes reach the disk, for tests that crash it; without, it is faster */
export async function startPostgres({ durable = false } = {}): Promise<PostgresServer> {
  const folder = await makeScratch()
  const bin = programs() ?? ''
  const data = join(folder, 'data')
  mkdirSync(data, { mode: 0o700 })
  if (process.getuid?.() === 0) for (const path of [folder, data]) chownSync(path, NOBODY, NOBODY)
  run([
    join(bin, 'initdb'),
    '-D',
    data,
    '-U',
    USER,
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--locale=C.UTF-8',
    '-N',
  ])
  const port = await freePort()
  const urlOf = (name: string): Secret =>
    new Secret(`postgres://${USER}:canary-demo@127.0.0.1:${port}/${name}`)
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: folder,
    fsync: durable ? 'on' : 'off',
    // Our own setting has to win.
    synchronous_commit: 'off',
    max_connections: 60,
  }
  const start = (): Promise<ServerProcess> =>
    ServerProcess.start({
      name: 'postgres',
      command: asNobody([
        join(bin, 'postgres'),
        '-D',
        data,
        ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ]),
      log: join(folder, 'postgres.log'),
      ready: signal => answers(urlOf('postgres'), signal),
    })
  let server = await start()
  let databases = 0

  return {
    async newDatabase() {
      const name = `test_${++databases}`
      await ask(urlOf('postgres'), `create database ${name}`)
      return urlOf(name)
    },
    ask,
    async crash() {
      // Immediate shutdown: nothing is written any more, and the next start recovers from the log.
      await server.stop('SIGQUIT')
      server = await start()
    },
    down: () => server.stop('SIGINT'),
    async up() {
      server = await start()
    },
    async stop() {
      await server.stop('SIGINT')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function ask<Row>(url: Secret, sql: string): Promise<Row[]> {
  const types = {
    getTypeParser: (oid: number) =>
      oid === INT8 ? Number : (pg.types.getTypeParser(oid) as (value: string) => unknown),
  }
  const client = new pg.Client({ connectionString: url.reveal(), types })
  await client.connect()
  try {
    return (await client.query(sql)).rows as Row[]
  } finally {
    await client.end()
  }
}

async function answers(url: Secret, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!signal.aborted && Date.now() < deadline) {
    const ok = await ask(url, 'select 1').then(
      () => true,
      () => false,
    )
    if (ok) return
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  throw new Error('PostgreSQL does not answer')
}

function run(command: readonly string[]): void {
  const [program = '', ...args] = asNobody(command)
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', cwd: '/' })
  if (status !== 0) throw new Error(`${program}: ${error?.message ?? stderr}`)
}
