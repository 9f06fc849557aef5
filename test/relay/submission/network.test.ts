import { describe, expect, it } from 'vitest'

import { networkOf, OpenCount } from '../../../src/relay/submission/network.ts'

describe('networkOf', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:0001:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
  ])('of %s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })
})

describe('OpenCount', () => {
  it('counts by key up to its limit, and forgets what is closed', () => {
    const count = new OpenCount(2)
    expect([count.take('a'), count.take('a'), count.take('a'), count.take('b')]).toEqual([
      true,
      true,
      false,
      true,
    ])
    count.giveBack('a')
    expect(count.take('a')).toBe(true)
  })
})
