import type { Envelope, Recipient } from '../../mail/envelope.ts'
import type { Outcome } from '../../mail/outcome.ts'
import type { Reply } from '../../mail/reply.ts'
import type { BodyContent } from './body-files/body-file.ts'

/*
 * Words of the queue:
 *
 * message    what one 250 after the final dot was given for: an envelope and a body
 * delivery   the recipients of one message that share a destination domain; the unit of retrying
 * lease      the right of one runner to attempt one delivery until a time; an expired lease is anybody's
 * reserve    a runner keeps a slot for a delivery that is being put, and gets its lease in the same commit
 * settle     to record what an attempt came to, and everything that follows from it, in one transaction
 * hold       a delivery is kept back: by itself (an operator said so of its message, or a policy at its acceptance), or by
 *            a standing hold, which keeps back everything it names, what comes later too
 * timeline   everything that ever happened to one message, oldest first
 */

/** A message about to exist. Its body was streamed to `BodyWriter` before. */
export interface NewMessage {
  readonly id: string
  readonly envelope: Envelope
  /** Who submitted it; '' for reports of our own. */
  readonly login: string
  /** Milliseconds since the epoch. */
  readonly acceptedAt: number
  /** Message-ID of the header, with its angle brackets, or ''. For finding it again. */
  readonly messageId: string
  /** Accepted, but kept back until an operator releases it, for this reason (for people). Absent: it may go. */
  readonly hold?: string
}

/** A body on its way into the store, in chunks, so that its size never is our memory. */
export interface BodyWriter {
  /**
   * Resolves when the store wants more (backpressure); undefined if it does already. The chunk is the store's from now on:
   * nobody may change it.
   */
  write(chunk: Uint8Array): Promise<void> | undefined
  /** Forgets what was written. Safe at any time, also after `put`. */
  abort(): Promise<void>
}

/** For threads that write large bodies themselves (`GrowingBody`), so that their octets go to no other. */
export interface BodyFiles {
  /** Where the files are. */
  readonly folder: string
  /** Takes over what a body has become elsewhere, to be put. A file is the store's from now on. */
  adopt(content: BodyContent): BodyWriter
}

export interface QueuedMessage extends Omit<NewMessage, 'hold'> {
  /** Octets of the body. */
  readonly size: number
}

export interface LeaseRequest {
  readonly now: number
  /** When the leases end, in milliseconds since the epoch. */
  readonly until: number
  /** How many at most. */
  readonly limit: number
  /** How many at most for one domain, together with those in `running`: one slow provider never takes every slot. */
  readonly perDomain: number
  /** How many deliveries the caller is busy with, by domain. */
  readonly running: ReadonlyMap<string, number>
}

/** The right to attempt one delivery until `until`. */
export interface Lease {
  readonly deliveryId: string
  /** Changes with every lease: a result is stored only by the lease's present holder. */
  readonly token: string
  readonly until: number
  readonly message: QueuedMessage
  /** Lower-case domain of all `recipients`. */
  readonly domain: string
  /** Those not yet at their end. */
  readonly recipients: readonly LeasedRecipient[]
  /** Attempts that have ended before this one. */
  readonly attempts: number
  /** An earlier attempt ended after the final dot without a reply, or was never settled: this may be a second copy. */
  readonly indeterminate: boolean
  /** The body, where it is at hand: of a message that was put a moment ago. */
  readonly content?: Uint8Array
}

/** A slot that a runner keeps for a delivery until it exists. Ends with one of the two. */
export interface Reservation {
  /** Now, and when its lease is to end, in milliseconds since the epoch. */
  readonly at: number
  readonly until: number
  /** The message is durable, and the delivery leased. */
  begin(lease: Lease): void
  /** The message does not exist, or its delivery has to wait. */
  leave(): void
}

/** @returns undefined where no delivery to the domain may begin now */
export type Reserve = (domain: string) => Reservation | undefined

export interface LeasedRecipient extends Recipient {
  /** Position in the envelope; names the recipient in `Settlement`. */
  readonly index: number
  /** A delay report has been sent for it. */
  readonly delayReported: boolean
  /** The last reply, for the report when time runs out. */
  readonly lastReply?: Reply
}

