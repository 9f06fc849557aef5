import { createSocket } from 'node:dgram'
import { promises as dns } from 'node:dns'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { freePort } from './ports.ts'
import { asNobody, findProgram, ServerProcess } from './server-process.ts'

export interface Dnsmasq {
  /** `127.0.0.1:5353`, for `setServers`. */
  readonly server: string
  stop(): Promise<void>
}

/**
 * A real name server for `.test` and nothing else: other names are refused.
 *
 * @param records lines of its configuration, `mx-host=gmail.test,mx1.gmail.test,5`
 */
export async function startDnsmasq(folder: string, records: readonly string[]): Promise<Dnsmasq> {
  const program = findProgram('dnsmasq')
  if (program === undefined) throw new Error('dnsmasq is not installed')
  const port = await freePort()
  const file = join(folder, 'dnsmasq.conf')
  const lines = [
    'no-resolv',
    'no-hosts',
    'keep-in-foreground',
    'bind-interfaces',
    'listen-address=127.0.0.1',
    `port=${port}`,
    'local=/test/',
    ...records,
  ]
  await writeFile(file, lines.map(line => `${line}\n`).join(''))
  const server = `127.0.0.1:${port}`
  const process = await ServerProcess.start({
    name: 'dnsmasq',
    command: asNobody([program, `--conf-file=${file}`, '--pid-file=']),
    log: join(folder, 'dnsmasq.log'),
    ready: signal => answers(server, signal),
  })
  return { server, stop: () => process.stop() }
}

/** A name server that gives every question the same answer: an RCODE (RFC 1035 section 4.1.1), or none at all. */
export async function startNameServer(answer: number | 'silence'): Promise<Dnsmasq> {
  const socket = createSocket('udp4')
  socket.on('message', (query, from) => {
    if (answer === 'silence') return
    const reply = Buffer.from(query)
    // QR and RA set, RD kept, the RCODE in the low four bits.
    reply[2] = 0x80 | ((query[2] ?? 0) & 0x01)
    reply[3] = 0x80 | answer
    socket.send(reply, from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return {
    server: `127.0.0.1:${socket.address().port}`,
    stop: async () => {
      socket.close()
      await once(socket, 'close')
    },
  }
}

async function answers(server: string, signal: AbortSignal): Promise<void> {
  const resolver = new dns.Resolver({ timeout: 250, tries: 1 })
  resolver.setServers([server])
  const deadline = Date.now() + 20_000
  while (!signal.aborted && Date.now() < deadline) {
    // That there is no such name is an answer too.
    const code = await resolver.resolve4('ready.test').then(
      () => 'ENOTFOUND',
      (error: NodeJS.ErrnoException) => error.code,
    )
    if (code === 'ENOTFOUND' || code === 'ENODATA') return
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  throw new Error('dnsmasq does not answer')
}
