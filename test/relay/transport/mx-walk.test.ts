import { describe, expect, onTestFinished, test } from 'vitest'

import { routeTo } from '../../../src/relay/transport/mx.ts'
import type { Resolver } from '../../../src/relay/transport/resolver.ts'
import { freePort } from '../../support/ports.ts'
import { ScriptedSmtp } from '../../support/scripted-smtp.ts'
import { consignment, resolverOf, TIMERS } from './consignment.ts'
import { deliver, directMx, start, told } from './delivery.ts'

describe('over several hosts', () => {
  test('a refused connection leads to the next address, then to the next host', async () => {
    const server = await start()
    const [closed1, closed2] = [await freePort(), await freePort()]
    const outcomes = await deliver(
      resolverOf([
        ['mx1.example.net', closed1, closed2],
        ['mx2.example.net', closed1, server.port],
      ]),
    )
    expect(outcomes[0]).toMatchObject({ kind: 'delivered', host: 'mx2.example.net' })
  })

  test('a refusal for good ends it: no other host is asked', async () => {
    const [first, second] = [await start({ deeds: { RCPT: '550 5.1.1 Who?' } }), await start()]
    const outcomes = await deliver(
      resolverOf([
        ['mx1.example.net', first.port],
        ['mx2.example.net', second.port],
      ]),
    )
    expect(told(outcomes)).toEqual(['bounced 550 5.1.1 Who?'])
    expect(second.connections).toBe(0)
  })

  test('"later" at a better preference outranks "never" at a worse one', async () => {
    const [first, second] = [
      await start({ deeds: { MAIL: '451 4.3.0 Later' } }),
      await start({ deeds: { RCPT: '550 5.1.1 Who?' } }),
    ]
    const outcomes = await deliver(
      resolverOf([
        ['mx1.example.net', first.port],
        ['mx2.example.net', second.port],
      ]),
    )
    expect(told(outcomes)).toEqual(['deferred 451 4.3.0 Later'])
    expect(second.connections).toBe(1)
  })

  test('between hosts of one preference "never" counts', async () => {
    const [first, second] = [
      await start({ deeds: { MAIL: '451 4.3.0 Later' } }),
      await start({ deeds: { RCPT: '550 5.1.1 Who?' } }),
    ]
    const table = resolverOf([
      ['mx1.example.net', first.port],
      ['mx2.example.net', second.port],
    ])
    const hosts = [
      { host: 'mx1.example.net', preference: 10 },
      { host: 'mx2.example.net', preference: 10 },
    ]
    const resolver: Resolver = { ...table, mx: () => Promise.resolve({ kind: 'mx', hosts }) }
    // 0.99 leaves the order as it is.
    const outcomes = await deliver(resolver, consignment(), { random: () => 0.99 })
    expect(told(outcomes)).toEqual(['bounced 550 5.1.1 Who?'])
  })

  test('hosts that greet with 5xx alone make a bounce; one that is merely away makes it wait', async () => {
    const closed = await freePort()
    const none = await start({ deeds: { GREETING: '554 5.3.2 No mail here' } })
    const hosts = [['mx1.example.net', none.port]] as const
    expect(told(await deliver(resolverOf(hosts)))).toEqual(['bounced 554 5.3.2 No mail here'])
    const two = await deliver(resolverOf([...hosts, ['mx2.example.net', closed]]))
    expect(two[0]).toMatchObject({ kind: 'deferred', class: 'network', host: 'mx2.example.net' })
  })

  test('a provider that slows us down is not asked again at its next host', async () => {
    const [first, second] = [
      await start({ deeds: { MAIL: '421 4.7.28 Unusual rate of unsolicited mail. gsmtp' } }),
      await start(),
    ]
    const outcomes = await deliver(
      resolverOf([
        ['gmail-smtp-in.l.google.com', first.port],
        ['alt1.gmail-smtp-in.l.google.com', second.port],
      ]),
    )
    expect(outcomes[0]).toMatchObject({ kind: 'deferred', class: 'rate' })
    expect(second.connections).toBe(0)
  })

  test('at most ten hosts are tried', async () => {
    const server = await start({ deeds: { GREETING: '421 4.3.2 Busy' } })
    const hosts = Array.from({ length: 14 }, (_, i) => [`mx${i}.example.net`, server.port] as const)
    const outcomes = await deliver(resolverOf(hosts))
    expect(outcomes[0]?.kind).toBe('deferred')
    expect(server.connections).toBe(10)
  })

  test('a name server that does not answer holds up neither the limit nor the order to stop', async () => {
    const silent: Resolver = { ...resolverOf([]), mx: () => new Promise(() => undefined) }
    const late = await deliver(silent, consignment(), { totalTime: 30 })
    expect(late[0]).toMatchObject({ kind: 'deferred', class: 'network', host: '' })
    const stop = new AbortController()
    const delivery = directMx(silent).deliver(consignment(), stop.signal)
    stop.abort()
    expect((await delivery)[0]).toMatchObject({ kind: 'deferred', indeterminate: false })
  })

  test('the time after a final dot that was refused counts again', async () => {
    const [first, second] = [
      await start({ deeds: { DOT: '451 4.3.0 Later' } }),
      await start({ deeds: { MAIL: { stall: true } } }),
    ]
    const outcomes = await deliver(
      resolverOf([
        ['mx1.example.net', first.port],
        ['mx2.example.net', second.port],
      ]),
      consignment(),
      { totalTime: 300, timers: { ...TIMERS, mail: 600_000 } },
    )
    expect(told(outcomes)).toEqual(['deferred 451 4.3.0 Later'])
    expect(second.connections).toBe(1)
  })

  test('the attempt ends when its time is up', async () => {
    const server = await start({ deeds: { RCPT: { stall: true } } })
    const outcomes = await deliver(
      resolverOf([
        ['mx1.example.net', server.port],
        ['mx2.example.net', server.port],
      ]),
      consignment(),
      { totalTime: 150 },
    )
    expect(outcomes[0]).toMatchObject({ kind: 'deferred', indeterminate: false })
    expect(server.connections).toBe(1)
  })

  test('IPv4 comes first unless IPv6 is wanted', async () => {
    const seen: string[] = []
    const four = await start({ deeds: { GREETING: '220 four' } })
    const six = await ScriptedSmtp.start({ host: '::1' })
    onTestFinished(() => six.stop())
    const endpoints = [`::1:${six.port}`, `127.0.0.1:${four.port}`]
    for (const addressOrder of ['ipv4-first', 'ipv6-first', 'ipv4-only'] as const) {
      const before = [four.messages.length, six.messages.length]
      await deliver(resolverOf([['mx1.example.net', ...endpoints]]), consignment(), {
        addressOrder: () => addressOrder,
      })
      if (four.messages.length > (before[0] ?? 0)) seen.push('four')
      if (six.messages.length > (before[1] ?? 0)) seen.push('six')
    }
    expect(seen).toEqual(['four', 'six', 'four'])
  })
})

