import type { HoldTarget, OperatorAction, StandingHold, WaitingDelivery } from './operations.ts'
import type { SiteState } from './site-traffic.ts'
import type { MessageRecord, QueueCounts } from './store.ts'

/** Which deliveries are meant: those of some messages, or all that every other field holds of. */
export interface Selection {
  /** Queue ids, or Message-IDs with their angle brackets; nothing else is told beside it. */
  readonly ids?: readonly string[]
  /** A domain in lower case. */
  readonly destination?: string
  readonly login?: string
  /** Label of the provider whose host was tried last. */
  readonly provider?: string
  readonly state?: WaitingDelivery['state']
  /** Milliseconds since the acceptance. */
  readonly olderThan?: number
  /** Said where no other field is: a filter that was forgotten must not mean the whole queue. */
  readonly all?: true
}

/** What an operator may ask of the queue. `by` is who asks. */
export type QueueRequest =
  | { readonly ask: 'list'; readonly select: Selection; readonly limit: number }
  | { readonly ask: 'count'; readonly select: Selection }
  | { readonly ask: 'find'; readonly id: string }
  | {
      readonly ask: 'act'
      readonly action: OperatorAction
      readonly select: Selection
      readonly by: string
    }
  | { readonly ask: 'hold' | 'lift'; readonly target: HoldTarget; readonly by: string }

export interface ListedDelivery extends WaitingDelivery {
  /** Label of the provider whose host was tried last; '' before the first try. */
  readonly provider: string
}

/** What became of an action for one delivery. */
export type Acted =
  | 'done'
  /** It is being attempted at this moment, and was left alone. */
  | 'busy'
  /** A standing hold keeps it back. */
  | 'kept'
  /** There was nothing to do: it is held already, or it is not held. */
  | 'unchanged'
  /** The message has reached its end. */
  | 'ended'
  /** There is no such message. */
  | 'unknown'

/** What is answered, piece by piece. */
export type QueueAnswer =
  | {
      readonly kind: 'queue'
      readonly counts: QueueCounts
      readonly holds: readonly StandingHold[]
      /** Sites that are slowed down or paused since they objected. */
      readonly slowed: readonly SiteState[]
    }
  | { readonly kind: 'delivery'; readonly delivery: ListedDelivery }
  /** After the deliveries of a list; `more` were left out. */
  | { readonly kind: 'listed'; readonly deliveries: number; readonly more: boolean }
  | { readonly kind: 'count'; readonly deliveries: number }
  | {
      readonly kind: 'message'
      readonly record: MessageRecord
      /** How mail goes to the sites of its recipients, as far as some went there a short time ago. */
      readonly sites: readonly SiteState[]
    }
  | { readonly kind: 'unknown'; readonly id: string }
  | {
      readonly kind: 'acted'
      readonly action: OperatorAction
      readonly id: string
      /** '' where it is about the message. */
      readonly domain: string
      readonly result: Acted
      /** What keeps it back, where something does. */
      readonly kept: string
    }
  | {
      readonly kind: 'standing'
      readonly ask: 'hold' | 'lift'
      readonly target: HoldTarget
      /** False if it stood already, or there was none. */
      readonly changed: boolean
      /** How many deliveries it keeps back, or kept back until now. */
      readonly deliveries: number
      /** All that stand now. */
      readonly holds: readonly StandingHold[]
    }
