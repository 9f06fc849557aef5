import { describe, expect, test } from 'vitest'

import {
  AddressRanges,
  isLoopbackHost,
  LOOPBACK_RANGES,
  parseRange,
  trustProblem,
} from '../../src/base/network-range.ts'

describe('networks', () => {
  test.each([
    ['192.0.2.0/24', { address: '192.0.2.0', family: 'ipv4', prefix: 24 }],
    ['2001:db8::/32', { address: '2001:db8::', family: 'ipv6', prefix: 32 }],
    ['192.0.2.7', { address: '192.0.2.7', family: 'ipv4', prefix: 32 }],
    ['192.0.2.0/33', undefined],
    ['192.0.2/24', undefined],
    ['example.org/24', undefined],
    ['', undefined],
  ])('%s is read', (text, range) => expect(parseRange(text)).toEqual(range))

  test('hold their addresses and no others, in whatever dress they come', () => {
    const ranges = new AddressRanges(['192.0.2.0/24', '2001:db8::/32'])
    for (const address of ['192.0.2.1', '::ffff:192.0.2.1', '2001:db8::1', '2001:db8::1%eth0']) {
      expect(ranges.has(address), address).toBe(true)
    }
    for (const address of ['192.0.3.1', '::ffff:192.0.3.1', '2001:db9::1', '', 'nonsense']) {
      expect(ranges.has(address), address).toBe(false)
    }
  })

  test('of IPv6 never hold IPv4, however they are written', () => {
    for (const range of ['::ffff:0:0/96', '::/64', '::ffff:192.0.2.0/120']) {
      expect(new AddressRanges([range]).has('192.0.2.1'), range).toBe(false)
      expect(new AddressRanges([range]).has('::ffff:192.0.2.1'), range).toBe(false)
    }
  })

  test('of loopback are what only this host reaches', () => {
    const loopback = new AddressRanges(LOOPBACK_RANGES)
    expect(['127.0.0.1', '127.9.9.9', '::1'].every(address => loopback.has(address))).toBe(true)
    expect(isLoopbackHost('localhost')).toBe(true)
    expect(['0.0.0.0', '::', '10.0.0.1', 'relay.example.org'].some(isLoopbackHost)).toBe(false)
  })
})

describe('a server that trusts a network', () => {
  test.each([
    ['127.0.0.1', undefined],
    ['::1', []],
    ['0.0.0.0', ['10.0.0.0/8']],
    ['192.0.2.1', ['192.0.2.0/24', '2001:db8::/32']],
  ])('may listen on %s for %j', (host, networks) => {
    expect(trustProblem(host, networks)).toBeUndefined()
  })

  test.each([
    ['0.0.0.0', undefined, /can be reached from other hosts: name the networks/],
    ['10.0.0.1', [], /can be reached from other hosts/],
    ['127.0.0.1', ['0.0.0.0/0'], /lets everybody in/],
    ['127.0.0.1', ['::ffff:0:0/1'], /lets everybody in/],
    ['127.0.0.1', ['::/0'], /lets everybody in/],
    ['127.0.0.1', ['somewhere'], /is no network/],
  ])('may not listen on %s for %j', (host, networks, problem) => {
    expect(trustProblem(host, networks)).toMatch(problem)
  })
})
