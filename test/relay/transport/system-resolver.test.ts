import { rm } from 'node:fs/promises'

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import { SystemResolver } from '../../../src/relay/transport/system-resolver.ts'
import { startDnsmasq, startNameServer, type Dnsmasq } from '../../support/dnsmasq.ts'
import { makeScratch } from '../../support/scratch.ts'
import { missing } from '../../support/server-process.ts'

describe.skipIf(missing('dnsmasq'))('asking dnsmasq', () => {
  let folder: string
  let dnsmasq: Dnsmasq
  let resolver: SystemResolver

  beforeAll(async () => {
    folder = await makeScratch()
    dnsmasq = await startDnsmasq(folder, [
      'mx-host=gmail.test,mx2.gmail.test,10',
      'mx-host=gmail.test,mx1.gmail.test,5',
      'mx-host=nullmx.test,.,0',
      'host-record=mx1.gmail.test,192.0.2.1,2001:db8::1',
      'host-record=mx1.gmail.test,192.0.2.2',
      'host-record=four.test,192.0.2.4',
      'host-record=six.test,2001:db8::6',
      'txt-record=text.test,"v=STSv1; ","id=1"',
    ])
    resolver = new SystemResolver({ servers: [dnsmasq.server], port: 2525 })
  })

  afterAll(async () => {
    resolver.close()
    await dnsmasq.stop()
    await rm(folder, { recursive: true })
  })

  test('MX hosts come with their preferences', async () => {
    const answer = await resolver.mx('gmail.test')
    expect(answer).toEqual({
      kind: 'mx',
      hosts: expect.arrayContaining([
        { host: 'mx1.gmail.test', preference: 5 },
        { host: 'mx2.gmail.test', preference: 10 },
      ]) as unknown,
    })
  })

  test.each([
    ['nullmx.test', { kind: 'null' }],
    ['four.test', { kind: 'implicit' }],
    ['absent.test', { kind: 'nonexistent' }],
    ['a..b', { kind: 'nonexistent' }],
    // dnsmasq refuses what it is not set up for: that says nothing about the domain.
    ['example.org', { kind: 'unavailable', cause: 'EREFUSED' }],
  ])('the mail of %s: %j', async (domain, expected) => {
    expect(await resolver.mx(domain)).toEqual(expected)
  })

  test('addresses of both families are found, IPv4 first, with the port of the next hops', async () => {
    const answer = await resolver.addresses('mx1.gmail.test')
    expect(answer.kind === 'addresses' && answer.endpoints).toEqual(
      expect.arrayContaining([
        { address: '192.0.2.1', port: 2525 },
        { address: '192.0.2.2', port: 2525 },
        { address: '2001:db8::1', port: 2525 },
      ]),
    )
  })

  test.each([
    ['four.test', '192.0.2.4'],
    ['six.test', '2001:db8::6'],
    ['198.51.100.7', '198.51.100.7'],
  ])('%s has the one address %s', async (host, address) => {
    expect(await resolver.addresses(host)).toEqual({
      kind: 'addresses',
      endpoints: [{ address, port: 2525 }],
    })
  })

  test('text comes in one piece', async () => {
    expect(await resolver.txt('text.test')).toEqual({ kind: 'found', records: ['v=STSv1; id=1'] })
    expect(await resolver.txt('absent.test')).toEqual({ kind: 'none' })
    expect(await resolver.txt('example.org')).toMatchObject({ kind: 'unavailable' })
  })

  test.each(['text.test', 'absent.test'])('%s has no address', async host => {
    expect(await resolver.addresses(host)).toEqual({ kind: 'none' })
  })
})

test.each([
  [2, 'ESERVFAIL'],
  [5, 'EREFUSED'],
  ['silence', 'ETIMEOUT'],
] as const)('a name server that answers %s says nothing about a domain', async (answer, cause) => {
  const server = await startNameServer(answer)
  onTestFinished(() => server.stop())
  const resolver = new SystemResolver({ servers: [server.server], timeout: 50, tries: 1 })
  expect(await resolver.mx('example.net')).toEqual({ kind: 'unavailable', cause })
  expect(await resolver.addresses('mx1.example.net')).toEqual({ kind: 'unavailable', cause })
})

test('questions under way end when the resolver is closed', async () => {
  const server = await startNameServer('silence')
  onTestFinished(() => server.stop())
  const resolver = new SystemResolver({ servers: [server.server], timeout: 30_000 })
  const question = resolver.mx('example.net')
  resolver.close()
  expect(await question).toEqual({ kind: 'unavailable', cause: 'ECANCELLED' })
})
