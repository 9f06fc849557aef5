import { describe, expect, test } from 'vitest'

import { Problem } from '../../../src/base/problem.ts'
import type { Principal } from '../../../src/directory/principal.ts'
import type { LocalOptions } from '../../../src/relay/submission/local-access.ts'
import { WireClient } from '../../conformance/wire-client.ts'
import { run, submit, type Running } from './fixture.ts'

const CRON: Principal = {
  login: 'cron',
  addresses: ['root@example.org'],
  domains: ['lists.example.org'],
}

async function local(
  options: Partial<LocalOptions> = {},
  more: Parameters<typeof run>[0] = {},
): Promise<Running & { readonly connect: () => Promise<WireClient> }> {
  const running = await run({
    listeners: [
      { name: 'submissions', host: '127.0.0.1', port: 0, tls: 'implicit' },
      {
        name: 'local',
        host: '127.0.0.1',
        port: 0,
        tls: 'none',
        local: { principal: CRON, ...options },
      },
    ],
    ...more,
  })
  const port = running.server.listening.find(({ name }) => name === 'local')?.port ?? 0
  return {
    ...running,
    connect: () => WireClient.connect({ host: '127.0.0.1', port, tls: 'starttls' }),
  }
}

async function greeted(running: { connect: () => Promise<WireClient> }): Promise<WireClient> {
  const client = await running.connect()
  await client.reply()
  await client.command('EHLO web.example.org')
  return client
}

const FROM_ROOT = 'From: root@example.org\r\nSubject: backup\r\n\r\ndone\r\n'

describe('the listener for local applications', () => {
  test('takes mail without login and without TLS, as its principal', async () => {
    const running = await local()
    const client = await greeted(running)
    const said = await submit(client, { from: '<root@example.org>', content: FROM_ROOT })
    expect(said).toMatch(/^250 2\.0\.0 queued as /)
    const { message, body } = running.store.only
    expect(message.login).toBe('cron')
    expect(body.toString()).toMatch(
      /^Received: from localhost \(client withheld\)\r\n\tby relay\.example\.org with ESMTP id /,
    )
  })

  test('offers neither AUTH nor STARTTLS, and takes neither', async () => {
    const running = await local()
    const client = await running.connect()
    await client.reply()
    const hello = await client.command('EHLO web.example.org')
    expect(hello.lines.join('\n')).not.toMatch(/AUTH|STARTTLS/)
    expect((await client.command('AUTH PLAIN')).code).toBe(502)
    expect((await client.command('STARTTLS')).code).toBe(502)
    expect((await client.command('NOOP')).code).toBe(250)
  })

  test('lets its principal send as the addresses and domains it has, and as no other', async () => {
    const client = await greeted(await local())
    expect((await client.command('MAIL FROM:<any.body@LISTS.example.org>')).code).toBe(250)
    await client.command('RSET')
    const foreign = await client.command('MAIL FROM:<alice@example.org>')
    expect(foreign.text).toBe(
      '550 5.7.1 Sender alice@example.org is not yours. You may send as root@example.org, @lists.example.org',
    )
    expect((await client.command('MAIL FROM:<root@sub.lists.example.org>')).code).toBe(550)
    const said = await submit(client, {
      from: '<root@example.org>',
      content: 'From: alice@example.org\r\n\r\nx\r\n',
    })
    expect(said).toMatch(/^550 5\.7\.1 From alice@example\.org is not yours/)
  })

  test('turns away who is not in its networks, with 554 and a closed connection', async () => {
    const running = await local({ networks: ['192.0.2.0/24'] })
    const client = await running.connect()
    expect((await client.reply()).text).toBe('554 5.7.1 This server is for other networks')
    await expect(client.command('EHLO web.example.org')).rejects.toThrow()
    expect(running.events.map(({ kind }) => kind)).not.toContain('message-accepted')
  })

  test('works while no directory data is loaded: it asks nobody for a password', async () => {
    const running = await local({}, { ready: () => 'no directory data is loaded yet' })
    const client = await greeted(running)
    const said = await submit(client, { from: '<root@example.org>', content: FROM_ROOT })
    expect(said).toMatch(/^250 /)
  })

  test('does not take the places of people who come from the same address', async () => {
    const running = await local({}, { limits: { connectionsPerNetwork: 2 } })
    await Promise.all([greeted(running), greeted(running), greeted(running)])
    expect((await (await running.session()).command('NOOP')).code).toBe(250)
  })

  test('is not ended for having no login', async () => {
    const running = await local({}, { limits: { timeBeforeLogin: 50, commandsBeforeLogin: 3 } })
    const client = await greeted(running)
    const until = Date.now() + 150
    while (Date.now() < until) expect((await client.command('NOOP')).code).toBe(250)
  })
})

describe('a listener that would be an open relay', () => {
  test.each([
    ['on every address, without networks', '0.0.0.0', undefined],
    ['on every IPv6 address, without networks', '::', undefined],
    ['on a public address, without networks', '192.0.2.10', undefined],
    ['for everybody in IPv4', '127.0.0.1', ['0.0.0.0/0']],
    ['for everybody in IPv6', '127.0.0.1', ['192.0.2.0/24', '::/0']],
    ['for one half of everybody', '0.0.0.0', ['0.0.0.0/1', '128.0.0.0/1']],
  ])('is not started: %s', async (_, host, networks) => {
    const listener = {
      name: 'local',
      host,
      port: 0,
      tls: 'none',
      local: { principal: CRON, ...(networks && { networks }) },
    } as const
    await expect(run({ listeners: [listener] })).rejects.toThrow(Problem)
  })

  test('is not started either where nobody is named whom it would trust', async () => {
    const listener = { name: 'plain', host: '127.0.0.1', port: 0, tls: 'none' } as const
    await expect(run({ listeners: [listener] })).rejects.toThrow('plain: logins need TLS')
  })
})
