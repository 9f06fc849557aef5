import { once } from 'node:events'
import { connect } from 'node:net'

import { Attribute, Change, Client } from 'ldapts'
import { expect, onTestFinished, test } from 'vitest'

import { Secret } from '../../src/base/secret.ts'
import { DirectoryServer } from '../../src/demo/directory-server.ts'
import {
  BASE_DN,
  DEMO_DIRECTORY_PASSWORD,
  demoEntries,
  PEOPLE_DN,
  SYNC_DN,
} from '../../src/demo/people.ts'
import { LdapOwners } from '../../src/directory/ldap-owner.ts'
import { LdapSource } from '../../src/directory/ldap-source.ts'
import { SCHEMAS } from '../../src/directory/schema.ts'

const WHO_AM_I = '1.3.6.1.4.1.4203.1.11.3'

async function directory(): Promise<DirectoryServer> {
  const server = new DirectoryServer({
    host: '127.0.0.1',
    port: 0,
    entries: demoEntries('canary-demo-2'),
    bindPassword: new Secret('sync-demo'),
  })
  await server.start()
  onTestFinished(() => server.stop())
  return server
}

async function client(server: DirectoryServer, password?: string): Promise<Client> {
  const ldap = new Client({ url: server.url, timeout: 5_000 })
  onTestFinished(() => ldap.unbind().catch(() => undefined))
  if (password !== undefined) await ldap.bind(SYNC_DN, password)
  return ldap
}

test('mail passwords are shown to the relay, and to nobody else', async () => {
  const server = await directory()
  const passwords = async (ldap: Client): Promise<unknown[]> => {
    const found = await ldap.search(PEOPLE_DN, {
      scope: 'one',
      filter: '(&(UID=*)(objectclass=shadowAccount))',
      attributes: ['uid', 'mailPassword'],
    })
    return found.searchEntries.map(entry => [entry['uid'], entry['mailPassword']])
  }
  const seen = await passwords(await client(server, 'sync-demo'))
  expect(seen.map(pair => (pair as string[])[0])).toStrictEqual([
    'alice',
    'bob',
    'carol',
    'canary',
    'mallory',
  ])
  for (const pair of seen) expect((pair as string[])[1]).toMatch(/^\{\w+\}/)
  const unseen = await passwords(await client(server))
  expect(unseen).toStrictEqual(seen.map(pair => [(pair as string[])[0], []]))
})

test('a filter cannot find out what may not be read', async () => {
  const server = await directory()
  const find = async (ldap: Client): Promise<number> => {
    const found = await ldap.search(PEOPLE_DN, { scope: 'one', filter: '(mailPassword=*)' })
    return found.searchEntries.length
  }
  expect(await find(await client(server, 'sync-demo'))).toBe(5)
  expect(await find(await client(server))).toBe(0)
})

test('a wrong password is refused, and who-am-I tells who one is', async () => {
  const server = await directory()
  // RFC 4511 section 4.1.9: invalidCredentials.
  await expect(client(server, 'wrong')).rejects.toMatchObject({ code: 49 })
  const bound = await client(server, 'sync-demo')
  expect((await bound.exop(WHO_AM_I)).value).toBe(`dn:${SYNC_DN}`)
  const nobody = await client(server)
  expect((await nobody.exop(WHO_AM_I)).value ?? '').toBe('')
})

test('scopes, operational attributes and the root entry are as in a real directory', async () => {
  const ldap = await client(await directory(), 'sync-demo')
  const dns = async (base: string, scope: 'base' | 'one' | 'sub'): Promise<string[]> =>
    (await ldap.search(base, { scope, filter: '(objectClass=*)' })).searchEntries.map(e => e.dn)
  expect(await dns(BASE_DN, 'base')).toStrictEqual([BASE_DN])
  expect(await dns(BASE_DN, 'one')).toStrictEqual([PEOPLE_DN])
  expect(await dns(BASE_DN, 'sub')).toHaveLength(9)
  await expect(dns('ou=nowhere,dc=example,dc=org', 'sub')).rejects.toThrow()
  const [root] = (
    await ldap.search('', {
      scope: 'base',
      filter: '(objectClass=*)',
      attributes: ['namingContexts'],
    })
  ).searchEntries
  expect(root?.['namingContexts']).toBe(BASE_DN)
  const [alice] = (
    await ldap.search(`uid=alice,${PEOPLE_DN}`, { scope: 'base', filter: '(uid=alice)' })
  ).searchEntries
  expect(alice?.['cn']).toBe('Alice Example')
  expect(alice).not.toHaveProperty('entryUUID')
})

