import { once } from 'node:events'
import { connect } from 'node:net'

import { describe, expect, it, onTestFinished } from 'vitest'

import { codeOf } from '../../../src/base/problem.ts'
import type { LoginResult } from '../../../src/directory/principal.ts'
import { WireClient } from '../../conformance/wire-client.ts'
import { freePort } from '../../support/ports.ts'
import { eventually } from '../../support/server-process.ts'
import { ALICE, MESSAGE, PASSWORD, run, submit } from './fixture.ts'

describe('SubmissionServer', () => {
  it.each(['implicit', 'starttls'] as const)('takes a message over %s TLS', async tls => {
    const { [tls]: endpoint, session, store, events, accepted } = await run()
    const client = await session(endpoint)
    const answer = await submit(client)
    const { message, body } = store.only
    expect(answer).toBe(`250 2.0.0 queued as ${message.id}`)
    expect(message).toMatchObject({ login: 'alice', messageId: '<one@example.org>' })
    expect(message.envelope).toEqual({
      reversePath: 'alice@example.org',
      recipients: [{ address: 'bob@example.net' }],
      eightBit: false,
      smtputf8: false,
    })
    const text = body.toString()
    expect(text).toMatch(
      /^Received: from localhost \(client withheld\) \(using TLSv1\.3\)\r\n\tby relay\.example\.org with ESMTPSA id /,
    )
    expect(text.endsWith(MESSAGE)).toBe(true)
    expect(text).not.toContain('127.0.0.1')
    expect(text.match(/^Received:/gm)).toHaveLength(1)
    expect(accepted).toEqual([message.id])
    expect(events).toContainEqual({
      kind: 'message-accepted',
      id: message.id,
      login: 'alice',
      size: body.length,
      recipients: 1,
    })
    expect((await client.command('QUIT')).text).toBe('221 2.0.0 Bye')
    expect(await client.closed()).toBe('')
  })

  it('says one reply, whatever stands in its text', async () => {
    const { starttls } = await run({ ready: () => 'no data\r\n250 yes' })
    const client = connect(starttls)
    expect(String(await once(client, 'data'))).toBe('421 4.3.0 no data 250 yes\r\n')
    client.destroy()
  })

  it('closes after QUIT, and does not wait for the other side', async () => {
    const { starttls, session } = await run()
    const client = connect({ ...starttls, allowHalfOpen: true })
    onTestFinished(() => void client.destroy())
    await once(client, 'data')
    client.write('QUIT\r\n')
    expect(String(await once(client, 'data'))).toBe('221 2.0.0 Bye\r\n')
    await once(client, 'end')
    // Where nobody is left, what is sent comes back as a reset, and sooner than another client has come and gone.
    let code = ''
    client.on('error', error => {
      code = codeOf(error)
    })
    client.write('NOOP\r\n')
    await (await session()).command('QUIT')
    client.write('NOOP\r\n')
    await (await session()).command('QUIT')
    expect(code).toMatch(/^(?:ECONNRESET|EPIPE)$/)
  })

  it('does not say 250 before the message is durable', async () => {
    const { session, store } = await run()
    const release = store.hold()
    const client = await session()
    let answer: string | undefined
    const submitted = submit(client).then(text => {
      answer = text
    })
    // The content is in; a second session comes and goes, and still the first one waits.
    await eventually(() => store.open.size === 1 || undefined, 'the body')
    const other = await session()
    expect((await other.command('NOOP')).code).toBe(250)
    expect((await other.command('QUIT')).code).toBe(221)
    expect(answer).toBeUndefined()
    expect(store.messages).toHaveLength(0)
    release()
    await submitted
    expect(answer).toMatch(/^250 /)
    expect(store.messages).toHaveLength(1)
  })

  it.each([
    [{ full: true }, '452 4.3.1'],
    [{ full: false }, '451 4.3.0'],
  ])('answers a store that fails with %o by %s, and keeps nothing', async (failure, expected) => {
    const { session, store } = await run()
    const release = store.hold()
    const client = await session()
    const submitted = submit(client)
    await eventually(() => store.open.size === 1 || undefined, 'the body')
    store.fail(failure)
    release()
    expect(await submitted).toMatch(expected)
    expect(store.messages).toEqual([])
    expect(store.open.size).toBe(0)
    store.fail()
    expect(await submit(client)).toMatch(/^250 /)
  })

  it('greets with 421 4.3.0 and the reason while it cannot take mail', async () => {
    const { implicit } = await run({ ready: () => 'The directory has not been loaded yet' })
    const client = await WireClient.connect(implicit)
    expect((await client.reply()).text).toBe('421 4.3.0 The directory has not been loaded yet')
    await client.closed()
  })

  it('answers a wrong password 535 and our own trouble 454', async () => {
    const answers: LoginResult[] = [
      { kind: 'refused' },
      { kind: 'unavailable', cause: 'busy' },
      { kind: 'accepted', principal: ALICE },
    ]
    const { client, events } = await run({
      authenticate: () => {
        const answer = answers.shift()
        if (!answer) throw new Error('verifier is broken')
        return Promise.resolve(answer)
      },
    })
    const first = await client()
    expect((await first.logIn('alice', 'wrong')).text).toMatch(/^535 5\.7\.8 /)
    expect((await first.logIn('alice', PASSWORD)).text).toMatch(/^454 4\.7\.0 /)
    expect((await first.logIn('alice', PASSWORD)).text).toMatch(/^235 2\.7\.0 /)
    const second = await client()
    expect((await second.logIn('alice', PASSWORD)).text).toMatch(/^454 4\.7\.0 /)
    expect(events.filter(event => event.kind === 'login').map(event => event.result)).toEqual([
      'refused',
      'unavailable',
      'accepted',
      'unavailable',
    ])
  })

  it('names the addresses that may be used when the sender is somebody else', async () => {
    const { session, events } = await run()
    const client = await session()
    expect(await submit(client, { from: '<carol@example.org>' })).toBe(
      '550 5.7.1 Sender carol@example.org is not yours. You may send as alice@example.org, press@example.org',
    )
    const content = MESSAGE.replace('<alice@', '<carol@')
    expect(await submit(client, { content })).toBe(
      '550 5.7.1 From carol@example.org is not yours. You may send as alice@example.org, press@example.org',
    )
    const refusals = await eventually(() => {
      const found = events.filter(event => event.kind === 'message-refused')
      return found.length === 2 ? found : undefined
    }, 'an event for each')
    // What may stand in a log names no address.
    expect(JSON.stringify(refusals.map(event => event.reason))).not.toContain('@')
  })

  it('tells waiting clients 421 4.3.2 when it stops, and lets a message finish', async () => {
    const { server, session, store } = await run()
    const idle = await session()
    const busy = await session()
    const release = store.hold()
    const submitted = submit(busy)
    await eventually(() => store.open.size === 1 || undefined, 'the body')
    const stopped = server.stop()
    expect((await idle.reply()).text).toBe('421 4.3.2 Shutting down')
    release()
    expect(await submitted).toMatch(/^250 /)
    expect((await busy.reply()).text).toBe('421 4.3.2 Shutting down')
    await stopped
    expect(server.listening).toEqual([])
  })

  it('says which port it cannot have', async () => {
    const { implicit } = await run()
    await expect(run({ listeners: [{ name: 'submissions', ...implicit }] })).rejects.toThrow(
      `submissions cannot listen on 127.0.0.1:${implicit.port}: another program has the port`,
    )
  })

  it('listens on all addresses of both families beside each other', async () => {
    const port = await freePort('0.0.0.0')
    const listeners = ['0.0.0.0', '::'].map(host => ({
      name: 'submission',
      host,
      port,
      tls: 'starttls' as const,
    }))
    const { server } = await run({ listeners })
    expect(server.listening.map(({ address }) => address)).toEqual([
      `0.0.0.0:${port}`,
      `[::]:${port}`,
    ])
  })
})
