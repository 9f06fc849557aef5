import type { Reply } from '../../src/mail/reply.ts'
import type { Sighting } from '../../src/probe/model.ts'
import type { Facts } from '../../src/probe/verdict.ts'
import { canary, sighting } from '../contract/history-samples.ts'

export const SENT = 1_800_000_000_000
export const DEADLINE = SENT + 1_800_000
export const GRACE = 1_800_000
export const REFUSAL: Reply = { code: 550, enhanced: '5.7.26', text: 'unauthenticated' }
export const DEFERRAL: Reply = { code: 421, enhanced: '4.7.0', text: 'later' }

export const CANARY = canary({ submittedAt: SENT, deadlineAt: DEADLINE, queueId: 'Q' })

export function facts(changes: Partial<Facts> = {}): Facts {
  return {
    canary: CANARY,
    begunAt: SENT - 100,
    submission: { kind: 'submitted', at: SENT, queueId: 'Q' },
    sightings: [],
    lookedAfterDeadline: false,
    blindness: undefined,
    fate: undefined,
    report: undefined,
    now: SENT + 60_000,
    grace: GRACE,
    ...changes,
  }
}

export function seen(changes: Partial<Sighting> = {}): Sighting {
  return sighting({ arrivedAt: SENT + 5_000, seenAt: SENT + 6_000, ...changes })
}
