import fc from 'fast-check'
import { expect, test } from 'vitest'

import { judge } from '../../src/probe/verdict.ts'
import { DEADLINE, DEFERRAL, facts, GRACE, REFUSAL, seen, SENT } from './facts.ts'

const reply = fc.constantFrom(REFUSAL, DEFERRAL)
const time = fc.integer({ min: SENT - 5_000, max: DEADLINE + 3 * GRACE })
const fate = fc.oneof(
  fc.constant(undefined),
  fc.record({ kind: fc.constant('bounced' as const), at: time, reply, host: fc.constant('mx') }),
  fc.record({
    kind: fc.constant('delivered' as const),
    at: time,
    reply,
    host: fc.constant('mx'),
  }),
  fc.record({ kind: fc.constant('removed' as const), at: time }),
)
const submission = fc.oneof(
  fc.constant({ kind: 'submitted', at: SENT, queueId: 'Q' } as const),
  fc.constant({ kind: 'open' } as const),
  fc.constant({ kind: 'lost' } as const),
  fc.record({
    kind: fc.constant('rejected' as const),
    cause: fc.constantFrom('timeout' as const, 'login' as const),
    reply,
  }),
)
const sightings = fc.array(
  fc.record({
    arrivedAt: time,
    seenAt: time,
    placement: fc.constantFrom('inbox' as const, 'spam' as const, 'other' as const),
    arrivalSource: fc.constantFrom('internaldate' as const, 'detection' as const),
  }),
  { maxLength: 3 },
)
const anything = fc
  .record({
    submission,
    sightings: sightings.map(all => all.map(one => seen(one))),
    lookedAfterDeadline: fc.boolean(),
    blindness: fc.constantFrom(undefined, 'unreadable' as const, 'sign-in' as const),
    fate,
    report: fc.option(reply, { nil: undefined }),
    now: time,
  })
  .map(changes => facts(changes))

test('missing needs a complete look after the deadline, or the canary itself, seen late', () => {
  fc.assert(
    fc.property(anything, known => {
      if (judge(known)?.kind !== 'missing') return
      expect(known.lookedAfterDeadline || known.sightings.length > 0).toBe(true)
      expect(known.submission.kind).toBe('submitted')
    }),
  )
})

test('unknown needs blindness: never a provider that was seen to do anything', () => {
  fc.assert(
    fc.property(anything, known => {
      if (judge(known)?.kind !== 'unknown') return
      expect(known.submission.kind === 'lost' || !known.lookedAfterDeadline).toBe(true)
      expect(known.fate?.kind).not.toBe('bounced')
      expect(known.report).toBeUndefined()
      expect(known.now).toBeGreaterThan(DEADLINE)
    }),
  )
})

test('a fault of the origin is rejected and nothing else', () => {
  fc.assert(
    fc.property(anything, known => {
      expect(judge(known)?.kind === 'rejected').toBe(known.submission.kind === 'rejected')
    }),
  )
})

test('what was seen in time has arrived', () => {
  fc.assert(
    fc.property(anything, known => {
      const { fate, submission } = known
      fc.pre(submission.kind !== 'rejected')
      // By the relay's clock it was handed over when it was too late, whatever the provider's says.
      fc.pre(fate?.kind !== 'delivered' || fate.at <= DEADLINE)
      const inTime = known.sightings.some(
        one => one.arrivedAt <= DEADLINE || one.arrivalSource === 'detection',
      )
      expect(judge(known)?.kind === 'arrived').toBe(inTime)
    }),
  )
})

test('after the grace everything but a submission that goes on has a verdict', () => {
  fc.assert(
    fc.property(anything, known => {
      const verdict = judge({ ...known, now: DEADLINE + GRACE + 1 })
      if (known.submission.kind !== 'open') expect(verdict).toBeDefined()
    }),
  )
})
