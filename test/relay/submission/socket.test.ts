import { mkdir, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'

import { describe, expect, onTestFinished, test } from 'vitest'

import type { LoginResult } from '../../../src/directory/principal.ts'
import type { SocketOptions } from '../../../src/relay/submission/socket-door.ts'
import { RelaySocket } from '../../../src/ssh/relay-socket.ts'
import { scratchFolder } from '../../support/scratch.ts'
import { ALICE, MESSAGE, run, type Running } from './fixture.ts'

const FINGERPRINT = `SHA256:${'A'.repeat(43)}`
const ALICE_64 = Buffer.from('alice').toString('base64')

function entrust(login: string): LoginResult {
  if (login === 'broken') throw new Error('the directory is gone')
  if (login === 'later') return { kind: 'unavailable', cause: 'nothing loaded' }
  return login === 'alice' ? { kind: 'accepted', principal: ALICE } : { kind: 'refused' }
}

async function open(
  options: Partial<SocketOptions> = {},
  more: Parameters<typeof run>[0] = {},
): Promise<Running & { readonly path: string; readonly connect: () => Promise<RelaySocket> }> {
  const path = join(await scratchFolder(), 'submit.sock')
  const running = await run({
    listeners: [
      {
        name: 'ssh',
        host: '',
        port: 0,
        tls: 'none',
        socket: {
          path,
          entrust,
          ownerOfKey: fingerprint =>
            fingerprint === FINGERPRINT ? { login: 'alice', key: 'ssh-ed25519 AAAA' } : undefined,
          ...options,
        },
      },
    ],
    ...more,
  })
  return {
    ...running,
    path,
    connect: async () => {
      const relay = await RelaySocket.open(path)
      onTestFinished(() => relay.close())
      return relay
    },
  }
}

async function codes(relay: RelaySocket, ...lines: readonly string[]): Promise<readonly number[]> {
  const answers: number[] = []
  for (const line of lines) answers.push((await relay.ask(line)).code)
  return answers
}

describe('the socket for programs of sshd', () => {
  test('lets a login in that was recognised elsewhere, with the policy of every other listener', async () => {
    const running = await open()
    const relay = await running.connect()
    expect((await relay.ask('EHLO localhost')).text).toMatch(/ AUTH EXTERNAL$/)
    expect(
      await codes(relay, 'MAIL FROM:<alice@example.org>', `AUTH EXTERNAL ${ALICE_64}`),
    ).toEqual([530, 235])
    expect((await relay.ask('VRFY alice')).text).toBe('<alice@example.org>')
    expect((await relay.ask('VRFY bob')).code).toBe(252)
    expect(
      await codes(
        relay,
        'MAIL FROM:<bob@example.org>',
        'MAIL FROM:<alice@example.org>',
        'RCPT TO:<bob@example.net>',
        'DATA',
      ),
    ).toEqual([550, 250, 250, 354])
    await relay.write(`${MESSAGE}.\r\n`)
    expect((await relay.reply()).code).toBe(250)
    expect(running.store.only.message.login).toBe('alice')
    expect(String(running.store.only.body)).toMatch(/with ESMTPA id/)
    expect(running.events).toContainEqual({ kind: 'login', result: 'accepted', login: 'alice' })
  })

  test('tells apart who may not and what is our own trouble', async () => {
    const running = await open()
    const relay = await running.connect()
    await relay.ask('EHLO localhost')
    const ask = (login: string): string =>
      `AUTH EXTERNAL ${Buffer.from(login).toString('base64') || '='}`
    expect(await codes(relay, ask('mallory'), ask(''), ask('later'), ask('broken'))).toEqual([
      535, 535, 454, 454,
    ])
    expect(
      await codes(
        relay,
        'AUTH EXTERNAL',
        'AUTH EXTERNAL ?',
        'AUTH PLAIN AGFsaWNlAGNhbmFyeS1kZW1v',
        'STARTTLS',
      ),
    ).toEqual([501, 501, 504, 502])
    expect((await relay.ask('MAIL FROM:<alice@example.org>')).code).toBe(530)
    expect(running.events.flatMap(event => (event.kind === 'login' ? event.result : []))).toEqual([
      'refused',
      'refused',
      'unavailable',
      'unavailable',
    ])
  })

  test('says whose a key is, by its fingerprint', async () => {
    const relay = await (await open()).connect()
    expect(await relay.ask(`XKEY ${FINGERPRINT}`)).toMatchObject({
      code: 250,
      text: 'alice ssh-ed25519 AAAA',
    })
    expect(await codes(relay, `XKEY ${FINGERPRINT.slice(0, -1)}`, 'XKEY', 'XKEY *')).toEqual([
      501, 501, 501,
    ])
    expect(await codes(relay, `XKEY SHA256:${'B'.repeat(43)}`)).toEqual([550])
  })

  test('has nothing to say while no directory is loaded: later, not never', async () => {
    const running = await open({}, { ready: () => 'no directory data is loaded yet' })
    await expect(running.connect()).rejects.toMatchObject({ code: 75 })
  })

  test('is open to nobody else, at no moment', async () => {
    const mask = process.umask(0)
    onTestFinished(() => void process.umask(mask))
    const { path } = await open()
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(process.umask()).toBe(0)
  })

  test.skipIf(process.getuid?.() !== 0)('belongs to the group that was named', async () => {
    const { path } = await open({ group: 'nogroup' })
    const { mode, gid } = await stat(path)
    expect([mode & 0o777, gid]).toEqual([0o660, 65534])
    await expect(open({ group: 'no-such-group' })).rejects.toThrow(/no group no-such-group/)
  })

  test('takes the place of a socket that was left behind, and of nothing else', async () => {
    const folder = await scratchFolder()
    const path = join(folder, 'submit.sock')
    const other = createServer().listen(path)
    await expect(open({ path })).rejects.toThrow(/another program listens/)
    await new Promise(resolve => other.close(resolve))
    await writeFile(path, 'a file')
    await expect(open({ path })).rejects.toThrow(/is no socket/)
    await mkdir(join(folder, 'shut'))
    await expect(open({ path: join(folder, 'x'.repeat(120)) })).rejects.toThrow(/too long/)
  })

  test('is not what a port speaks', async () => {
    const running = await run()
    const client = await running.session()
    expect((await client.command(`XKEY ${FINGERPRINT}`)).code).toBe(500)
    expect((await client.command('VRFY alice')).code).toBe(252)
    const stranger = await running.client()
    await stranger.command('EHLO x')
    expect((await stranger.command(`AUTH EXTERNAL ${ALICE_64}`)).code).toBe(504)
  })
})
