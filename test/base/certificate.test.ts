import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, connect } from 'node:tls'

import { expect, test } from 'vitest'

import { createAuthority } from '../../src/base/certificate.ts'

async function handshake(trusted: string, name: string): Promise<string> {
  const authority = await createAuthority('one')
  const pair = await authority.issue(['relay.example.org', '127.0.0.1'])
  const server = createServer({ cert: pair.certificate, key: pair.key })
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const ca = trusted === 'same' ? authority.certificate : (await createAuthority('two')).certificate
  const socket = connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    servername: name,
    ca,
  })
  const result = await new Promise<string>(resolve => {
    socket.once('secureConnect', () => resolve('authorized'))
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  })
  socket.destroy()
  server.close()
  return result
}

test('an issued certificate is trusted for its name by who trusts the authority', async () => {
  expect(await handshake('same', 'relay.example.org')).toBe('authorized')
})

test('it is not trusted for another name, nor by who trusts another authority', async () => {
  expect(await handshake('same', 'other.example.org')).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
  expect(await handshake('other', 'relay.example.org')).toMatch(/^(UNABLE|CERT|ERR)_/)
})