/** What one attempt came to. Stored whole, or not at all. */
export interface Settlement {
  readonly at: number
  readonly results: readonly {
    readonly index: number
    readonly outcome: Outcome
    /** `delivered` and `bounced` end the recipient; `queued` keeps it. */
    readonly next: 'delivered' | 'bounced' | 'queued'
    readonly delayReported: boolean
  }[]
  /** When to try the rest again; ignored if none is left. */
  readonly dueAt: number
  /** Reports this attempt made owed: exist in the same commit, so that a crash neither loses nor doubles one. */
  readonly reports: readonly { readonly message: NewMessage; readonly body: Uint8Array }[]
}

export interface TimelineEntry {
  readonly at: number
  readonly kind: 'accepted' | 'delivered' | 'deferred' | 'bounced' | 'report' | 'operator'
  readonly domain: string
  readonly host: string
  readonly reply: string
  readonly tls: string
  /** Human words for what has no reply: `report ABC… queued`, `released by root`. */
  readonly note: string
  /** Positions in the envelope of those that an attempt was about; absent where it was about all, or none. */
  readonly recipients?: readonly number[]
}

/** What is known of one message: what it is now, and how it came to that. */
export interface MessageRecord {
  readonly message: QueuedMessage
  readonly recipients: readonly {
    readonly address: string
    readonly state: 'queued' | 'held' | 'delivered' | 'bounced' | 'removed'
    readonly dueAt: number
    readonly attempts: number
    readonly lastReply: string
    readonly lastHost: string
    /** Its delivery is being attempted at this moment. */
    readonly active?: true
    /** Why it is held: who said so, or which policy. */
    readonly kept?: string
  }[]
  readonly timeline: readonly TimelineEntry[]
}

export interface QueueCounts {
  /** Deliveries waiting for their time, being attempted, and kept back by an operator. */
  readonly queued: number
  readonly active: number
  readonly held: number
  /** `acceptedAt` of the oldest message that is not at its end; undefined if there is none. */
  readonly oldestAt: number | undefined
}

/**
 * Where accepted messages live until their end. Two implementations, one contract test: SQLite, PostgreSQL.
 * **Durable before 250**: when `put` resolves, the message survives `kill -9` and power loss.
 *
 * Every method may throw `StoreUnavailable` (disk full, database away); nothing else is thrown for weather.
 */
export interface QueueStore {
  newBody(): BodyWriter
  /** Undefined where all of a body goes through `newBody`. */
  readonly bodyFiles?: BodyFiles
  /** Makes the message exist, body and all, in one durable commit. Concurrent callers share a commit. */
  put(message: NewMessage, body: BodyWriter): Promise<void>
  /**
   * From here on deliveries of what is put are leased in the same commit, where a slot can be had and nothing for their domain
   * has waited longer. Undefined ends it. Absent where a store leases only when it is asked.
   */
  reserveWith?(reserve: Reserve | undefined): void
  /** Leases deliveries that are due at `now`: from the domains that have waited longest, the oldest of each first. */
  lease(request: LeaseRequest): Promise<readonly Lease[]>
  /** The body, in chunks, in order. A body that is gone or not whole is a fault, and thrown as one. */
  body(id: string): AsyncIterable<Uint8Array>
  /** @returns false if the lease was no longer ours: the result was then not stored, and somebody else has it */
  settle(lease: Lease, settlement: Settlement): Promise<boolean>
  /** Gives a lease back untouched, due at `dueAt`. */
  giveBack(lease: Lease, dueAt: number): Promise<void>
  /** When the next delivery becomes due, or undefined if nothing waits. `busy` domains do not count. */
  nextDue(busy?: readonly string[]): Promise<number | undefined>
  counts(): Promise<QueueCounts>
  /** Writes, and changes nothing. @throws StoreUnavailable if nothing can be written now */
  check(): Promise<void>
  /** @param id a queue id, or a Message-ID with its angle brackets: then the latest that has it */
  find(id: string): Promise<MessageRecord | undefined>
  /** Removes messages that ended before `before`, orphaned bodies, and their timelines. @returns how many */
  sweep(before: number): Promise<number>
  close(): Promise<void>
}

/** The store cannot work now. Clients get 451 or 452, readiness is false, deliveries pause. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
  /** Whether it is space that lacks (452 4.3.1), or something else (451 4.3.0). */
  readonly full: boolean

  constructor(message: string, options: { full: boolean; cause?: unknown }) {
    super(message, { cause: options.cause })
    this.full = options.full
  }
}
