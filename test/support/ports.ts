import { once } from 'node:events'
import { createServer } from 'node:net'

import { demoPorts } from '../../src/cli/demo-configuration.ts'
import { portsFrom } from '../../src/demo/ports.ts'

/*
 * Ports that tests listen on are taken from here. From the system's own range (32768 and up on Linux) one that was free
 * a moment ago can meanwhile be the near end of somebody's connection.
 *
 * Between the moment a port is found free and the one a server listens there, another test must not find it too. So
 * each process of vitest has a share of its own, and goes through it in order, from anywhere: two runs at the same time
 * then hardly meet either.
 */
const FIRST_PORT = 10_000
const PORTS = 12_000
const WORKERS = 4
const SHARE = PORTS / WORKERS
const SHARE_START = FIRST_PORT + (Number(process.env['VITEST_POOL_ID'] ?? 0) % WORKERS) * SHARE

let turn = Math.floor(Math.random() * SHARE)

/** A port of this host that nobody listens on at this moment, and that no other test is given soon. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let tries = 0; tries < SHARE; tries += 1) {
    turn = (turn + 1) % SHARE
    const port = SHARE_START + turn
    if (await isFree(port, host)) return port
  }
  throw new Error(`no port to be had on ${host}`)
}

/** The demo's ports, moved, are above those. */
const FIRST_BASE = FIRST_PORT + PORTS - 2389
const BASES = 32_768 - 9464 - FIRST_BASE

/** Moves the ports of a demo, of which 2389 is the lowest and 9464 the highest, to where nobody listens at this moment. */
export async function anyPortBase(): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const base = FIRST_BASE + Math.floor(Math.random() * BASES)
    const { submissions, submission, publicWeb, admin } = demoPorts(base)
    const { imap, mx, oldServer, directory } = portsFrom(base)
    const ports = [submissions, submission, publicWeb, admin, oldServer, directory]
    ports.push(...[0, 1, 2, 3].flatMap(at => [imap(at), mx(at)]), 9090 + base, 9093 + base)
    const free = await Promise.all(ports.map(port => isFree(port, '127.0.0.1')))
    if (!free.includes(false)) return base
  }
  throw new Error('no ports to be had for a demo')
}

async function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer()
  server.listen(port, host)
  const free = await once(server, 'listening').then(
    () => true,
    () => false,
  )
  if (!free) return false
  server.close()
  await once(server, 'close')
  return true
}
