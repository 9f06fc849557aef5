import { setTimeout as pause } from 'node:timers/promises'
import { parentPort } from 'node:worker_threads'

import { Secret } from '../../base/secret.ts'
import { Smarthost } from '../../relay/transport/smarthost.ts'
import { NextHop } from './next-hop.ts'
import type { BenchResult, LoadOrder } from './order.ts'

/** The thread that sends, and that is the next hop as well, so that the relay has its thread for itself. */

// A relay that has accepted a message and does not deliver it within this time has stopped.
const STALLED = 30_000

const nextHop = new NextHop()

async function run(order: LoadOrder): Promise<BenchResult> {
  const { sessions, perConnection, messages, size, from } = order
  const client = new Smarthost({
    hostname: 'client.example.org',
    host: '127.0.0.1',
    port: order.port,
    tls: 'implicit',
    ca: order.ca,
    certificateName: order.certificateName,
    credentials: { user: order.login, password: new Secret(order.password) },
    resolver: { mx: nobody, addresses: nobody },
    pool: { messages: perConnection, connections: sessions },
  })
  const header = `From: <${from}>\r\nTo: <bob@example.net>\r\nSubject: bench\r\n\r\n`
  const content = Buffer.from(header + `${'x'.repeat(70)}\r\n`.repeat(Math.ceil(size / 72)))
  const times: number[] = []
  const refusals = new Map<string, number>()
  const { signal } = new AbortController()
  let left = messages
  const began = performance.now()
  const session = async (): Promise<void> => {
    while (left-- > 0) {
      const at = performance.now()
      const [outcome] = await client.deliver(
        {
          id: '',
          domain: 'example.net',
          reversePath: from,
          recipients: [{ address: 'bob@example.net' }],
          eightBit: false,
          smtputf8: false,
          size: content.length,
          body: () => onePiece(content),
        },
        signal,
      )
      if (outcome?.kind === 'delivered') times.push(performance.now() - at)
      else {
        const text = outcome === undefined ? '' : `${outcome.reply.code} ${outcome.reply.text}`
        refusals.set(text, (refusals.get(text) ?? 0) + 1)
      }
    }
  }
  await Promise.all(Array.from({ length: sessions }, session))
  const seconds = (performance.now() - began) / 1_000
  await client.close()
  for (let waited = 0, seen = -1; nextHop.taken < times.length && waited < STALLED; waited += 10) {
    if (nextHop.taken !== seen) waited = 0
    seen = nextHop.taken
    await pause(10)
  }
  const drained = (performance.now() - began) / 1_000
  times.sort((a, b) => a - b)
  return {
    accepted: times.length,
    refused: [...refusals],
    seconds,
    acceptedPerSecond: times.length / seconds,
    delivered: nextHop.taken,
    deliveredPerSecond: nextHop.taken / drained,
    medianMilliseconds: times[Math.floor(times.length / 2)] ?? 0,
    p99Milliseconds: times[Math.floor(times.length * 0.99)] ?? 0,
  }
}

function nobody(): Promise<never> {
  return Promise.reject(new Error('the bench asks no name server'))
}

async function* onePiece(content: Buffer): AsyncGenerator<Uint8Array> {
  yield content
}

function tell(message: BenchResult | number): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(message)
}

parentPort?.once('message', (order: LoadOrder) => {
  void run(order).then(result => tell(result))
})
tell(await nextHop.start())
