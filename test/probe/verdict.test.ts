import { describe, expect, test } from 'vitest'

import { NO_AUTH_RESULTS } from '../../src/mail/authentication-results.ts'
import { noReply, parseReply } from '../../src/mail/reply.ts'
import type { Blindness } from '../../src/probe/model.ts'
import type { MessageFate } from '../../src/probe/trace.ts'
import { judge } from '../../src/probe/verdict.ts'
import { CANARY, DEADLINE, DEFERRAL, facts, GRACE, REFUSAL, seen, SENT } from './facts.ts'

describe('what arrived', () => {
  test('the first sighting is judged, with its time', () => {
    const verdict = judge(facts({ sightings: [seen({ tab: 'promotions' })] }))
    expect(verdict).toEqual({
      kind: 'arrived',
      placement: 'inbox',
      seconds: 5,
      arrivalSource: 'internaldate',
      tab: 'promotions',
      auth: NO_AUTH_RESULTS,
    })
  })

  test('a later move out of spam changes nothing', () => {
    const spam = seen({ placement: 'spam', folder: 'Junk' })
    const moved = seen({ seenAt: SENT + 9_000, uid: 7 })
    expect(judge(facts({ sightings: [moved, spam] }))).toMatchObject({ placement: 'spam' })
  })

  test('of two folders in one look INBOX counts: the other is a view', () => {
    const view = seen({ placement: 'other', folder: 'All Mail' })
    expect(judge(facts({ sightings: [view, seen()] }))).toMatchObject({ placement: 'inbox' })
  })

  test('nothing arrives before it was sent, whatever the clocks say', () => {
    const verdict = judge(facts({ sightings: [seen({ arrivedAt: SENT - 900 })] }))
    expect(verdict).toMatchObject({ kind: 'arrived', seconds: 0 })
  })

  test('what arrived in time has arrived, though nobody could look until long after', () => {
    const sightings = [seen({ seenAt: DEADLINE + 10 * GRACE })]
    const late = facts({ sightings, now: DEADLINE + 10 * GRACE, lookedAfterDeadline: true })
    expect(judge(late)).toMatchObject({ kind: 'arrived', placement: 'inbox' })
  })

  test('a sighting without a date of arrival is not called late by the time we looked', () => {
    const at = DEADLINE + 60_000
    const sightings = [seen({ arrivedAt: at, seenAt: at, arrivalSource: 'detection' })]
    expect(judge(facts({ sightings, now: at, lookedAfterDeadline: true }))).toMatchObject({
      kind: 'arrived',
    })
  })

  test('a canary whose submission nobody saw the end of counts from its beginning', () => {
    const one = { ...CANARY, submittedAt: 0 }
    const verdict = judge(facts({ canary: one, submission: { kind: 'lost' }, sightings: [seen()] }))
    expect(verdict).toMatchObject({ kind: 'arrived', seconds: 5.1 })
  })
})

describe('what is missing', () => {
  const after = { now: DEADLINE + 1_000, lookedAfterDeadline: true }

  test('it is, once a complete look began after the deadline', () => {
    expect(judge(facts(after))).toEqual({ kind: 'missing', stage: 'submitted' })
  })

  test('it is not before, however often we looked', () => {
    expect(judge(facts({ now: DEADLINE }))).toBeUndefined()
    expect(judge(facts({ now: DEADLINE + 1_000 }))).toBeUndefined()
  })

  test('what arrived after the deadline is missing', () => {
    const sightings = [seen({ arrivedAt: DEADLINE + 1, seenAt: DEADLINE + 1_000 })]
    expect(judge(facts({ ...after, sightings }))).toMatchObject({ kind: 'missing' })
  })

  const fates: (readonly [string, MessageFate | undefined, string])[] = [
    ['no trace', undefined, 'submitted'],
    ['still queued', { kind: 'queued', attempts: 3, lastReply: DEFERRAL, host: 'mx' }, 'queue'],
    ['removed', { kind: 'removed', at: SENT }, 'queue'],
    [
      'accepted by the provider',
      { kind: 'delivered', at: SENT, reply: { code: 250, enhanced: '', text: 'OK' }, host: 'mx' },
      'provider-accepted',
    ],
  ]
  test.each(fates)('%s: the stage says so', (_, fate, stage) => {
    expect(judge(facts({ ...after, fate }))).toEqual({ kind: 'missing', stage })
  })
})

