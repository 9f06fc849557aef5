import { newId } from '../../src/base/id.ts'
import { NO_AUTH_RESULTS } from '../../src/mail/authentication-results.ts'
import type { Canary, Placement, Sighting, Verdict } from '../../src/probe/model.ts'

export const HOUR = 3_600_000
export const T0 = 1_800_000_000_000

let sequence = 0

/** A canary as it is before it is submitted. */
export function canary(changes: Partial<Canary> = {}): Canary {
  const scheduledAt = changes.scheduledAt ?? T0 + sequence * 1_000
  sequence++
  const id = newId(() => scheduledAt)
  return {
    id,
    probe: 'relay/gmail-1',
    origin: 'relay',
    seed: 'gmail-1',
    provider: 'gmail',
    content: 'plain',
    token: `${id}-TOKEN`,
    scheduledAt,
    submittedAt: 0,
    deadlineAt: scheduledAt + HOUR / 2,
    queueId: '',
    ...changes,
  }
}

export function arrived(placement: Placement, seconds: number): Verdict {
  return {
    kind: 'arrived',
    placement,
    seconds,
    arrivalSource: 'internaldate',
    auth: NO_AUTH_RESULTS,
  }
}

export function sighting(changes: Partial<Sighting> = {}): Sighting {
  return {
    folder: 'INBOX',
    placement: 'inbox',
    uid: 1,
    uidValidity: '1',
    arrivedAt: T0,
    arrivalSource: 'internaldate',
    seenAt: T0 + 1_000,
    auth: NO_AUTH_RESULTS,
    header: 'Subject: x\r\n',
    ...changes,
  }
}