describe('without a host', () => {
  test.each([
    [{ kind: 'null' }, 'bounced 556 5.1.10'],
    [{ kind: 'nonexistent' }, 'bounced 5.1.2'],
    [{ kind: 'unavailable', cause: 'ESERVFAIL' }, 'deferred 4.4.3'],
    [{ kind: 'implicit' }, 'bounced 5.4.4'],
  ] as const)('%j: %s', async (answer, expected) => {
    const outcomes = await deliver(resolverOf(answer))
    expect(told(outcomes)[0]).toContain(expected)
    expect(outcomes[0]).toMatchObject(answer.kind === 'implicit' ? {} : { host: '' })
  })

  test('an MX host whose address cannot be looked up now makes the mail wait', async () => {
    const resolver = resolverOf([['mx1.example.net']], {})
    const unavailable = { kind: 'unavailable', cause: 'ETIMEOUT' } as const
    const outcomes = await deliver({ ...resolver, addresses: () => Promise.resolve(unavailable) })
    expect(told(outcomes)[0]).toContain('deferred 4.4.3')
  })

  test('without MX the domain itself is the host', async () => {
    const server = await start()
    const resolver = resolverOf([['example.net', server.port]])
    const outcomes = await deliver({ ...resolver, mx: () => Promise.resolve({ kind: 'implicit' }) })
    expect(outcomes[0]).toMatchObject({ kind: 'delivered', host: 'example.net' })
  })

  test('a domain whose best host is this one is a loop', async () => {
    const server = await start()
    const hosts = resolverOf([
      ['Relay.Example.org.', server.port],
      ['mx2.example.net', server.port],
    ])
    const byName = { own: { names: ['relay.example.org'], addresses: [] } }
    expect(told(await deliver(hosts, consignment(), byName))[0]).toContain('bounced 5.4.6')
    const byAddress = { own: { names: [], addresses: ['127.0.0.0/8'] } }
    const others = resolverOf([['mx1.example.net', server.port]])
    expect(told(await deliver(others, consignment(), byAddress))[0]).toContain('bounced 5.4.6')
    expect(server.connections).toBe(0)
  })

  test('as a backup host we send to better ones only, never to equals or worse', async () => {
    const [best, worse] = [await start({ deeds: { MAIL: '451 4.3.0 Later' } }), await start()]
    const outcomes = await deliver(
      resolverOf([
        ['mx1.example.net', best.port],
        ['relay.example.org', worse.port],
        ['mx3.example.net', worse.port],
      ]),
      consignment(),
      { own: { names: ['relay.example.org'], addresses: [] } },
    )
    expect(told(outcomes)).toEqual(['deferred 451 4.3.0 Later'])
    expect(worse.connections).toBe(0)
  })
})

test('hosts of one preference take turns, those of different preference do not', async () => {
  const own = { names: [], addresses: [] }
  const hosts = ['a', 'b', 'c'].map(host => ({ host, preference: 10 }))
  const answer = { kind: 'mx' as const, hosts: [{ host: 'z', preference: 5 }, ...hosts] }
  const resolver = { ...resolverOf([]), mx: () => Promise.resolve(answer) }
  const orders = new Set<string>()
  for (let i = 0; i < 200; i++) {
    const route = await routeTo('example.net', resolver, own, Math.random)
    if (route.kind === 'groups')
      orders.add(route.groups.map(group => group.hosts.join('')).join(' '))
  }
  expect([...orders].sort()).toEqual(['z abc', 'z acb', 'z bac', 'z bca', 'z cab', 'z cba'])
})

test('the DNS is asked for A-labels, an address literal is not asked about', async () => {
  const asked: string[] = []
  const resolver: Resolver = {
    mx: domain => {
      asked.push(domain)
      return Promise.resolve({ kind: 'implicit' })
    },
    addresses: () => Promise.resolve({ kind: 'none' }),
  }
  const own = { names: [], addresses: [] }
  await routeTo('bücher.example', resolver, own, Math.random)
  expect(asked).toEqual(['xn--bcher-kva.example'])
  expect(await routeTo('[IPv6:2001:db8::1]', resolver, own, Math.random)).toEqual({
    kind: 'groups',
    groups: [{ preference: 0, hosts: ['2001:db8::1'] }],
  })
  expect(asked).toHaveLength(1)
})