describe('what waits in the queue of the relay', () => {
  const after = { now: DEADLINE + 1_000, lookedAfterDeadline: true }
  const deferrals = { count: 2, since: SENT + 50, reply: DEFERRAL, greylisted: true }

  test('greylisting that lasted until the deadline is told from loss', () => {
    const fate: MessageFate = {
      kind: 'queued',
      attempts: 2,
      lastReply: DEFERRAL,
      host: 'mx',
      deferrals,
    }
    expect(judge(facts({ ...after, fate }))).toEqual({ kind: 'missing', stage: 'queue', deferrals })
  })

  test('what was greylisted and then taken says so', () => {
    const reply = { code: 250, enhanced: '', text: 'OK' }
    const fate: MessageFate = { kind: 'delivered', at: SENT, reply, host: 'mx', deferrals }
    expect(judge(facts({ fate, sightings: [seen()] }))).toMatchObject({
      kind: 'arrived',
      deferrals,
    })
  })

  test('a relay that cannot be asked is waited for, as a blind seed is', () => {
    const away = facts({ ...after, traceAway: true })
    expect(judge(away)).toBeUndefined()
    expect(judge({ ...away, sightings: [seen({ arrivedAt: DEADLINE + 1 })] })).toBeUndefined()
    expect(judge({ ...away, sightings: [seen()] })).toMatchObject({ kind: 'arrived' })
    expect(judge({ ...away, now: DEADLINE + GRACE + 1 })).toMatchObject({ kind: 'missing' })
  })
})

describe('a provider whose clock is slow', () => {
  const reply = { code: 250, enhanced: '', text: 'OK' }
  const late = DEADLINE + 20_000
  const fate: MessageFate = { kind: 'delivered', at: late, reply, host: 'mx' }
  const dated = seen({ arrivedAt: DEADLINE - 30_000, seenAt: late + 1_000 })

  test('makes nothing arrive in time that the relay handed over after the deadline', () => {
    const known = facts({ fate, sightings: [dated], now: late + 2_000, lookedAfterDeadline: true })
    expect(judge(known)).toMatchObject({ kind: 'missing' })
  })

  test('is not suspected where the canary was seen before: an attempt without an end brought it', () => {
    const known = facts({ fate, sightings: [{ ...dated, seenAt: DEADLINE - 29_000 }] })
    expect(judge(known)).toMatchObject({ kind: 'arrived' })
  })
})

test('the version of TLS is the provider’s word, or the relay’s where it knows more', () => {
  const reply = { code: 250, enhanced: '', text: 'OK' }
  const fate: MessageFate = { kind: 'delivered', at: SENT, reply, host: 'mx', tls: 'TLSv1.3' }
  const tlsOf = (tls: string): unknown => judge(facts({ fate, sightings: [seen({ tls })] }))
  expect(tlsOf('yes')).toMatchObject({ tls: 'TLSv1.3' })
  // Behind a smarthost it was another connection.
  expect(tlsOf('TLSv1.2')).toMatchObject({ tls: 'TLSv1.2' })
  expect(tlsOf('')).toMatchObject({ tls: '' })
})

describe('what bounced', () => {
  test('it is decided at once, by the relay’s own outcome', () => {
    const fate: MessageFate = { kind: 'bounced', at: SENT, reply: REFUSAL, host: 'mx' }
    expect(judge(facts({ fate }))).toEqual({
      kind: 'bounced',
      reply: REFUSAL,
      stage: 'provider-refused',
    })
  })

  test('a message that ran out of time in the queue was not refused by the provider', () => {
    const fate: MessageFate = { kind: 'bounced', at: SENT, reply: DEFERRAL, host: 'mx' }
    expect(judge(facts({ fate }))).toMatchObject({ kind: 'bounced', stage: 'queue' })
  })

  test('a report that came back is enough', () => {
    expect(judge(facts({ report: REFUSAL }))).toMatchObject({ kind: 'bounced', reply: REFUSAL })
  })

  test('what was seen has arrived, whatever a report says', () => {
    expect(judge(facts({ report: REFUSAL, sightings: [seen()] }))).toMatchObject({
      kind: 'arrived',
    })
  })
})

