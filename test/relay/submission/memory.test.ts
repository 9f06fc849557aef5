import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

import { expect, onTestFinished, test } from 'vitest'

import { WireClient } from '../../conformance/wire-client.ts'
import { scratchFolder } from '../../support/scratch.ts'
import { MESSAGE, submit } from './fixture.ts'

const MIB = 1_024 * 1_024

test('a message of 50 MiB adds under 2 MiB of memory', async () => {
  const program = new URL('fixtures/measured-relay.ts', import.meta.url).pathname
  const queue = join(await scratchFolder(), 'queue.sqlite')
  const child = spawn(process.execPath, ['--expose-gc', program, queue], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(async () => {
    child.stdin.end()
    await once(child, 'exit')
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const read = async <T>(): Promise<T> => JSON.parse((await lines.next()).value ?? '{}') as T
  const held = async (): Promise<number> => {
    child.stdin.write('\n')
    return (await read<{ held: number }>()).held
  }
  const { port } = await read<{ port: number }>()
  const client = await WireClient.greeted({ host: '127.0.0.1', port, tls: 'implicit' })
  await client.logIn('alice', 'any')
  // What only the first message costs: code, statements, the pages of the cache.
  expect(await submit(client)).toMatch(/^250 /)
  expect(await submit(client, { content: MESSAGE + 'hello\r\n'.repeat(300_000) })).toMatch(/^250 /)
  const before = await held()
  await client.command('MAIL FROM:<alice@example.org>')
  await client.command('RCPT TO:<bob@example.net>')
  await client.command('DATA')
  await client.write(MESSAGE)
  const piece = Buffer.from(`${'x'.repeat(70)}\r\n`.repeat(14_564))
  const during: number[] = []
  for (let sent = 0; sent < 50 * MIB; sent += piece.length) {
    await client.write(piece)
    if (during.length < 5 && sent > 10 * MIB * during.length) during.push(await held())
  }
  await client.write('.\r\n')
  expect((await client.reply()).code).toBe(250)
  during.push(await held())
  const most = Math.max(...during) - before
  expect(most).toBeLessThan(2 * MIB)
})
