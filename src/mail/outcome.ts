import type { Reply } from './reply.ts'

/** Why an attempt failed: a closed set, since it is a metric label. `none` is success. */
export const FAILURE_CLASSES = [
  'none',
  'transient',
  'rate',
  'reputation',
  'authentication',
  'tls',
  'content',
  'policy',
  'blocklist',
  'mailbox',
  'network',
  'other',
] as const
export type FailureClass = (typeof FAILURE_CLASSES)[number]

interface Attempted {
  /** The remote's words, or ours with code 0 where it said nothing. Never lost, never rewritten. */
  readonly reply: Reply
  /** Name of the host that said it or, with code 0, that was tried; '' where it came to none. */
  readonly host: string
  /** Protocol of the connection, `TLSv1.3`, or '' for clear text. */
  readonly tls: string
  readonly class: FailureClass
}

/** The next hop has taken responsibility (RFC 5321 section 6.1). */
export interface Delivered extends Attempted {
  readonly kind: 'delivered'
  /** Whether the next hop offered DSN, so that a success report is its business (RFC 3461 section 5.2.2). */
  readonly dsn: boolean
}

/** Not now. The message stays ours. */
export interface Deferred extends Attempted {
  readonly kind: 'deferred'
  /**
   * The connection was lost after the final dot: the next hop may have the message. No other host is tried for
   * it, and a second delivery is counted as a possible duplicate.
   */
  readonly indeterminate: boolean
}

/** Never. A report is owed where the sender did not decline it. */
export interface Bounced extends Attempted {
  readonly kind: 'bounced'
}

/** What became of one recipient in one attempt. A refusal is an outcome, not an exception. */
export type Outcome = Delivered | Deferred | Bounced