describe('what is unknown', () => {
  test.each<readonly [Blindness, string]>([
    ['seed-full', '552 5.2.2 The email account is over quota'],
    ['seed-full', '552 mailbox full'],
    ['seed-locked', '550 5.2.1 The email account that you tried to reach is inactive'],
    ['seed-locked', '550 Requested action not taken: this account has been suspended'],
    ['seed-gone', '550 5.1.1 The email account that you tried to reach does not exist'],
    ['seed-gone', "554 delivery error: dd This user doesn't have a yahoo.com account [0]"],
  ])('%s is our seed, not a refusal of the provider: %s', (reason, line) => {
    const reply = parseReply(line) ?? noReply(line)
    const fate: MessageFate = { kind: 'bounced', at: SENT, reply, host: 'mx' }
    expect(judge(facts({ fate }))).toEqual({ kind: 'unknown', reason })
    expect(judge(facts({ report: reply }))).toEqual({ kind: 'unknown', reason })
  })

  test.each([
    '550 5.7.1 Message blocked; contact the user you tried to reach, whose account is inactive',
    '550 5.1.0 Sender rejected',
    '550 5.2.0 Message rejected by content filter',
    '554 Message refused: user complaints',
  ])('a refusal of the mail is none of the account: %s', line => {
    const reply = parseReply(line)
    expect(judge(facts({ report: reply }))).toMatchObject({ kind: 'bounced' })
  })

  test('a mailbox that stayed full until the deadline is not a missing canary', () => {
    const lastReply = { code: 452, enhanced: '4.2.2', text: 'out of storage space' }
    const fate: MessageFate = { kind: 'queued', attempts: 4, lastReply, host: 'mx' }
    const after = { now: DEADLINE + 1, lookedAfterDeadline: true }
    expect(judge(facts({ fate }))).toBeUndefined()
    expect(judge(facts({ fate, ...after }))).toEqual({ kind: 'unknown', reason: 'seed-full' })
  })

  test('too large a message is no full mailbox', () => {
    const reply = { code: 552, enhanced: '5.3.4', text: 'message too big, quota exceeded' }
    expect(judge(facts({ report: reply }))).toMatchObject({ kind: 'bounced' })
  })

  const blind = { blindness: 'sign-in' as const }

  test('a seed that could not be read is waited for, and then is our blindness', () => {
    expect(judge(facts({ ...blind, now: DEADLINE + GRACE }))).toBeUndefined()
    expect(judge(facts({ ...blind, now: DEADLINE + GRACE + 1 }))).toEqual({
      kind: 'unknown',
      reason: 'sign-in',
    })
  })

  test('a canary that may never have left us is not missing', () => {
    const lost = facts({
      canary: { ...CANARY, submittedAt: 0 },
      submission: { kind: 'lost' },
      now: DEADLINE + 1,
      lookedAfterDeadline: true,
    })
    expect(judge(lost)).toEqual({ kind: 'unknown', reason: 'prober-stopped' })
  })
})

test('a submission that goes on is not judged', () => {
  const open = facts({
    submission: { kind: 'open' },
    now: DEADLINE + 10 * GRACE,
    lookedAfterDeadline: true,
  })
  expect(judge(open)).toBeUndefined()
})

test('what the origin rejects is rejected, at once and with its reply', () => {
  const rejected = facts({ submission: { kind: 'rejected', cause: 'refused', reply: REFUSAL } })
  expect(judge(rejected)).toEqual({ kind: 'rejected', cause: 'refused', reply: REFUSAL })
})
