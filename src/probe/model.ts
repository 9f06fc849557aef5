import type { AuthResults } from '../mail/authentication-results.ts'
import type { Reply } from '../mail/reply.ts'
import type { Deferrals } from './trace.ts'

/*
 * Words of the prober:
 *
 * origin     where a canary is submitted: our relay, or another server to compare with
 * seed       an account at a provider that we may read
 * probe      origin x seed x content, on a schedule; its name is `origin/seed` (`origin/seed/content`)
 * canary     one message, known by its token
 * sighting   one place where a canary was seen in a seed's mailbox
 * look       one reading of a seed's mailbox; complete when INBOX and junk were both read to their end
 * verdict    what became of a canary; final once given
 */

export type Placement = 'inbox' | 'spam' | 'other'

/**
 * How far a canary came, as far as is known: refused at submission, in the relay's queue, refused by the provider,
 * accepted by the provider; `submitted` where the origin has no trace that could tell more.
 */
export type Stage = 'submission' | 'submitted' | 'queue' | 'provider-refused' | 'provider-accepted'

/** Where a canary's arrival time was taken from, in order of trust (INTERNALDATE has whole seconds). */
export type ArrivalSource = 'internaldate' | 'received' | 'detection'

/** Why an origin could not take a canary: a closed set. */
export type RejectionCause = 'unreachable' | 'timeout' | 'tls' | 'login' | 'refused'

/** Why we could not see: a closed set. Always our blindness, never the provider's fault. */
export type Blindness =
  | 'unreadable'
  | 'sign-in'
  | 'no-junk-folder'
  | 'prober-stopped'
  /** The account takes no mail: it has no room, was locked or gets too much, or there is no such account. */
  | 'seed-full'
  | 'seed-locked'
  | 'seed-gone'

/** What became of one canary. */
export type Verdict =
  | {
      readonly kind: 'arrived'
      readonly placement: Placement
      /** From submission to arrival. */
      readonly seconds: number
      readonly arrivalSource: ArrivalSource
      /** Gmail's tab (`promotions`), where the server tells. */
      readonly tab?: string
      readonly auth: AuthResults
      /** Of the connection over which the provider got it: `TLSv1.3`, `yes`, or '' where nobody tells of any. */
      readonly tls?: string
      /** It was told to come again before it was taken. */
      readonly deferrals?: Deferrals
    }
  /** Looked for until the deadline by a complete look, never seen. */
  | {
      readonly kind: 'missing'
      readonly stage: Stage
      /** Why it still waited in the queue, where that is known. */
      readonly deferrals?: Deferrals
    }
  /** A report came back, or the relay's own outcome is final. */
  | { readonly kind: 'bounced'; readonly reply: Reply; readonly stage: Stage }
  /** Any fault of the origin at submission. */
  | { readonly kind: 'rejected'; readonly cause: RejectionCause; readonly reply?: Reply }
  /** The prober's own blindness, and only that. */
  | { readonly kind: 'unknown'; readonly reason: Blindness }

/** A verdict as a metric label: a closed set. */
export const VERDICT_LABELS = [
  'inbox',
  'spam',
  'other',
  'missing',
  'bounced',
  'rejected',
  'unknown',
] as const
export type VerdictLabel = (typeof VERDICT_LABELS)[number]

export function labelOf(verdict: Verdict): VerdictLabel {
  return verdict.kind === 'arrived' ? verdict.placement : verdict.kind
}

/** One message of ours on its way. All times are milliseconds since the epoch. */
export interface Canary {
  /** Identifies the canary in history, pages and commands. Not the token: that is a secret until it is sent. */
  readonly id: string
  readonly probe: string
  readonly origin: string
  readonly seed: string
  readonly provider: string
  readonly content: string
  readonly token: string
  readonly scheduledAt: number
  /** When the origin answered 250, or 0 before that. */
  readonly submittedAt: number
  /** Loss is decided by the first complete look that began after this. */
  readonly deadlineAt: number
  /** The origin's name for it, read from its 250 reply; '' where it gave none. */
  readonly queueId: string
}

export interface Sighting {
  readonly folder: string
  readonly placement: Placement
  readonly uid: number
  readonly uidValidity: string
  readonly arrivedAt: number
  readonly arrivalSource: ArrivalSource
  /** When we saw it. */
  readonly seenAt: number
  readonly tab?: string
  readonly auth: AuthResults
  /** Of the connection over which the provider got it, as it wrote itself; '' where it does not tell. */
  readonly tls?: string
  /** The header section as fetched, at most 64 KiB, for the canary's page. */
  readonly header: string
}

/** One reading of a seed's mailbox. */
export interface Look {
  readonly seed: string
  readonly beganAt: number
  readonly endedAt: number
  /** INBOX and junk were read from their cursors to their ends, and no UIDVALIDITY had changed. */
  readonly complete: boolean
  /** Why it is not complete; undefined if it is. */
  readonly blindness?: Blindness
  /** For a person: `NO [AUTHENTICATIONFAILED] …`; never a secret. */
  readonly detail: string
}
