import { expect, test } from 'vitest'

import { NO_AUTH_RESULTS } from '../../src/mail/authentication-results.ts'
import type { FoundMessage } from '../../src/probe/mailbox.ts'
import type { Sighting } from '../../src/probe/model.ts'
import { fieldsOf, sightingOf, wroteReceived } from '../../src/probe/sighting.ts'
import { canary } from '../contract/history-samples.ts'

const SENT = Date.UTC(2026, 10, 23, 12, 0, 0)
const SEEN = SENT + 60_000
const RECEIVED =
  'Received: from relay.example.org by mx.example.net with ESMTPS id a1;\r\n Mon, 23 Nov 2026 12:00:20 +0000\r\n' +
  'Received: from localhost by relay.example.org with ESMTPSA id 0J5M2K8S1ABCDEFG; Mon, 23 Nov 2026 11:59:59 +0000\r\n'

function sight(internalDate: number | undefined, header = RECEIVED): Sighting {
  const message: FoundMessage = {
    folder: 'INBOX',
    placement: 'inbox',
    uid: 1,
    uidValidity: '1',
    internalDate,
    header,
  }
  return sightingOf(message, fieldsOf(message), SENT, SEEN, { auth: NO_AUTH_RESULTS })
}

test('INTERNALDATE tells when a canary arrived', () => {
  expect(sight(SENT + 5_000)).toMatchObject({
    arrivedAt: SENT + 5_000,
    arrivalSource: 'internaldate',
  })
})

test.each([undefined, SENT - 3_600_000, SEEN + 3_600_000])(
  'without a possible INTERNALDATE (%s) the topmost Received does',
  internalDate => {
    expect(sight(internalDate)).toMatchObject({
      arrivedAt: SENT + 20_000,
      arrivalSource: 'received',
    })
  },
)

test('with neither, all that is known is when it was seen', () => {
  expect(sight(undefined, 'Received: nonsense\r\n')).toMatchObject({
    arrivedAt: SEEN,
    arrivalSource: 'detection',
  })
})

test('nothing arrives after it was seen: the provider’s clock is ahead', () => {
  expect(sight(SEEN + 30_000).arrivedAt).toBe(SEEN)
})

test('a Received field is the origin’s by its queue id or by its name', () => {
  const one = canary({ queueId: '0J5M2K8S1ABCDEFG' })
  const byId = 'from localhost by inner.example.org with ESMTPSA id 0J5M2K8S1ABCDEFG; date'
  const byName = 'from localhost by relay.example.org with ESMTPSA id other; date'
  expect(wroteReceived(byId, one, [])).toBe(true)
  expect(wroteReceived(byName, one, ['relay.example.org'])).toBe(true)
  expect(wroteReceived(byName, one, [])).toBe(false)
  expect(wroteReceived('from a by mx.example.net; date', canary(), ['relay.example.org'])).toBe(
    false,
  )
})
