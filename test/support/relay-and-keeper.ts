import { rm, writeFile } from 'node:fs/promises'
import { createServer, connect, type Server } from 'node:net'
import { join } from 'node:path'

import { ssha } from './password.ts'
import { startPostfix, type Postfix } from './postfix.ts'
import { makeScratch } from './scratch.ts'
import { eventually } from './server-process.ts'
import { Site } from './site.ts'

export const PASSWORD = 'canary-demo'

/** An address at which the relay answers too, and which is not in its certificate. */
export const OTHER_ADDRESS = '127.0.0.3'

/** A relay for people and hosts, and a Postfix behind it that keeps what it is given. */
export interface RelayAndKeeper {
  readonly folder: string
  readonly site: Site
  /** The text of the first mail that it has and that matches, with LF line ends; waits for it. */
  arrived(pattern: RegExp): Promise<string>
  /** How many mails the relay has taken, and how many logins were tried. */
  accepted(): Promise<number>
  logins(): Promise<number>
  stop(): Promise<void>
}

/** @param logins who may log in, all with `PASSWORD`, each with the address login@example.org */
export async function startRelayAndKeeper(logins: readonly string[]): Promise<RelayAndKeeper> {
  const folder = await makeScratch()
  const site = await Site.create(folder)
  const keeper = await startPostfix(folder, { domains: ['example.net', 'example.org'] })
  const passwords = join(folder, 'passwords')
  await writeFile(passwords, logins.map(login => `${login}:${ssha(PASSWORD)}\n`).join(''))
  await site.configure({
    directory: `  domains: [example.org]\n  export_file: {path: ${passwords}}`,
    delivery: `  smarthost: {host: ${keeper.address}, port: ${keeper.port}, tls: none}`,
  })
  await site.start()
  const forwarder = await forward(OTHER_ADDRESS, site.ports.submissions)
  return {
    folder,
    site,
    arrived: pattern => arrived(keeper, pattern),
    accepted: () => site.metric('mailcanary_relay_messages_total', 'accepted'),
    logins: () => site.metric('mailcanary_relay_logins_total'),
    async stop() {
      forwarder.close()
      await site.stop()
      await keeper.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function arrived(keeper: Postfix, pattern: RegExp): Promise<string> {
  return eventually(
    async () => (await keeper.messages()).map(String).find(text => pattern.test(text)),
    `${pattern} in the mailbox of Postfix`,
  )
}

/** Passes connections to another address on to the same port of 127.0.0.1. */
async function forward(address: string, port: number): Promise<Server> {
  const server = createServer(client => {
    const relay = connect(port, '127.0.0.1')
    for (const [from, to] of [
      [client, relay],
      [relay, client],
    ] as const) {
      from.pipe(to)
      from.on('error', () => to.destroy())
    }
  })
  await new Promise<void>(resolve => server.listen(port, address, resolve))
  return server
}