test('owners change their own mail password, and the relay sees it at its next look', async () => {
  const server = await directory()
  const access = {
    url: server.url,
    startTls: false,
    bindDn: SYNC_DN,
    bindPassword: new Secret('sync-demo'),
    operationTimeout: 5_000,
    base: PEOPLE_DN,
    schema: SCHEMAS['userdir-ldap'],
  }
  const domains = ['example.org']
  const more = { name: 'demo', domains, readTimeout: 5_000, clock: Date.now }
  const source = new LdapSource({ ...access, ...more })
  const signal = new AbortController().signal
  const before = await source.read(undefined, signal)
  if (before.kind !== 'full') throw new Error(JSON.stringify(before))
  const owners = new LdapOwners(access)
  const password = new Secret(DEMO_DIRECTORY_PASSWORD)
  for (const login of ['nobody', 'canary', 'postmaster']) {
    expect(await owners.change(login, password, '{crypt}$6$new')).toEqual({ kind: 'refused' })
  }
  expect(await owners.change('alice', new Secret('wrong'), '{crypt}$6$new')).toEqual({
    kind: 'refused',
  })
  expect(await source.read(before.state, signal)).toMatchObject({ kind: 'unchanged' })
  const begun = Date.now()
  expect(await owners.change('alice', password, '{crypt}$6$new')).toEqual({ kind: 'changed' })
  const after = await source.read(before.state, signal)
  if (after.kind !== 'incremental') throw new Error(after.kind)
  const alice = after.entries.find(({ login }) => login === 'alice')
  expect(alice?.passwords).toEqual(['{crypt}$6$new'])
  // What `directory status` calls the password's age; in whole seconds.
  expect(alice?.writtenAt).toBeGreaterThan(begun - 1_000)
  // Nobody but her, and nobody sees it.
  const sync = await client(server, 'sync-demo')
  const change = new Change({
    operation: 'replace',
    modification: new Attribute({ type: 'mailPassword', values: ['x'] }),
  })
  await expect(sync.modify(`uid=alice,${PEOPLE_DN}`, change)).rejects.toMatchObject({ code: 50 })
  const filter = `(userPassword=${DEMO_DIRECTORY_PASSWORD})`
  expect((await sync.search(PEOPLE_DN, { scope: 'one', filter })).searchEntries).toEqual([])
})

test('the relay reads its people, roles and locks from it', async () => {
  const server = await directory()
  const source = new LdapSource({
    name: 'demo',
    url: server.url,
    startTls: false,
    bindDn: SYNC_DN,
    bindPassword: new Secret('sync-demo'),
    operationTimeout: 5_000,
    base: PEOPLE_DN,
    schema: SCHEMAS['userdir-ldap'],
    domains: ['example.org'],
    readTimeout: 5_000,
    clock: Date.now,
  })
  const reading = await source.read(undefined, new AbortController().signal)
  if (reading.kind !== 'full') throw new Error(JSON.stringify(reading))
  expect(reading.notes).toStrictEqual([])
  expect(reading.entries.map(entry => entry.login)).toStrictEqual([
    'alice',
    'bob',
    'carol',
    'canary',
    'mallory',
  ])
  expect(reading.entries.map(entry => entry.grants)).toStrictEqual([
    ['postmaster', 'press'],
    ['press'],
    [],
    [],
    [],
  ])
  expect(reading.entries.filter(entry => entry.barred).map(entry => entry.login)).toStrictEqual([
    'mallory',
  ])
  const again = await source.read(reading.state, new AbortController().signal)
  expect(again.kind).toBe('unchanged')
})

test('stopping hangs up on clients, and rubbish hangs up on itself alone', async () => {
  const server = await directory()
  const rubbish = connect(server.port, '127.0.0.1')
  rubbish.on('error', () => undefined)
  rubbish.write('GET / HTTP/1.0\r\n\r\n'.repeat(100))
  const ldap = await client(server, 'sync-demo')
  expect((await ldap.exop(WHO_AM_I)).value).toBe(`dn:${SYNC_DN}`)
  const idle = connect(server.port, '127.0.0.1')
  await once(idle, 'connect')
  const gone = once(idle, 'close')
  await server.stop()
  await gone
  rubbish.destroy()
})
