import { join } from 'node:path'

import { describe, expect, onTestFinished, test } from 'vitest'

import { HOUR } from '../../../src/base/clock.ts'
import { UNLIMITED, type LoginLimits } from '../../../src/relay/limits/login-limits.ts'
import { Meter } from '../../../src/relay/limits/meter.ts'
import { RecipientDigests } from '../../../src/relay/limits/recipient-digests.ts'
import { SqliteQueueStore } from '../../../src/relay/queue/sqlite-store.ts'
import { StoreUnavailable } from '../../../src/relay/queue/store.ts'
import type { WireClient } from '../../conformance/wire-client.ts'
import { scratchFolder } from '../../support/scratch.ts'
import { eventually } from '../../support/server-process.ts'
import { run, submit, type Running } from './fixture.ts'

const START = Date.UTC(2026, 10, 23, 12)

interface Limited {
  readonly running: Running
  readonly queue: SqliteQueueStore
  readonly client: WireClient
  /** Lets time pass for the limits; milliseconds. */
  wait(time: number): void
}

/** A server whose only login may send this much. */
async function limited(limits: Partial<LoginLimits>): Promise<Limited> {
  const queue = await SqliteQueueStore.open(join(await scratchFolder(), 'queue.sqlite'))
  onTestFinished(() => queue.close())
  let now = START
  const meter = new Meter({
    ledger: queue.ledger,
    limitsOf: () => ({ ...UNLIMITED, ...limits }),
    digests: new RecipientDigests(Buffer.alloc(32, 7)),
    clock: () => now,
  })
  const running = await run({ store: queue, meter })
  return {
    running,
    queue,
    client: await running.session(),
    wait: time => {
      now += time
    },
  }
}

function kinds(running: Running): string[] {
  return running.events.map(({ kind }) => kind)
}

describe('a login over its limit', () => {
  test('is told at MAIL which limit it is and when it ends, and may go on then', async () => {
    const { client, running, wait } = await limited({ messages_per_hour: 2 })
    await submit(client)
    await submit(client)
    expect(await submit(client)).toBe(
      '450 4.7.0 The limit of 2 messages an hour is reached, try again after 2026-11-23 13:05 UTC',
    )
    // What threads of sessions report is on its way when the client has its answer.
    await eventually(() => kinds(running).includes('login-over-limit'), 'the event')
    expect(running.events).toContainEqual({
      kind: 'login-over-limit',
      login: 'alice',
      limit: 'messages_per_hour',
      action: 'defer',
      most: 2,
      until: START + HOUR + 300_000,
    })
    wait(HOUR + 300_000)
    expect(await submit(client)).toMatch(/^250 /)
  })

  test('is told at RCPT, and its message goes to those who had room', async () => {
    const { client, queue } = await limited({ recipients_per_day: 2 })
    await client.command('MAIL FROM:<alice@example.org>')
    await client.command('RCPT TO:<a@example.net>')
    await client.command('RCPT TO:<b@example.net>')
    expect((await client.command('RCPT TO:<b@example.net>')).code).toBe(250)
    const third = await client.command('RCPT TO:<c@example.net>')
    expect(third.text).toMatch(/^450 4\.7\.0 The limit of 2 recipients a day is reached, try again/)
    await client.command('DATA')
    const end = await client.command('From: alice@example.org\r\n\r\nHello\r\n.')
    expect(end.code).toBe(250)
    const { recipients } = (await queue.find(end.text.split(' ').at(-1) ?? '')) ?? {}
    expect(recipients?.map(({ address }) => address)).toEqual(['a@example.net', 'b@example.net'])
  })

  test('may still write to whom it knows when it has had its new recipients', async () => {
    const { client } = await limited({ new_recipients_per_day: 2 })
    await submit(client, { to: ['<a@example.net>', '<b@example.net>'] })
    expect(await submit(client, { to: ['<A@example.net>', '<b@example.net>'] })).toMatch(/^250 /)
    expect(await submit(client, { to: ['<c@example.net>'] })).toMatch(
      /^450 4\.7\.0 The limit of 2 new recipients a day is reached/,
    )
  })

  test('has its mail taken and kept back where that is configured; release lets it all go', async () => {
    const { client, queue, running } = await limited({ over: 'hold', messages_per_hour: 2 })
    const said: string[] = []
    for (let i = 0; i < 5; i++) said.push(await submit(client))
    expect(said.every(text => text.startsWith('250 2.0.0 queued as '))).toBe(true)
    expect(await queue.counts()).toMatchObject({ queued: 2, held: 3 })
    await eventually(
      () => kinds(running).filter(kind => kind === 'login-over-limit').length === 3,
      'an event for each',
    )
    expect(kinds(running).filter(kind => kind === 'message-accepted')).toHaveLength(5)
    const held = await queue.list({ limit: 10, of: { kind: 'login', value: 'alice' } })
    expect(held.at(-1)).toMatchObject({
      state: 'held',
      kept: 'over the limit of 2 messages an hour',
    })
    for (const { id } of held) await queue.operate(id, { action: 'release', by: 'root', at: START })
    expect(await queue.counts()).toMatchObject({ queued: 5, held: 0 })
  })

  test('cannot fill the disk with mail that is held', async () => {
    const { client, queue } = await limited({ over: 'hold', messages_per_hour: 1 })
    const said: string[] = []
    for (let i = 0; i < 12; i++) said.push((await submit(client)).slice(0, 3))
    expect(said).toEqual([...Array<string>(10).fill('250'), '450', '450'])
    expect(await queue.counts()).toMatchObject({ queued: 1, held: 9 })
  })

  test('cannot have more by many sessions that all begin before the first ends', async () => {
    const { running, queue } = await limited({ messages_per_hour: 3 })
    const sessions = await Promise.all(Array.from({ length: 8 }, () => running.session()))
    for (const session of sessions) {
      await session.command('MAIL FROM:<alice@example.org>')
      await session.command('RCPT TO:<bob@example.net>')
      expect((await session.command('DATA')).code).toBe(354)
    }
    const ends = await Promise.all(
      sessions.map(session => session.command('From: alice@example.org\r\n\r\nHello\r\n.')),
    )
    const codes = ends.map(({ code }) => code)
    expect(codes.filter(code => code === 250)).toHaveLength(3)
    expect(codes.filter(code => code === 450)).toHaveLength(5)
    expect(await queue.counts()).toMatchObject({ queued: 3, held: 0 })
  })

  test('is not charged for a message that was refused or never finished', async () => {
    const { client, running } = await limited({ messages_per_hour: 1 })
    await submit(client, { content: 'From: carol@example.org\r\n\r\nHello\r\n' })
    const other = await running.session()
    await other.command('MAIL FROM:<alice@example.org>')
    await other.command('RCPT TO:<bob@example.net>')
    await other.command('DATA')
    other.socket.destroy()
    expect(await submit(client)).toMatch(/^250 /)
  })

  test('is not refused because the counts cannot be read: that is 451', async () => {
    const { client, queue } = await limited({ messages_per_hour: 1 })
    queue.ledger.usage = () => Promise.reject(new StoreUnavailable('told to fail', { full: false }))
    expect(await submit(client)).toMatch(/^451 4\.3\.0 /)
  })
})
