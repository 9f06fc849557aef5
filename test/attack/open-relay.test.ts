import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { WireClient } from '../conformance/wire-client.ts'
import { launch, MESSAGE, type Running } from '../relay/submission/fixture.ts'

const SENDERS = [
  '<mallory@example.com>',
  '<>',
  '<postmaster>',
  '<alice@example.org>',
  '<mallory@relay.example.org>',
  '<mallory@[127.0.0.1]>',
  '<mallory>',
  'mallory@example.com',
]

/**
 * The ways in which relays were talked into sending for strangers, and what becomes of each when somebody who has logged
 * in uses it: refused, or mail for exactly the mailbox that RFC 5321 section 4.1.2 reads there. What stands before the
 * last @ is never looked into.
 */
const RECIPIENTS: readonly (readonly [path: string, kept: string])[] = [
  ['<victim@example.net>', 'victim@example.net'],
  ['<victim%example.net@relay.example.org>', 'victim%example.net@relay.example.org'],
  ['<victim%example.net@[127.0.0.1]>', 'refused'],
  ['<victim%40example.net@relay.example.org>', 'victim%40example.net@relay.example.org'],
  ['<victim%example.net>', 'refused'],
  ['<"victim@example.net">', 'refused'],
  ['<"victim%example.net">', 'refused'],
  ['<"victim@example.net"@relay.example.org>', '"victim@example.net"@relay.example.org'],
  ['<"victim"@example.net@relay.example.org>', 'refused'],
  ['<victim@example.net@relay.example.org>', 'refused'],
  ['<@relay.example.org@example.net:victim@example.net>', 'refused'],
  ['<@relay.example.org:victim@example.net>', 'victim@example.net'],
  ['<@[127.0.0.1]:victim@example.net>', 'victim@example.net'],
  ['<@relay.example.org,@other.example:victim@example.net>', 'victim@example.net'],
  ['<example.net!victim>', 'refused'],
  ['<example.net!victim@relay.example.org>', 'example.net!victim@relay.example.org'],
  ['<relay.example.org!example.net!victim>', 'refused'],
  ['<victim@example.net.relay.example.org>', 'victim@example.net.relay.example.org'],
  ['<victim@[IPv6:::1]>', 'refused'],
  ['<victim@example.net> <victim@example.com>', 'refused'],
  ['<victim@example.net>,<victim@example.com>', 'refused'],
  ['victim@example.net', 'refused'],
  ['<>', 'refused'],
  ['<postmaster>', 'postmaster@relay.example.org'],
  ['<postmaster@example.net>', 'postmaster@example.net'],
]

let running: Running
beforeAll(async () => {
  running = await launch({
    limits: { errors: 100_000, commandsBeforeLogin: 100_000, connectionsPerNetwork: 1_000 },
  })
})
afterAll(() => running.server.stop())

describe('without a login nobody sends anything', () => {
  it.each(['implicit', 'starttls'] as const)('over %s TLS', async tls => {
    const client = await running.client(running[tls])
    for (const sender of SENDERS) {
      for (const [recipient] of RECIPIENTS) {
        const commands = [`MAIL FROM:${sender}`, `RCPT TO:${recipient}`, 'DATA']
        // One at a time, and as those do it who do not wait for an answer.
        for (const command of commands) {
          expect((await client.command(command)).code, command).toBe(530)
        }
        await client.write(commands.map(command => `${command}\r\n`).join(''))
        for (const command of commands) expect((await client.reply()).code, command).toBe(530)
      }
    }
    await client.write(MESSAGE)
    expect(running.store.messages).toEqual([])
  })

  it('in clear text either', async () => {
    const client = await WireClient.connect(running.starttls)
    await client.reply()
    await client.command('EHLO relay.example.org')
    for (const sender of SENDERS) {
      expect((await client.command(`MAIL FROM:${sender}`)).code).toBe(530)
      expect((await client.command('RCPT TO:<victim@example.net>')).code).toBe(530)
    }
    client.destroy()
    expect(running.store.messages).toEqual([])
  })

  it('nor with a login that was refused, or begun and left', async () => {
    const client = await running.client()
    expect((await client.logIn('alice', 'not-the-password')).code).toBe(535)
    expect((await client.command('MAIL FROM:<alice@example.org>')).code).toBe(530)
    await client.command('AUTH PLAIN')
    expect((await client.command('MAIL FROM:<alice@example.org>')).code).toBe(501)
    expect((await client.command('MAIL FROM:<alice@example.org>')).code).toBe(530)
    // The word of another host that it knows the sender (RFC 4954 section 5) opens nothing.
    const claimed = 'MAIL FROM:<alice@example.org> AUTH=alice@example.org'
    expect((await client.command(claimed)).code).toBe(530)
    expect(running.store.messages).toEqual([])
  })
})

describe('with a login', () => {
  it.each(RECIPIENTS)('RCPT TO:%s becomes %s', async (path, kept) => {
    const before = running.store.messages.length
    const client = await running.session()
    expect((await client.command('MAIL FROM:<alice@example.org>')).code).toBe(250)
    const rcpt = await client.command(`RCPT TO:${path}`)
    if (kept === 'refused') {
      expect(rcpt.code).toBeGreaterThanOrEqual(500)
      client.destroy()
      return
    }
    expect(rcpt.code, rcpt.text).toBe(250)
    await client.command('DATA')
    await client.write(`${MESSAGE}.\r\n`)
    expect((await client.reply()).code).toBe(250)
    const envelope = running.store.messages.slice(before).map(({ message }) => message.envelope)
    expect(envelope.map(({ recipients }) => recipients.map(r => r.address))).toEqual([[kept]])
    client.destroy()
  })

  it.each(SENDERS.filter(sender => !/alice|<>/.test(sender)))(
    'nobody sends as %s',
    async sender => {
      const client = await running.session()
      expect((await client.command(`MAIL FROM:${sender}`)).code).toBeGreaterThanOrEqual(500)
      expect((await client.command('RCPT TO:<victim@example.net>')).code).toBe(503)
      client.destroy()
    },
  )
})
