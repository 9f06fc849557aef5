import { onTestFinished, expect, test } from 'vitest'

import { Problem } from '../../../src/base/problem.ts'
import { Secret } from '../../../src/base/secret.ts'
import type { Outcome } from '../../../src/mail/outcome.ts'
import { Smarthost, type SmarthostOptions } from '../../../src/relay/transport/smarthost.ts'
import { testCertificates } from '../../support/certificates.ts'
import { freePort } from '../../support/ports.ts'
import { scratchFolder } from '../../support/scratch.ts'
import { consignment, resolverOf, TIMERS } from './consignment.ts'
import { never, start } from './delivery.ts'

const credentials = { user: 'relay', password: new Secret('canary-demo') }
const PLAIN = Buffer.from('\0relay\0canary-demo').toString('base64')

function smarthost(options: Partial<SmarthostOptions> & { port: number }): Smarthost {
  const transport = new Smarthost({
    hostname: 'relay.example.org',
    host: '127.0.0.1',
    tls: 'none',
    resolver: resolverOf({ kind: 'implicit' }),
    timers: TIMERS,
    ...options,
  })
  onTestFinished(() => transport.close())
  return transport
}

async function send(
  options: Partial<SmarthostOptions> & { port: number },
): Promise<Outcome | undefined> {
  const [outcome] = await smarthost(options).deliver(consignment(), never)
  return outcome
}

test.each(['implicit', 'starttls'] as const)(
  'with %s TLS the certificate is verified by name',
  async tls => {
    const certificates = await testCertificates(await scratchFolder())
    const pair = await certificates.issue('smarthost.example.org')
    const server = await start({ tls: { ...pair, implicit: tls === 'implicit' } })
    const resolver = resolverOf([['smarthost.example.org', server.port]])
    const ca = certificates.caPem
    const common = { port: server.port, tls, resolver, ca }
    expect(await send({ ...common, host: 'smarthost.example.org' })).toMatchObject({
      kind: 'delivered',
      host: 'smarthost.example.org',
      tls: 'TLSv1.3',
    })
    const other = resolverOf([['other.example.org', server.port]])
    expect(await send({ ...common, host: 'other.example.org', resolver: other })).toMatchObject({
      kind: 'deferred',
      class: 'tls',
    })
    const certificateName = 'smarthost.example.org'
    const named = { ...common, host: 'other.example.org', resolver: other, certificateName }
    expect(await send(named)).toMatchObject({ kind: 'delivered' })
    expect(server.messages).toHaveLength(2)
  },
)

test('without TLS only this machine will do', () => {
  for (const host of ['smarthost.example.org', '192.0.2.1', '::ffff:192.0.2.1']) {
    expect(() => smarthost({ host, port: 25 })).toThrow(Problem)
  }
  for (const host of ['localhost', '127.0.0.2', '::1']) smarthost({ host, port: 25 })
})

test.each([
  ['AUTH PLAIN LOGIN', [`AUTH PLAIN ${PLAIN}`]],
  ['AUTH LOGIN XOAUTH2', ['AUTH LOGIN', 'cmVsYXk=', 'Y2FuYXJ5LWRlbW8=']],
])('logs in where %s is offered', async (offer, dialogue) => {
  const server = await start({ offers: [offer] })
  expect(await send({ port: server.port, credentials })).toMatchObject({ kind: 'delivered' })
  expect(server.commands.slice(1, 1 + dialogue.length)).toEqual(dialogue)
})

test('a login that is refused is our own trouble: mail waits, nothing bounces', async () => {
  const refused = await start({ offers: ['AUTH PLAIN'], deeds: { AUTH: '535 5.7.8 Wrong' } })
  expect(await send({ port: refused.port, credentials })).toMatchObject({
    kind: 'deferred',
    class: 'authentication',
    reply: { code: 535, text: 'Wrong' },
  })
  const none = await start()
  expect(await send({ port: none.port, credentials })).toMatchObject({
    kind: 'deferred',
    class: 'authentication',
  })
  const wanted = await start({ deeds: { MAIL: '530 5.7.0 Authentication required' } })
  expect(await send({ port: wanted.port })).toMatchObject({
    kind: 'deferred',
    class: 'authentication',
  })
})

test('a smarthost that wants no mail from us defers, one that refuses the mail bounces', async () => {
  const closed = await start({ deeds: { GREETING: '554 5.3.2 Go away' } })
  expect(await send({ port: closed.port })).toMatchObject({ kind: 'deferred' })
  const content = await start({ deeds: { DOT: '550 5.7.1 Spam' } })
  expect(await send({ port: content.port })).toMatchObject({ kind: 'bounced' })
  expect(await send({ port: await freePort() })).toMatchObject({
    kind: 'deferred',
    class: 'network',
  })
})

test('the password is in no outcome and not in what the transport prints', async () => {
  const server = await start({ offers: ['AUTH PLAIN'], deeds: { AUTH: { reset: true } } })
  const outcome = await send({ port: server.port, credentials })
  expect(JSON.stringify(outcome)).not.toMatch(new RegExp(`canary-demo|${PLAIN}`))
})

test('handshake and login are paid once for a hundred messages', async () => {
  const server = await start({ offers: ['PIPELINING', 'AUTH PLAIN'] })
  const transport = smarthost({ port: server.port, credentials })
  for (let n = 0; n < 100; n++) await transport.deliver(consignment(), never)
  expect(server.connections).toBe(1)
  await transport.deliver(consignment(), never)
  expect(server.connections).toBe(2)
  expect(server.messages).toHaveLength(101)
})
