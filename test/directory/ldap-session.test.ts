import { expect, it, onTestFinished } from 'vitest'

import { Secret } from '../../src/base/secret.ts'
import { withLdap } from '../../src/directory/ldap-session.ts'
import { eventually } from '../support/server-process.ts'
import { READER, startPlainLdap } from './plain-ldap.ts'
import { HASH } from './vectors.ts'

it('does not go on after a lost connection, which would be anonymous', async () => {
  const server = await startPlainLdap({ hash: HASH, identity: `dn:${READER}` })
  onTestFinished(() => server.stop())
  const connection = {
    url: server.url,
    startTls: false,
    bindDn: READER,
    bindPassword: new Secret('test-sync'),
    operationTimeout: 5_000,
  }
  const session = withLdap(connection, new AbortController().signal, async ldap => {
    expect(await ldap.whoAmI()).toBe(`dn:${READER}`)
    server.drop()
    await eventually(() => server.open() === 0, 'the connection is closed')
    return ldap.whoAmI()
  })
  await expect(session).rejects.toThrow()
  expect(server.accepted()).toBe(1)
})
