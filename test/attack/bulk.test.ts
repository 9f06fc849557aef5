import { describe, expect, it } from 'vitest'

import type { WireClient } from '../conformance/wire-client.ts'
import { MESSAGE, PASSWORD, run, submit, type Running } from '../relay/submission/fixture.ts'
import { submitDuring } from './submit-during.ts'

const MB = 1_000_000
const ROOM = { limits: { messageBytes: 60 * MB } }

/** Lets a client do its worst while somebody else works. */
async function during(
  running: Running,
  attack: (client: WireClient) => Promise<void>,
): Promise<void> {
  const worker = await running.session()
  const client = await running.session()
  const before = process.memoryUsage().rss
  expect(await submitDuring(worker, attack(client))).toBeGreaterThan(0)
  // Client, server and a store in memory are all in here.
  expect(process.memoryUsage().rss - before).toBeLessThan(400 * MB)
  client.destroy()
}

describe('much of the same', () => {
  it('lines of a megabyte: as commands, as a password, as content', async () => {
    const running = await run(ROOM)
    const line = Buffer.alloc(MB, 'x')
    await during(running, async client => {
      for (let n = 0; n < 5; n++) {
        await client.write(line)
        expect((await client.command('')).text).toBe('500 5.5.2 Line too long')
      }
      const content = Buffer.concat([
        Buffer.from(MESSAGE),
        ...Array.from({ length: 10 }, () => [line, Buffer.from('\r\n')]).flat(),
      ])
      expect(await submit(client, { content })).toMatch(/^5\d\d 5\.6\.0 .*line/i)
      expect(await submit(client)).toMatch(/^250 /)
    })
    const guest = await running.client()
    await guest.command('AUTH PLAIN')
    await guest.write(line)
    expect((await guest.command('')).text).toMatch(/^500 5\.5\.6 /)
    expect((await guest.logIn('alice', PASSWORD)).code).toBe(235)
  })

  it('millions of dots, each of them kept or taken away as it should be', async () => {
    const running = await run(ROOM)
    const dots = '..\r\n'.repeat(2 * MB)
    await during(running, async client => {
      expect(await submit(client, { content: MESSAGE + dots })).toMatch(/^250 /)
    })
    const sizes = running.store.messages.map(({ body }) => body.length)
    const largest =
      running.store.messages[sizes.indexOf(Math.max(...sizes))]?.body ?? Buffer.alloc(0)
    const kept = largest.subarray(largest.indexOf('Hello Bob\r\n') + 'Hello Bob\r\n'.length)
    expect(kept.equals(Buffer.from('.\r\n'.repeat(2 * MB)))).toBe(true)
  })

  it('a dot and nothing else, over and over: lines that never end a message', async () => {
    const running = await run(ROOM)
    await during(running, async client => {
      const content = `${MESSAGE}${'.'.repeat(900)}\n.\n.\r.\r`.repeat(2_000)
      expect(await submit(client, { content: `${content}\r\n` })).toMatch(/^550 5\.6\.0 /)
    })
  })
})

it('fifty STARTTLS within each other begin TLS once', async () => {
  const { client, starttls, session } = await run({
    limits: { errors: 100, commandsBeforeLogin: 100 },
  })
  const nested = await client(starttls)
  for (let n = 0; n < 50; n++) expect((await nested.command('STARTTLS')).code).toBe(503)
  // All at once, and a handshake within TLS: both are lines like any other.
  await nested.write('STARTTLS\r\n'.repeat(20))
  for (let n = 0; n < 20; n++) expect((await nested.reply()).code).toBe(503)
  await nested.write(Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3, 13, 10]))
  expect((await nested.reply()).code).toBe(500)
  expect((await nested.logIn('alice', PASSWORD)).code).toBe(235)
  expect(await submit(await session(starttls))).toMatch(/^250 /)
})
