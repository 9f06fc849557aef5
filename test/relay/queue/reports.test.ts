import { describe, expect, test } from 'vitest'

import type { Envelope, Notify } from '../../../src/mail/envelope.ts'
import type { Outcome } from '../../../src/mail/outcome.ts'
import { owedReports, type Judged } from '../../../src/relay/queue/reports.ts'
import type { Decision } from '../../../src/relay/queue/retry.ts'
import type { QueuedMessage } from '../../../src/relay/queue/store.ts'
import { BOUNCED, DEFERRED, DELIVERED, message, T0 } from '../../contract/queue-store-samples.ts'

const FAILED: Decision = { next: 'bounced', expired: false }
const LATE: Decision = { next: 'queued', dueAt: T0, delayNotice: true }
const SOON: Decision = { next: 'queued', dueAt: T0, delayNotice: false }
const DONE: Decision = { next: 'delivered' }

function about(envelope: Partial<Envelope> = {}): QueuedMessage {
  const made = message(['bob@example.net'])
  return { ...made, envelope: { ...made.envelope, ...envelope }, size: 10 }
}

function judged(outcome: Outcome, decision: Decision, notify?: readonly Notify[]): Judged {
  const recipient = { address: 'bob@example.net', index: 0, delayReported: false }
  return {
    outcome,
    decision,
    recipient: notify === undefined ? recipient : { ...recipient, notify },
  }
}

function kinds(one: Judged, envelope: Partial<Envelope> = {}): string[] {
  return owedReports(about(envelope), [one]).map(({ kind }) => kind)
}

const WITHOUT_DSN: Outcome = { ...DELIVERED, dsn: false }

describe('which reports are owed', () => {
  test.each<[string, readonly Notify[] | undefined, boolean, boolean, boolean]>([
    // NOTIFY           asked for                       failure delay success
    ['absent', undefined, true, true, false],
    ['NEVER', [], false, false, false],
    ['FAILURE', ['failure'], true, false, false],
    ['DELAY', ['delay'], false, true, false],
    ['SUCCESS', ['success'], false, false, true],
    ['all three', ['success', 'failure', 'delay'], true, true, true],
  ])('NOTIFY %s', (_, notify, failure, delay, success) => {
    expect(kinds(judged(BOUNCED, FAILED, notify))).toEqual(failure ? ['failed'] : [])
    expect(kinds(judged(DEFERRED, { next: 'bounced', expired: true }, notify))).toEqual(
      failure ? ['failed'] : [],
    )
    expect(kinds(judged(DEFERRED, LATE, notify))).toEqual(delay ? ['delayed'] : [])
    expect(kinds(judged(WITHOUT_DSN, DONE, notify))).toEqual(success ? ['relayed'] : [])
  })

  test('a next hop with DSN reports success itself', () => {
    expect(kinds(judged(DELIVERED, DONE, ['success']))).toEqual([])
  })

  test('a deferral that is not late yet is nobody’s business', () => {
    expect(kinds(judged(DEFERRED, SOON))).toEqual([])
  })

  test('nothing is ever owed to the null reverse path', () => {
    const all: readonly Notify[] = ['success', 'failure', 'delay']
    for (const [outcome, decision] of [
      [BOUNCED, FAILED],
      [DEFERRED, LATE],
      [WITHOUT_DSN, DONE],
    ] as const) {
      expect(kinds(judged(outcome, decision, all), { reversePath: '' })).toEqual([])
      expect(kinds(judged(outcome, decision), { reversePath: '' })).toEqual([])
    }
  })

  test('recipients with one fate share a report, in which nobody else stands', () => {
    const both = judged(BOUNCED, FAILED)
    const owed = owedReports(about(), [
      both,
      judged(BOUNCED, FAILED, []),
      both,
      judged(DEFERRED, LATE),
    ])
    expect(owed.map(({ kind, about }) => [kind, about.length])).toEqual([
      ['failed', 2],
      ['delayed', 1],
    ])
  })
})
