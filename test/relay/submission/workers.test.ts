import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { serialize } from 'node:v8'
import type { Worker } from 'node:worker_threads'

import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'

import { createAuthority } from '../../../src/base/certificate.ts'
import { ServerIdentities } from '../../../src/base/server-tls.ts'
import type { Ledger } from '../../../src/relay/limits/ledger.ts'
import { UNLIMITED } from '../../../src/relay/limits/login-limits.ts'
import { Meter } from '../../../src/relay/limits/meter.ts'
import { RecipientDigests } from '../../../src/relay/limits/recipient-digests.ts'
import { GRIDS } from '../../../src/relay/limits/usage.ts'
import { SqliteQueueStore } from '../../../src/relay/queue/sqlite-store.ts'
import { WireClient } from '../../conformance/wire-client.ts'
import { bodyOf } from '../../contract/queue-store-samples.ts'
import { freePort } from '../../support/ports.ts'
import { scratchFolder } from '../../support/scratch.ts'
import { eventually } from '../../support/server-process.ts'
import { MESSAGE, run, submit, type Running } from './fixture.ts'

const WORKERS = 2

describe('sessions in threads of their own', () => {
  let threads: Worker[]
  const seen = (worker: Worker): void => void threads.push(worker)
  beforeEach(() => {
    threads = []
    process.on('worker', seen)
  })
  afterEach(() => void process.off('worker', seen))

  /** Enough that each thread has some: that all of twenty go to one of two happens once in half a million times. */
  async function twenty(running: Running): Promise<readonly WireClient[]> {
    return Promise.all(Array.from({ length: 20 }, () => running.session()))
  }

  async function greeting({ implicit }: Running): Promise<string> {
    return (await (await WireClient.connect(implicit)).reply()).text
  }

  it('take mail, whichever of them the connection comes to', async () => {
    const running = await run({ workers: WORKERS })
    expect(threads).toHaveLength(WORKERS)
    const answers = await Promise.all((await twenty(running)).map(client => submit(client)))
    expect(answers.every(text => text.startsWith('250 2.0.0 queued as '))).toBe(true)
    expect(running.store.messages).toHaveLength(20)
    expect(running.accepted).toHaveLength(20)
    expect(running.store.messages[0]?.body.toString()).toContain(MESSAGE)
  })

  it('hold the limits on connections together', async () => {
    const running = await run({ workers: WORKERS, limits: { connectionsPerNetwork: 20 } })
    const clients = await twenty(running)
    expect(await greeting(running)).toMatch(/^421 4\.7\.0 /)
    await clients[0]?.command('QUIT')
    await eventually(() => running.session().catch(() => undefined), 'the place of who has left')
  })

  it('hold the budget of memory together', async () => {
    const running = await run({ workers: WORKERS, limits: { memoryBytes: 10 * 1_024 } })
    const answers = await Promise.all(
      (await twenty(running)).map(client => client.command('MAIL FROM:<alice@example.org>')),
    )
    expect(answers.filter(({ code }) => code === 250).length).toBeGreaterThan(0)
    expect(answers.filter(({ code }) => code === 250).length).toBeLessThanOrEqual(10)
    expect(answers.filter(({ code }) => code === 452).length).toBeGreaterThanOrEqual(10)
  })

  it('that die end their own sessions only, leave nothing behind, and are started again', async () => {
    const running = await run({ workers: WORKERS, limits: { connectionsPerNetwork: 20 } })
    const clients = await twenty(running)
    // Each in the middle of a message of several pieces.
    for (const client of clients) {
      await client.command('MAIL FROM:<alice@example.org>')
      await client.command('RCPT TO:<bob@example.net>')
      await client.command('DATA')
      await client.write(MESSAGE + 'hello again\r\n'.repeat(10_000))
    }
    await eventually(() => running.store.open.size === 20, 'a part of every message')
    await threads[0]?.terminate()
    const died = (): boolean => running.events.some(({ kind }) => kind === 'session-worker-ended')
    await eventually(died, 'the event')
    const alive = running.store.open.size
    expect(alive).toBeGreaterThan(0)
    expect(alive).toBeLessThan(20)
    const answers = await Promise.allSettled(
      clients.map(async client => {
        await client.write('.\r\n')
        return (await client.reply()).code
      }),
    )
    expect(
      answers.filter(answer => answer.status === 'fulfilled' && answer.value === 250),
    ).toHaveLength(alive)
    expect(running.store.messages).toHaveLength(alive)
    expect(running.store.open.size).toBe(0)
    await eventually(() => threads.length === WORKERS + 1, 'another thread')
    // The places of the dead are free: as many as they were can come again.
    for (let n = alive; n < 20; n++) {
      const client = await eventually(
        () => running.session().catch(() => undefined),
        'a new session',
      )
      expect(await submit(client)).toMatch(/^250 /)
    }
  })

  it('ask once about twenty messages of a login that is far from its limits, and count all of them', async () => {
    const queue = await SqliteQueueStore.open(join(await scratchFolder(), 'queue.sqlite'))
    onTestFinished(() => queue.close())
    let asked = 0
    const ledger: Ledger = {
      usage: (...about) => {
        asked++
        return queue.ledger.usage(...about)
      },
      unknown: (...about) => queue.ledger.unknown(...about),
      putCounted: (...message) => queue.ledger.putCounted(...message),
      forget: now => queue.ledger.forget(now),
    }
    const meter = new Meter({
      ledger,
      limitsOf: () => ({ ...UNLIMITED, messages_per_hour: 1_000 }),
      digests: new RecipientDigests(Buffer.alloc(32, 7)),
      clock: Date.now,
    })
    const running = await run({ workers: 1, store: queue, meter })
    const client = await running.session()
    for (let n = 0; n < 20; n++) expect(await submit(client)).toMatch(/^250 /)
    expect(asked).toBe(1)
    const hours = await queue.ledger.usage('alice', Date.now())
    expect(hours.reduce((sum, { messages }) => sum + messages, 0)).toBe(GRIDS.length * 20)
  })

  it('ask the owner twice about a session with a message: who it is, and to keep the message', async () => {
    const queue = await SqliteQueueStore.open(join(await scratchFolder(), 'queue.sqlite'))
    onTestFinished(() => queue.close())
    const meter = new Meter({
      ledger: queue.ledger,
      limitsOf: () => ({ ...UNLIMITED, messages_per_hour: 1_000 }),
      digests: new RecipientDigests(Buffer.alloc(32, 7)),
      clock: Date.now,
    })
    const running = await run({ workers: 1, store: queue, meter })
    const questions: string[] = []
    threads[0]?.on('message', (items: readonly { readonly ask?: string }[]) => {
      questions.push(...items.flatMap(({ ask }) => (ask === undefined ? [] : [ask])))
    })
    for (let n = 0; n < 10; n++) {
      const client = await running.session()
      expect(await submit(client)).toMatch(/^250 /)
      await client.command('QUIT')
    }
    const once = ['attempt', 'put']
    // How much room there is for the login is asked before the first.
    expect(questions.filter(name => name !== 'closed')).toEqual([
      'attempt',
      'mail',
      'put',
      ...Array.from({ length: 9 }, () => once).flat(),
    ])
    expect(questions.filter(name => name === 'closed')).toHaveLength(1)
  })

  it('write large messages themselves, and leave no file of those that come to nothing', async () => {
    const folder = await scratchFolder()
    const queue = await SqliteQueueStore.open(join(folder, 'queue.sqlite'))
    onTestFinished(() => queue.close())
    const running = await run({
      workers: WORKERS,
      store: queue,
      limits: { messageBytes: 1_000_000, memoryBytes: 1_000_000 },
    })
    let handed = 0
    for (const thread of threads) {
      thread.on('message', items => void (handed += serialize(items).length))
    }
    const files = (): Promise<string[]> => readdir(join(folder, 'queue.bodies'))
    const large = MESSAGE + 'large text\r\n'.repeat(50_000)
    const client = await running.session()
    const said = await submit(client, { content: large })
    const id = /queued as (\S+)/.exec(said)?.[1] ?? ''
    expect(String(await bodyOf(queue, id))).toContain(large)
    expect(await files()).toHaveLength(1)
    // Told was where it is, not what is in it.
    expect(handed).toBeLessThan(10_000)

    // Refused at its end, cut off in the middle, and that with others under way.
    expect(await submit(client, { content: large + large })).toMatch(/^552 /)
    expect(await files()).toHaveLength(1)
    const clients = await Promise.all([running.session(), running.session()])
    for (const one of clients) {
      await one.command('MAIL FROM:<alice@example.org>')
      await one.command('RCPT TO:<bob@example.net>')
      await one.command('DATA')
      await one.write(large)
    }
    await eventually(async () => (await files()).length === 3, 'both files')
    for (const one of clients) one.destroy()
    await eventually(async () => (await files()).length === 1, 'that they are gone')
    expect(await submit(client)).toMatch(/^250 /)
  })

  it('show other certificates from the next connection on', async () => {
    const running = await run({ workers: WORKERS })
    const other = await (await createAuthority('another authority')).issue(['other.example.org'])
    running.server.useIdentities(new ServerIdentities([other]))
    await eventually(async () => {
      const { port } = running.implicit
      const names = await new Promise<string | undefined>(resolve => {
        const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
          resolve(socket.getPeerCertificate().subjectaltname)
          socket.destroy()
        })
      })
      return names === 'DNS:other.example.org' || undefined
    }, 'the other certificate')
  })

  it('greet with 421 until the owner can take mail', async () => {
    let unready: string | undefined = 'no directory data is loaded yet'
    const running = await run({ workers: WORKERS, ready: () => unready })
    expect(await greeting(running)).toBe('421 4.3.0 no directory data is loaded yet')
    unready = undefined
    await eventually(() => running.session().catch(() => undefined), 'a greeting')
  })

  it('do not share a port with a stranger', async () => {
    const port = await freePort()
    const listeners = [{ name: 'submissions', host: '127.0.0.1', port, tls: 'implicit' as const }]
    await run({ workers: WORKERS, listeners })
    await expect(run({ workers: WORKERS, listeners })).rejects.toThrow(
      `submissions cannot listen on 127.0.0.1:${port}: another program has the port`,
    )
  })
})
