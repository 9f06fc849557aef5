import { describe, expect, test } from 'vitest'

import { MemoryBudget } from '../../../src/relay/submission/memory-budget.ts'
import { eventually } from '../../support/server-process.ts'
import { MESSAGE, run, submit } from './fixture.ts'

const MIB = 1_048_576

describe('space on the disk', () => {
  test('is asked for at MAIL: one and a half times the announced size has to be free', async () => {
    let free = 15 * MIB
    const { session } = await run({ freeSpace: () => free, workers: 0 })
    const client = await session()
    const mail = (size: number): Promise<string> =>
      client.command(`MAIL FROM:<alice@example.org> SIZE=${size}`).then(({ text }) => text)
    expect(await mail(10 * MIB + 1)).toBe('452 4.3.1 Out of space, try later')
    expect(await mail(10 * MIB)).toBe('250 2.1.0 Sender OK')
    await client.command('RSET')
    free = MIB - 1
    expect(await mail(10)).toMatch(/^452 4\.3\.1 /)
    free = MIB
    expect(await mail(10)).toMatch(/^250 /)
  })

  test('is no reason to refuse where nobody knows how much there is', async () => {
    const { session } = await run({ freeSpace: () => undefined })
    expect(await submit(await session())).toMatch(/^250 /)
  })
})

describe('memory of all sessions together', () => {
  test('that is used up defers new mail, and what is under way ends as it would have', async () => {
    const { session, store } = await run({ limits: { memoryBytes: 20_000 } })
    const first = await session()
    await first.command('MAIL FROM:<alice@example.org>')
    await first.command('RCPT TO:<bob@example.net>')
    await first.command('DATA')
    await first.write(`${MESSAGE}${'x'.repeat(70)}\r\n`.repeat(60).slice(0, 14_400))
    const second = await session()
    await eventually(async () => {
      const { code } = await second.command('MAIL FROM:<alice@example.org>')
      await second.command('RSET')
      return code === 250 ? true : undefined
    }, 'a session that may begin')
    const big = `Subject: ${'long '.repeat(10)}\r\n`.repeat(250)
    expect(await submit(second, { content: `From: alice@example.org\r\n${big}\r\n` })).toBe(
      '452 4.3.1 Too much mail at once, try later',
    )
    expect((await first.command('\r\n.')).code).toBe(250)
    expect(await submit(second)).toMatch(/^250 /)
    expect(store.messages).toHaveLength(2)
  })

  test('counts envelopes, and is free again when their sessions are gone', async () => {
    const { session } = await run({ limits: { memoryBytes: 4_000 } })
    const hoarder = await session()
    await hoarder.command('MAIL FROM:<alice@example.org>')
    let last = 250
    for (let i = 0; last === 250 && i < 50; i++) {
      last = (await hoarder.command(`RCPT TO:<bob${i}@example.net>`)).code
    }
    expect(last).toBe(452)
    const other = await session()
    expect((await other.command('MAIL FROM:<alice@example.org>')).code).toBe(452)
    hoarder.socket.destroy()
    await eventually(async () => {
      const { code } = await other.command('MAIL FROM:<alice@example.org>')
      return code === 250 ? true : undefined
    }, 'memory for another session')
  })

  test('is all given back, whatever became of the messages', async () => {
    const { session } = await run({ limits: { memoryBytes: 20_000, messageBytes: 50_000 } })
    const client = await session()
    const huge = `From: alice@example.org\r\n\r\n${'x'.repeat(70)}\r\n`
    for (let i = 0; i < 30; i++) expect(await submit(client)).toMatch(/^250/)
    for (let i = 0; i < 30; i++) {
      await client.command('MAIL FROM:<alice@example.org>')
      await client.command(i % 2 === 0 ? 'RSET' : 'EHLO client.example.org')
      expect(await submit(client, { content: 'From: carol@example.org\r\n\r\nx\r\n' })).toMatch(
        /^550/,
      )
      expect(await submit(client, { content: huge })).toMatch(/^250/)
    }
  })

  test('is taken by nobody whose session has ended', () => {
    const budget = new MemoryBudget(100)
    const share = budget.share()
    expect(share.take(60)).toBe(true)
    expect(budget.share().take(60)).toBe(false)
    share.close()
    expect(share.take(10)).toBe(false)
    expect(budget.taken).toBe(0)
  })
})
