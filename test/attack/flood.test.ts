import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface, type Interface } from 'node:readline'
import { promisify } from 'node:util'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { DEFAULT_LIMITS } from '../../src/relay/submission/limits.ts'
import { WireClient } from '../conformance/wire-client.ts'
import { eventually } from '../support/server-process.ts'
import { submitDuring } from './submit-during.ts'

/** A few descriptors are needed for other things than the flood. */
const DESCRIPTORS = Number((await promisify(execFile)('sh', ['-c', 'ulimit -Hn'])).stdout) || 1e6
const CONNECTIONS = Math.min(10_000, DESCRIPTORS - 500)
const AT_A_TIME = 400
const MB = 1_000_000

interface Counts {
  readonly greeted: number
  readonly turnedAway: number
}

/** Clients that connect and stay, each from an address of its own if told. */
class Flood {
  readonly #sockets: Socket[] = []
  #greeted = 0
  #turnedAway = 0

  /** Connects and waits until each has been greeted or turned away. */
  async come(port: number, addressOf: (n: number) => string): Promise<Counts> {
    for (let n = 0; n < CONNECTIONS; n += AT_A_TIME) {
      const some = Array.from({ length: Math.min(AT_A_TIME, CONNECTIONS - n) }, (_, i) =>
        this.#one(port, addressOf(n + i)),
      )
      await Promise.all(some)
    }
    return { greeted: this.#greeted, turnedAway: this.#turnedAway }
  }

  leave(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #one(port: number, localAddress: string): Promise<void> {
    const socket = connect({ host: '127.0.0.1', port, localAddress })
    this.#sockets.push(socket)
    return new Promise(resolve => {
      let counted = false
      const count = (greeted: boolean): void => {
        if (!counted && greeted) this.#greeted++
        if (!counted && !greeted) this.#turnedAway++
        counted = true
        resolve()
      }
      socket.on('error', () => undefined)
      socket.once('data', octets => count(octets.toString().startsWith('220 ')))
      socket.once('close', () => count(false))
    })
  }
}

describe(`${CONNECTIONS} connections at a time`, () => {
  let relay: ChildProcess
  let lines: Interface
  let port: number

  const ask = async (): Promise<Record<string, number>> => {
    const answer = once(lines, 'line')
    relay.stdin?.write('\n')
    return JSON.parse(String((await answer)[0])) as Record<string, number>
  }
  const settled = async (): Promise<number> => (await ask())['rss'] ?? 0

  beforeEach(async () => {
    const program = new URL('fixtures/relay.ts', import.meta.url).pathname
    relay = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] })
    if (relay.stdout === null) throw new Error('no output')
    lines = createInterface({ input: relay.stdout })
    const ended = once(relay, 'exit').then(() => Promise.reject(new Error('the relay has ended')))
    ended.catch(() => undefined)
    const [line] = (await Promise.race([once(lines, 'line'), ended])) as [string]
    port = (JSON.parse(line) as { port: number }).port
  })
  afterEach(async () => {
    if (relay.exitCode !== null) return
    const ended = once(relay, 'exit')
    relay.stdin?.end()
    await ended
  })

  async function loggedIn(): Promise<WireClient> {
    const client = await WireClient.greeted({ host: '127.0.0.1', port, tls: 'starttls' })
    expect((await client.logIn('alice', 'canary-demo')).code).toBe(235)
    return client
  }

  it.each([
    ['many networks', 'connections', (n: number) => `127.1.${n % 250}.1`],
    ['one network', 'connectionsPerNetwork', () => '127.1.0.1'],
  ] as const)(
    'from %s get no more than %s of them in, cost little, and stop nobody who has logged in',
    async (_, limit, addressOf) => {
      const worker = await loggedIn()
      const before = await settled()
      const flood = new Flood()
      const coming = flood.come(port, addressOf)
      const submitted = await submitDuring(worker, coming)
      const { greeted, turnedAway } = await coming
      expect(greeted).toBeLessThanOrEqual(DEFAULT_LIMITS[limit])
      expect(greeted).toBeGreaterThan(DEFAULT_LIMITS[limit] / 2)
      expect(greeted + turnedAway).toBe(CONNECTIONS)
      expect((await ask())['messages']).toBe(submitted)
      expect((await settled()) - before).toBeLessThan(250 * MB)
      flood.leave()
      const again = (): Promise<WireClient | undefined> => loggedIn().catch(() => undefined)
      const next = await eventually(again, 'a login after the flood')
      next.destroy()
      worker.destroy()
    },
  )
})
