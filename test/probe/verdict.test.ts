import { describe, expect, test } from 'vitest'

import { NO_AUTH_RESULTS } from '../../src/mail/authentication-results.ts'
import type { Reply } from '../../src/mail/reply.ts'
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
  test.each<Reply>([
    { code: 552, enhanced: '5.2.2', text: 'The email account is over quota' },
    { code: 552, enhanced: '', text: 'mailbox full' },
  ])('a full mailbox is our seed, not a refusal of the provider: $text', reply => {
    const fate: MessageFate = { kind: 'bounced', at: SENT, reply, host: 'mx' }
    expect(judge(facts({ fate }))).toEqual({ kind: 'unknown', reason: 'seed-full' })
    expect(judge(facts({ report: reply }))).toEqual({ kind: 'unknown', reason: 'seed-full' })
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
