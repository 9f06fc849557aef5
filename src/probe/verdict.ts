import type { Reply } from '../mail/reply.ts'
import type { Blindness, Canary, Sighting, Stage, Verdict } from './model.ts'
import { seedFaultOf } from './seed-fault.ts'
import type { Submission } from './sender.ts'
import { SKEW } from './sighting.ts'
import type { MessageFate } from './trace.ts'

/*
 * What became of a canary: the whole policy, and nothing else. It is asked again after every look, and answers only
 * when the answer is final.
 */

/** Everything that is known of one canary at one moment. */
export interface Facts {
  readonly canary: Canary
  /** When the canary was made, milliseconds since the epoch. */
  readonly begunAt: number
  /**
   * What came of the submission; `open` while it is going on, `lost` where this is not known any more (the prober
   * ended in the middle of it).
   */
  readonly submission: Submission | { readonly kind: 'open' } | { readonly kind: 'lost' }
  readonly sightings: readonly Sighting[]
  /** A complete look at the seed's mailbox that began after the canary's deadline. */
  readonly lookedAfterDeadline: boolean
  /** Why the last look was not complete; undefined if it was, or if there was none. */
  readonly blindness: Blindness | undefined
  /** What the origin's trace knows. */
  readonly fate: MessageFate | undefined
  /** The origin has a trace, and it could not be asked now. */
  readonly traceAway?: boolean
  /** Reports come back to a mailbox, and that was not read to its end since the deadline. */
  readonly reportsAway?: boolean
  /** The reply named by a bounce report that came back for it. */
  readonly report: Reply | undefined
  readonly now: number
  /** How long after the deadline a blind seed is waited for, milliseconds. */
  readonly grace: number
}

/** @returns the verdict, or undefined while it is too early for one */
export function judge(facts: Facts): Verdict | undefined {
  const { canary, submission, now } = facts
  if (submission.kind === 'rejected') {
    return { kind: 'rejected', cause: submission.cause, reply: submission.reply }
  }
  const first = firstSighting(facts.sightings.filter(sighting => !cameLate(sighting, facts)))
  if (first) return arrival(first, facts)
  // Nothing is final while the origin has not answered.
  if (submission.kind === 'open') return undefined
  const refusal = refusalOf(facts)
  const fault = refusal && seedFaultOf(refusal)
  if (fault) return { kind: 'unknown', reason: fault }
  if (refusal) return { kind: 'bounced', reply: refusal, stage: refusedBy(refusal) }
  // Where it was lost, and whether it was, the relay or a report may tell: they are waited for as a blind seed is.
  const away = facts.traceAway === true || facts.reportsAway === true
  if (away && now <= canary.deadlineAt + facts.grace) return undefined
  // It came after the deadline, so it was not there at the deadline: seen late, it is no less missing.
  if (facts.sightings.length > 0 && submission.kind === 'submitted') {
    return missing(facts)
  }
  if (now <= canary.deadlineAt) return undefined
  if (facts.fate?.kind === 'queued' && facts.fate.lastReply) {
    const waitsFor = seedFaultOf(facts.fate.lastReply)
    if (waitsFor) return { kind: 'unknown', reason: waitsFor }
  }
  if (facts.lookedAfterDeadline) {
    return submission.kind === 'submitted'
      ? missing(facts)
      : // It may never have left us.
        { kind: 'unknown', reason: 'prober-stopped' }
  }
  // Blind is not missing.
  if (now <= canary.deadlineAt + facts.grace) return undefined
  return { kind: 'unknown', reason: facts.blindness ?? 'prober-stopped' }
}

/** Placement is the first sighting; of two in one look the one in INBOX. Later moves are not judged. */
export function firstSighting(sightings: readonly Sighting[]): Sighting | undefined {
  const rank = { inbox: 0, spam: 1, other: 2 }
  return [...sightings].sort(
    (a, b) => a.seenAt - b.seenAt || rank[a.placement] - rank[b.placement] || a.uid - b.uid,
  )[0]
}

/** How far it came, as far as the trace tells. */
export function stageOf(facts: Pick<Facts, 'submission' | 'fate'>): Stage {
  if (facts.submission.kind === 'rejected') return 'submission'
  switch (facts.fate?.kind) {
    case undefined:
      return 'submitted'
    case 'queued':
    case 'removed':
      return 'queue'
    case 'delivered':
      return 'provider-accepted'
    case 'bounced':
      return refusedBy(facts.fate.reply)
  }
}

/**
 * Whether it arrived after the deadline. A time of detection proves nothing of that kind: had anybody looked between
 * the deadline and then, the canary would have been decided.
 */
export function isLate(sighting: Sighting, canary: Canary): boolean {
  return sighting.arrivalSource !== 'detection' && sighting.arrivedAt > canary.deadlineAt
}

/**
 * The relay's clock tells what a provider's that is slow hides: nothing arrives before it was handed over. One that was
 * seen before then came by an attempt of which the relay has seen no end.
 */
function cameLate(sighting: Sighting, { canary, fate }: Facts): boolean {
  if (isLate(sighting, canary)) return true
  if (fate?.kind !== 'delivered' || fate.at <= canary.deadlineAt) return false
  return sighting.seenAt >= fate.at && fate.at - sighting.arrivedAt <= SKEW
}

function missing(facts: Facts): Verdict {
  const stage = stageOf(facts)
  const deferrals = stage === 'queue' && facts.fate?.kind === 'queued' && facts.fate.deferrals
  return { kind: 'missing', stage, ...(deferrals && { deferrals }) }
}

function arrival(sighting: Sighting, facts: Facts): Verdict {
  const { fate } = facts
  const tls = tlsOf(sighting, fate)
  // Of a submission that we did not see the end of, the beginning is known.
  const from = facts.canary.submittedAt || facts.begunAt
  // INTERNALDATE has whole seconds, and clocks differ: nothing arrives before it was sent.
  const seconds = Math.max(0, (sighting.arrivedAt - from) / 1_000)
  return {
    kind: 'arrived',
    placement: sighting.placement,
    seconds,
    arrivalSource: sighting.arrivalSource,
    ...(sighting.tab === undefined ? {} : { tab: sighting.tab }),
    auth: sighting.auth,
    ...(tls !== undefined && { tls }),
    // It may be seen before the relay has noted that it was taken.
    ...(fate !== undefined &&
      'deferrals' in fate &&
      fate.deferrals && { deferrals: fate.deferrals }),
  }
}

/** The provider's word; the relay knows the version where that says no more than that there was TLS. */
function tlsOf({ tls }: Sighting, fate: MessageFate | undefined): string | undefined {
  return tls === 'yes' && fate?.kind === 'delivered' && fate.tls ? fate.tls : tls
}

/** The final refusal, as the relay or a report tells it. */
function refusalOf(facts: Facts): Reply | undefined {
  return facts.fate?.kind === 'bounced' ? facts.fate.reply : facts.report
}

/** A final 5xx is the provider's; anything else ran out of time in the relay's queue. */
function refusedBy(reply: Reply): Stage {
  return reply.code >= 500 ? 'provider-refused' : 'queue'
}
