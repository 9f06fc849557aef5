import { connect, type Socket } from 'node:net'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { segments } from '../../conformance/segments.ts'
import { WireClient } from '../../conformance/wire-client.ts'
import { eventually } from '../../support/server-process.ts'
import { MESSAGE, PASSWORD, run, submit } from './fixture.ts'

const WORDS =
  'EHLO x|AUTH PLAIN|AUTH LOGIN =|MAIL FROM:<alice@example.org>|RCPT TO:<b@example.net>|DATA|RSET|.|\r\n|\r|\n|\0|*|STARTTLS|<|>|"| SIZE=1|\u00ff'.split(
    '|',
  )

/** Resolves when it is closed, gently or by a reset: `once` would reject for the latter. */
function closed(socket: Socket): Promise<void> {
  return new Promise(resolve => {
    socket.once('close', () => resolve())
  })
}

describe('a client that means harm', () => {
  it('gains nothing by being slow with a command, not even octet by octet', async () => {
    const { client } = await run({ limits: { commandTime: 300 } })
    const slow = await client()
    const drip = setInterval(() => void slow.write('N'), 50)
    const last = await slow.reply().finally(() => clearInterval(drip))
    expect(last.text).toBe('421 4.4.2 Timeout')
    await slow.closed()
  })

  it('has to log in some time', async () => {
    const { client } = await run({ limits: { timeBeforeLogin: 300, commandsBeforeLogin: 100_000 } })
    const busy = await client()
    let last = await busy.command('NOOP')
    while (last.code === 250) last = await busy.command('NOOP')
    expect(last.text).toBe('421 4.4.2 Timeout')
  })

  it('has to send content at the minimum rate; nothing of it is kept', async () => {
    const { session, store } = await run({ limits: { rateWindow: 300, minimumRate: 10_000 } })
    const slow = await session()
    await slow.command('MAIL FROM:<alice@example.org>')
    await slow.command('RCPT TO:<bob@example.net>')
    await slow.command('DATA')
    await slow.write(MESSAGE)
    const drip = setInterval(() => void slow.write('x\r\n'), 50)
    const last = await slow.reply().finally(() => clearInterval(drip))
    expect(last.text).toBe('421 4.4.2 Timeout')
    await slow.closed()
    await eventually(() => store.open.size === 0 || undefined, 'the body to be forgotten')
    expect(store.messages).toEqual([])
  })

  it('has to finish its handshake', async () => {
    const { implicit, starttls } = await run({ limits: { handshakeTime: 300 } })
    const silent = connect(implicit)
    silent.on('error', () => undefined)
    await closed(silent)
    // Octets do not prolong it: a record is announced and then comes one octet at a time.
    const slow = connect(implicit)
    slow.on('error', () => undefined)
    slow.write(Buffer.from([0x16, 3, 1, 2, 0]))
    const drip = setInterval(() => slow.write(Buffer.of(1)), 50)
    await closed(slow).finally(() => clearInterval(drip))
    const half = await WireClient.connect(starttls)
    await half.reply()
    await half.command('EHLO client.example.org')
    await half.command('STARTTLS')
    await half.closed()
  })

  it('has a bounded number of errors, commands without login, and connections', async () => {
    const { client, session, implicit } = await run({
      limits: { errors: 3, commandsBeforeLogin: 10, connectionsPerNetwork: 3 },
    })
    const wrong = await client()
    const codes: number[] = []
    for (let n = 0; n < 4; n++) codes.push((await wrong.command('XYZZY')).code)
    expect(codes).toEqual([500, 500, 500, 421])
    await wrong.closed()
    const idle = await client()
    await idle.write('NOOP\r\n'.repeat(1_000_000))
    const said = await idle.closed()
    expect(said.match(/^250 /gm)?.length).toBeLessThan(10)
    expect(said).toMatch(/421 4\.7\.0 Too many commands without a login\r\n$/)
    wrong.destroy()
    idle.destroy()
    const open = [await session(), await session(), await session()]
    const fourth = await WireClient.connect(implicit)
    expect((await fourth.reply()).text).toBe('421 4.7.0 Too many connections, try later')
    open[0]?.destroy()
    await eventually(async () => {
      const next = await WireClient.connect(implicit)
      const greeting = await next.reply()
      next.destroy()
      return greeting.code === 220 || undefined
    }, 'a place to be free')
  })

  it('keeps nobody out by guessing from the same network, and waits itself', async () => {
    const { client } = await run({ limits: { wrongLogins: 3, loginDelay: 60_000 } })
    for (let n = 0; n < 3; n++) {
      expect((await (await client()).logIn(`login${n}`, 'spring')).code).toBe(535)
    }
    const guesser = await client()
    let answered = false
    const guess = guesser.logIn('login3', 'spring').then(
      () => (answered = true),
      () => undefined,
    )
    // The first login of hers that this server sees.
    expect((await (await client()).logIn('alice', PASSWORD)).code).toBe(235)
    expect(answered).toBe(false)
    guesser.destroy()
    await guess
  })

  it('does not make us keep replies that it never reads', async () => {
    const { session } = await run()
    const deaf = await session()
    deaf.socket.pause()
    const before = process.memoryUsage().rss
    const flood = Buffer.from('HELP\r\n'.repeat(100_000))
    // Writing stops when neither side takes any more: that is what keeps our memory.
    for (let n = 0; n < 20 && !deaf.socket.writableNeedDrain; n++) deaf.socket.write(flood)
    const other = await session()
    for (let n = 0; n < 200; n++) expect((await other.command('NOOP')).code).toBe(250)
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000)
  })

  it('does not make us keep what it sends: a line of 20 MB, a header of 20 MB', async () => {
    const { session, store } = await run({ limits: { messageBytes: 50_000_000 } })
    const client = await session()
    const before = process.memoryUsage().rss
    const block = Buffer.alloc(1_000_000, 'x')
    for (let n = 0; n < 20; n++) await client.write(block)
    expect((await client.command('')).text).toBe('500 5.5.2 Line too long')
    const field = Buffer.from(`X-Much: ${'x'.repeat(900)}\r\n`.repeat(1_100))
    const content = Buffer.concat(Array.from({ length: 20 }, () => field))
    expect(await submit(client, { content })).toBe('552 5.3.4 Header section too big')
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000)
    expect(await submit(client)).toMatch(/^250 /)
    expect(store.messages).toHaveLength(1)
  })

  it('does not bring the server down with any octets at all', async () => {
    const { client, session, events } = await run({ limits: { errors: 1_000 } })
    const word = fc.constantFrom(...WORDS)
    const octets = fc
      .uint8Array({ maxLength: 300 })
      .map(some => Buffer.from(some).toString('latin1'))
    const part = fc.oneof(word, fc.constant('\r\n'), fc.string(), octets)
    const stream = fc.array(part, { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.boolean(), stream, async (loggedIn, cut, parts) => {
        const fuzzed = loggedIn ? await session() : await client()
        if (cut) fuzzed.cut = segments(parts.join(''))
        await fuzzed.write(Buffer.from(parts.join(''), 'latin1'))
        fuzzed.end()
        await fuzzed.closed()
        fuzzed.destroy()
      }),
      { numRuns: 60 },
    )
    expect((await (await session()).command('NOOP')).code).toBe(250)
    expect(events.filter(event => event.kind === 'relay-fault')).toEqual([])
  })
})

describe('bare newlines, normalised on request', () => {
  it('become CRLF, and a dot behind one never ends the message', async () => {
    const { session, store } = await run({ bareNewlines: 'normalize' })
    const client = await session()
    const content = `${MESSAGE}one\ntwo\rthree\n.\r\nMAIL FROM:<x>\r\n`
    expect(await submit(client, { content })).toMatch(/^250 /)
    expect(store.only.body.toString()).toMatch(
      /\r\none\r\ntwo\r\nthree\r\n\.\r\nMAIL FROM:<x>\r\n$/,
    )
  })
})
