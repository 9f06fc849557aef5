import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { MINUTE, SECOND } from '../../src/base/clock.ts'
import { Secret } from '../../src/base/secret.ts'
import { OTHER } from '../../src/mail/providers.ts'
import { Prober } from '../../src/probe/prober.ts'
import type { Seed } from '../../src/probe/seed.ts'
import { SqliteHistory } from '../../src/probe/sqlite-history.ts'
import type { Arrival, ImapWorld } from './fixtures/imap-world.ts'

/*
 * What it takes to look at many seeds in one process: memory, and time of the processor, at rest and with a canary to
 * each every ten minutes.
 *
 *   node test/bench/seeds.ts --seeds 1000 --seconds 120
 */

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '120' },
    every: { type: 'string', default: '600' },
  },
})
const count = Number(values.seeds)
const window = Number(values.seconds) * SECOND

const child = fork(new URL('fixtures/imap-world.ts', import.meta.url), [String(count)], {
  stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
})
const [world] = (await once(child, 'message')) as [ImapWorld]
const folder = await mkdtemp(join(tmpdir(), 'mailcanary-bench-'))
const history = new SqliteHistory(join(folder, 'history.sqlite'))

const seeds = world.accounts.map(({ address, port, idle }, i): Seed => ({
  name: `seed-${i}`,
  provider: {
    ...OTHER,
    imap: { host: '127.0.0.1', port, auth: 'password', idle, ipv4Only: true },
  },
  address,
  imap: {
    host: '127.0.0.1',
    port,
    ca: world.ca,
    servername: 'imap.example.net',
    username: address,
    credential: () => Promise.resolve({ kind: 'password', password: new Secret('canary-demo') }),
  },
  pollEvery: 45 * SECOND,
  othersEvery: 450 * SECOND,
}))
const verdicts = new Map<string, number>()
let up = 0
const began = Date.now()
let allUp: () => void = () => undefined
const ready = new Promise<void>(resolve => {
  allUp = resolve
})
const prober = new Prober({
  history,
  seeds,
  origins: [{ name: 'relay', host: '127.0.0.1', port: 1, tls: 'none', from: 'canary@example.org' }],
  probes: seeds.map(({ name }) => ({
    name: `relay/${name}`,
    origin: 'relay',
    seed: name,
    content: 'plain',
    schedule: { kind: 'every', every: Number(values.every) * SECOND, jitter: 0.05 },
    deadline: 30 * MINUTE,
  })),
  tokenKey: Buffer.from('a key that is only test data'),
  clock: Date.now,
  random: Math.random,
  report: event => {
    if (event.kind === 'seed-up' && ++up === count) allUp()
    if (event.kind === 'verdict') {
      verdicts.set(event.verdict, (verdicts.get(event.verdict) ?? 0) + 1)
    }
  },
  submit: async ({ to, message, clock }) => {
    child.send({ address: to, raw: message.toString('base64') } satisfies Arrival)
    return { kind: 'submitted', at: clock(), queueId: '' }
  },
})

const before = process.memoryUsage().rss
await prober.start()
await ready
say('all seeds signed in', `${((Date.now() - began) / SECOND).toFixed(1)} s`)
say('processor for that', `${(cpu() / SECOND).toFixed(1)} s`)
const start = { cpu: cpu(), at: Date.now() }
await new Promise(resolve => setTimeout(resolve, window))
const share = (cpu() - start.cpu) / (Date.now() - start.at)
globalThis.gc?.()
const { rss, heapUsed } = process.memoryUsage()
say('seeds', String(count))
say('processor, share of one core', `${(100 * share).toFixed(1)} %`)
say('memory (RSS)', `${mib(rss)}, before the first seed ${mib(before)}`)
say('memory a seed', `${((rss - before) / count / 1024).toFixed(0)} KiB`)
say('heap in use', mib(heapUsed))
say('verdicts', [...verdicts].map(([verdict, n]) => `${n} ${verdict}`).join(', '))
await prober.stop()
await history.close()
child.disconnect()
await rm(folder, { recursive: true, force: true })

/** Milliseconds of processor time of this process so far. */
function cpu(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

function mib(octets: number): string {
  return `${(octets / 1024 ** 2).toFixed(0)} MiB`
}

function say(what: string, value: string): void {
  process.stdout.write(`${what.padEnd(32)}${value}\n`)
}
