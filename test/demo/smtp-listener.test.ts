import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

import { afterEach, describe, expect, it, vi } from 'vitest'

import { createAuthority } from '../../src/base/certificate.ts'
import { SmtpListener } from '../../src/demo/smtp-listener.ts'

const { key, certificate: cert } = await (await createAuthority('test')).issue(['mx.example'])

/** A client that has been told to go ahead with its handshake, and has not. */
async function beforeHandshake(port: number): Promise<Socket> {
  const client = connect(port, '127.0.0.1')
  client.on('error', () => undefined)
  for (const line of ['EHLO client.example', 'STARTTLS', undefined]) {
    await once(client, 'data')
    if (line !== undefined) client.write(`${line}\r\n`)
  }
  return client
}

describe('a listener of the demo', () => {
  afterEach(() => vi.restoreAllMocks())

  it('hangs up in the middle of a handshake, and when it stops', async () => {
    const listener = new SmtpListener({ host: '127.0.0.1', port: 0 }, { key, cert })
    await listener.start()
    for (const end of [async () => listener.hangUp(), () => listener.stop()]) {
      const client = await beforeHandshake(listener.port)
      // The head of a record, whose rest never comes.
      client.write(Buffer.from('160301', 'hex'))
      const closed = new Promise(resolve => client.once('close', resolve))
      await end()
      await closed
    }
  })

  it('asks OpenSSL nothing of a handshake that has failed: Node may die of it', async () => {
    const asked = vi.spyOn(TLSSocket.prototype, 'getProtocol')
    const listener = new SmtpListener({ host: '127.0.0.1', port: 0 }, { key, cert })
    await listener.start()
    const client = await beforeHandshake(listener.port)
    const closed = new Promise(resolve => client.once('close', resolve))
    client.write('no handshake at all\r\n')
    await closed
    expect(asked).not.toHaveBeenCalled()
    await listener.stop()
  })
})
