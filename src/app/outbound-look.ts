import { once } from 'node:events'
import { connect, isIP } from 'node:net'

import { SECOND } from '../base/clock.ts'
import { messageOf } from '../base/problem.ts'
import { printable } from '../mail/reply.ts'
import { routeTo } from '../relay/transport/mx.ts'
import { SystemResolver } from '../relay/transport/system-resolver.ts'

export interface OutboundOptions {
  /** Whose mail exchangers are tried. */
  readonly domain: string
  /** Name servers to ask instead of the system's. */
  readonly nameservers: readonly string[]
  readonly port: number
}

/** Whether mail can leave, as the first mail exchanger that answered says, or why it cannot. */
export type OutboundLook =
  | { readonly kind: 'open'; readonly host: string; readonly greeting: string }
  | { readonly kind: 'closed'; readonly why: string }

const MOST_HOSTS = 3

/** Looks up where mail of a domain goes, connects, reads the greeting, and leaves. Never throws. */
export async function lookOutbound(options: OutboundOptions): Promise<OutboundLook> {
  const resolver = new SystemResolver({ servers: options.nameservers, port: options.port })
  try {
    const own = { names: [], addresses: [] }
    const route = await routeTo(options.domain, resolver, own, Math.random)
    if (route.kind !== 'groups') return { kind: 'closed', why: route.reply.text }
    const hosts = route.groups.flatMap(group => group.hosts).slice(0, MOST_HOSTS)
    const failures: string[] = []
    for (const host of hosts) {
      const found = await resolver.addresses(host)
      if (found.kind !== 'addresses') {
        failures.push(`${host} has no address`)
        continue
      }
      // IPv4 first, as the relay does.
      const endpoints = found.endpoints.toSorted((a, b) => isIP(a.address) - isIP(b.address))
      for (const { address, port } of endpoints.slice(0, 2)) {
        const greeting = await greetingOf(address, port).catch((error: unknown) => {
          failures.push(`${host} (${address}) port ${port}: ${messageOf(error)}`)
        })
        if (greeting?.startsWith('220')) return { kind: 'open', host, greeting }
        if (greeting !== undefined) failures.push(`${host} says ${greeting}`)
      }
    }
    return { kind: 'closed', why: failures.join('; ') }
  } finally {
    resolver.close()
  }
}

async function greetingOf(host: string, port: number): Promise<string> {
  const socket = connect({ host, port })
  const signal = AbortSignal.timeout(10 * SECOND)
  try {
    const [first] = (await once(socket, 'data', { signal })) as [Buffer]
    return printable(first.toString('latin1').split('\r\n')[0] ?? '')
  } catch (error) {
    throw signal.aborted ? new Error('no answer within 10 s') : error
  } finally {
    // An error that comes later is nobody's any more.
    socket.on('error', () => undefined)
    socket.destroy()
  }
}
