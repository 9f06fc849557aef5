import { describe, expect, test } from 'vitest'

import { createShaping } from '../../src/app/shaping-part.ts'
import { addressOrderBy } from '../../src/app/transport-parts.ts'
import { HOUR } from '../../src/base/clock.ts'
import type { LoadedRelay } from '../../src/config/load-relay.ts'
import { relaySchema } from '../../src/config/relay-schema.ts'
import { PROVIDERS } from '../../src/mail/providers.ts'
import type { MxAnswer } from '../../src/relay/transport/resolver.ts'
import { siteHostOf } from '../../src/relay/transport/site-host.ts'
import { resolverOf } from '../relay/transport/consignment.ts'

type Delivery = Parameters<typeof relaySchema.parse>[0]

function loaded(delivery: Delivery): LoadedRelay {
  const config = relaySchema.parse({
    hostname: 'relay.example.org',
    state: '/var/lib/mailcanary',
    listen: {},
    tls: { certificate: 'x', key: 'x' },
    directory: { domains: ['example.org'] },
    admin: { listen: '127.0.0.1:9464' },
    delivery,
  })
  return { path: 'relay.yaml', config } as LoadedRelay
}

function shapingOf(delivery: Delivery, mx: MxAnswer = { kind: 'implicit' }) {
  return createShaping(loaded(delivery), { providers: PROVIDERS }, resolverOf(mx))
}

const GMAIL: MxAnswer = {
  kind: 'mx',
  hosts: [
    { host: 'alt1.aspmx.l.google.com', preference: 20 },
    { host: 'aspmx.l.google.com', preference: 10 },
  ],
}

describe('what a provider is sent', () => {
  test('is its row of the table, and what the configuration says instead', () => {
    expect(shapingOf({}).queue.limitsOf('gmail')).toMatchObject({ connections: 5 })
    const { queue, limitsOf } = shapingOf({
      shaping: {
        gmail: { connections: 2, messages_per_minute: 30 },
        other: { connections: 'none' },
      },
    })
    expect(queue.limitsOf('gmail')).toEqual({
      connections: 2,
      messagesPerConnection: 50,
      messagesPerMinute: 30,
    })
    expect(queue.limitsOf('other').connections).toBe(Infinity)
    expect(limitsOf('aspmx.l.google.com')).toEqual({ site: 'gmail', connections: 2, messages: 50 })
    expect(limitsOf('mx.example.net')).toMatchObject({ site: 'mx.example.net', messages: 20 })
  })

  test('is shared by all domains whose mail goes to its hosts', async () => {
    expect(await shapingOf({}, GMAIL).queue.siteOf('example.net')).toEqual({
      name: 'gmail',
      provider: 'gmail',
    })
    expect(await shapingOf({}).queue.siteOf('example.net')).toEqual({
      name: 'example.net',
      provider: 'other',
    })
  })

  test('is not limited by us where it is a smarthost, which may object all the same', async () => {
    const { queue } = shapingOf({ smarthost: { host: 'smarthost.example.net' } }, GMAIL)
    expect(await queue.siteOf('gmail.com')).toEqual({
      name: 'smarthost.example.net',
      provider: 'other',
    })
    expect(queue.limitsOf('other').connections).toBe(Infinity)
  })

  test('is nothing for two hours after a reply of Yahoo, and for as long as the table says', () => {
    const { queue } = shapingOf({})
    const angry = {
      code: 421,
      enhanced: '4.7.0',
      text: '[TSS04] Messages from 192.0.2.10 temporarily deferred',
    }
    expect(queue.pauseOf(angry, 'yahoo')).toBe(2 * HOUR)
    expect(queue.pauseOf(angry, 'gmail')).toBeUndefined()
    // Words of our own about a broken connection are no reply.
    expect(queue.pauseOf({ ...angry, code: 0 }, 'yahoo')).toBeUndefined()
  })
})

test.each<[string, MxAnswer, string]>([
  ['the first by name of the best', GMAIL, 'aspmx.l.google.com'],
  [
    'whatever their order and case',
    {
      kind: 'mx',
      hosts: ['MX2.example.com.', 'mx1.example.com'].map(host => ({ host, preference: 5 })),
    },
    'mx1.example.com',
  ],
  ['the domain, without MX', { kind: 'implicit' }, 'example.net'],
  ['the domain, while the DNS is away', { kind: 'unavailable', cause: 'x' }, 'example.net'],
])('the host that stands for a domain: %s', async (_, answer, host) => {
  expect(await siteHostOf('example.net', resolverOf(answer))).toBe(host)
})

test('the order of addresses is that of the domain, else that of the provider, else that of all', () => {
  const { direct } = loaded({
    direct: {
      address_order_of: {
        'Six.example': 'ipv6-first',
        gmail: 'ipv4-only',
        __proto__: 'ipv6-first',
      },
    },
  }).config.delivery
  const order = addressOrderBy(direct, PROVIDERS)
  expect(order('six.example', 'aspmx.l.google.com')).toBe('ipv6-first')
  expect(order('example.net', 'aspmx.l.google.com')).toBe('ipv4-only')
  expect(order('example.net', 'mx.example.net')).toBe('ipv4-first')
  expect(order('constructor', 'mx.example.net')).toBe('ipv4-first')
})
