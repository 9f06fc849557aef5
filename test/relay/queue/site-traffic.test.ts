import { expect, test } from 'vitest'

import { MINUTE, SECOND } from '../../../src/base/clock.ts'
import { BACK_OFF_DEFAULTS } from '../../../src/relay/queue/pace.ts'
import { SiteTraffic } from '../../../src/relay/queue/site-traffic.ts'
import { T0 } from '../../contract/queue-store-samples.ts'

function traffic(messagesPerMinute: number): SiteTraffic {
  const limits = { connections: 1_000, messagesPerConnection: 20, messagesPerMinute }
  return new SiteTraffic({ name: 'big', provider: 'big' }, limits, BACK_OFF_DEFAULTS)
}

/** Sends whatever there is room for, looking this often. @returns how many messages that were */
function drain(to: SiteTraffic, milliseconds: number, every: number): number {
  let sent = 0
  for (let at = T0; at < T0 + milliseconds; at += every) {
    for (let room = to.room(at); room > 0; room--) {
      to.enter(at)
      to.leave()
      sent++
    }
  }
  return sent
}

test.each([
  [6_000, 20],
  [600, 20],
  [60, 20],
  [6, 1_000],
])('%i messages a minute are that many, however often one looks', (rate, every) => {
  const sent = drain(traffic(rate), 10 * MINUTE, every)
  expect(sent).toBeGreaterThanOrEqual(10 * rate - 1)
  expect(sent).toBeLessThanOrEqual(10 * rate + rate / 60 + 1)
})

test('a quiet hour is made up for by one second of the rate, no more', () => {
  const big = traffic(600)
  big.enter(T0)
  expect(big.room(T0 + 60 * MINUTE)).toBe(10)
})

test('a clock that is set back closes a site for one interval at most', () => {
  const big = traffic(6)
  big.enter(T0 + 1_000 * MINUTE)
  expect(big.room(T0)).toBe(0)
  expect(big.room(T0 + 10 * SECOND)).toBe(1)
})
