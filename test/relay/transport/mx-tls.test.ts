import { rm } from 'node:fs/promises'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { testCertificates, type TestCertificates } from '../../support/certificates.ts'
import { makeScratch } from '../../support/scratch.ts'
import { consignment, resolverOf, TIMERS } from './consignment.ts'
import { deliver, directMx, never, start } from './delivery.ts'

type Pair = Awaited<ReturnType<TestCertificates['issue']>>

let folder: string
let certificates: TestCertificates
let right: Pair
let wrong: Pair

beforeAll(async () => {
  folder = await makeScratch()
  certificates = await testCertificates(folder)
  right = await certificates.issue('mx1.example.net')
  wrong = await certificates.issue('mx.example.com')
})

afterAll(() => rm(folder, { recursive: true }))

const anyHow = { tls: { policy: 'opportunistic' } } as const

describe('opportunistic TLS', () => {
  test('is used where it is offered, whatever the certificate', async () => {
    const server = await start({ tls: wrong })
    const outcomes = await deliver(resolverOf([['mx1.example.net', server.port]]))
    expect(outcomes[0]).toMatchObject({ kind: 'delivered', tls: 'TLSv1.3' })
    expect(server.messages[0]?.tls).toBe(true)
    // RFC 3207 section 4.2: a new EHLO after the handshake.
    expect(server.commands.slice(0, 3)).toEqual([
      'EHLO relay.example.org',
      'STARTTLS',
      'EHLO relay.example.org',
    ])
  })

  test.each([
    ['a refused STARTTLS', { STARTTLS: '454 4.7.0 TLS is broken here' }, 1],
    ['a handshake that ends', { HANDSHAKE: { close: '' } }, 2],
    ['a handshake that stands still', { HANDSHAKE: { stall: true } }, 2],
    ['a handshake that is nonsense', { HANDSHAKE: { raw: 'x'.repeat(600) } }, 2],
  ] as const)('gives way to clear text after %s', async (_, deeds, connections) => {
    const server = await start({ tls: right, deeds })
    const outcomes = await deliver(resolverOf([['mx1.example.net', server.port]]), consignment(), {
      timers: { ...TIMERS, tls: 500 },
    })
    expect(outcomes[0]).toMatchObject({ kind: 'delivered', tls: '' })
    expect(server.connections).toBe(connections)
    // The failed one is not left behind: only the idle one is open.
    await expect.poll(() => server.open).toBe(1)
  })

  test('does not give way where that is not wanted', async () => {
    const server = await start({ tls: right, deeds: { HANDSHAKE: { close: '' } } })
    const outcomes = await deliver(resolverOf([['mx1.example.net', server.port]]), consignment(), {
      tls: { policy: 'opportunistic', fallback: false },
    })
    expect(outcomes[0]).toMatchObject({ kind: 'deferred', class: 'tls' })
    expect(server.messages).toEqual([])
  })

  test.each([
    ['breaks the handshake', { HANDSHAKE: { close: '' } }],
    ['no longer offers STARTTLS', { EHLO: '250 mx' }],
  ] as const)('a host seen with TLS that %s is not spoken to in clear text', async (_, deeds) => {
    const first = await start({ tls: right })
    const second = await start({ tls: right, deeds })
    const ports = [first.port, second.port]
    const resolver = {
      ...resolverOf([['mx1.example.net']]),
      addresses: () =>
        Promise.resolve({
          kind: 'addresses' as const,
          endpoints: [{ address: '127.0.0.1', port: ports.shift() ?? second.port }],
        }),
    }
    let now = Date.now()
    const transport = directMx(resolver, { ...anyHow, clock: () => now, pool: { messages: 1 } })
    await transport.deliver(consignment(), never)
    const [outcome] = await transport.deliver(consignment(), never)
    expect(outcome).toMatchObject({ kind: 'deferred', class: 'tls' })
    now += 25 * 3_600_000
    const [later] = await transport.deliver(consignment(), never)
    expect(later).toMatchObject({ kind: 'delivered', tls: '' })
  })
})

describe('required TLS', () => {
  const required = (ca?: string) =>
    ({ tls: { policy: 'required', ...(ca === undefined ? {} : { ca }) } }) as const

  test('takes a certificate of a trusted authority for the name of the host', async () => {
    const server = await start({ tls: right })
    const outcomes = await deliver(
      resolverOf([['mx1.example.net', server.port]]),
      consignment(),
      required(certificates.caPem),
    )
    expect(outcomes[0]).toMatchObject({ kind: 'delivered', tls: 'TLSv1.3' })
  })

  test('defers for another name, an unknown authority, a refused or absent STARTTLS', async () => {
    const cases = [
      { server: await start({ tls: wrong }), ca: certificates.caPem },
      { server: await start({ tls: right }) },
      { server: await start({ tls: right, deeds: { STARTTLS: '454 4.7.0 No' } }) },
      { server: await start() },
    ]
    for (const { server, ca } of cases) {
      const outcomes = await deliver(
        resolverOf([['mx1.example.net', server.port]]),
        consignment(),
        required(ca),
      )
      expect(outcomes[0]).toMatchObject({ kind: 'deferred', class: 'tls', host: 'mx1.example.net' })
      expect(server.commands.filter(line => line.startsWith('MAIL'))).toEqual([])
    }
  })
})

test('replies smuggled in before the handshake are dropped', async () => {
  // The plain text answers EHLO, MAIL, RCPT for a server that would refuse them.
  const injected = '220 Go ahead\r\n250-mx\r\n250 DSN\r\n250 ok\r\n250 ok\r\n'
  const server = await start({
    tls: right,
    deeds: { STARTTLS: { raw: injected }, RCPT: '550 5.1.1 Who?' },
  })
  const outcomes = await deliver(resolverOf([['mx1.example.net', server.port]]))
  expect(outcomes[0]).toMatchObject({ kind: 'bounced', tls: 'TLSv1.3', reply: { text: 'Who?' } })
  expect(server.commands).toContain('RCPT TO:<bob@example.net>')
})

test('what is said out of turn in clear text breaks the connection, it is no answer', async () => {
  const server = await start({ deeds: { GREETING: { raw: '220 mx\r\n250 mx\r\n' } } })
  const outcomes = await deliver(resolverOf([['mx1.example.net', server.port]]))
  expect(outcomes[0]).toMatchObject({ kind: 'deferred' })
  expect(server.messages).toEqual([])
})
