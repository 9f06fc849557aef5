import type { Recipient } from './envelope.ts'
import type { FailureClass } from './outcome.ts'
import type { Reply } from './reply.ts'

/** One recipient a report tells of. */
export interface ReportedRecipient extends Pick<Recipient, 'address' | 'orcpt'> {
  /** The last reply: the remote's words, or ours where `host` is ''. */
  readonly reply: Reply
  /** The host that said it; '' for a refusal of our own, and where none was reached. */
  readonly host: string
  readonly class: FailureClass
  /** Time ran out: the reply is the last of several. */
  readonly expired?: boolean
  /** Milliseconds since the epoch. */
  readonly lastAttemptAt?: number
}

export interface Report {
  /** `relayed`: handed to a host that will send no report of success (RFC 3461 section 5.2.1). */
  readonly kind: 'failed' | 'delayed' | 'relayed'
  /** Queue id of the report itself; its Message-ID is made of it. */
  readonly id: string
  /** Our name (RFC 3464 section 2.2.2). */
  readonly hostname: string
  /** When the report is written; milliseconds since the epoch, like all times here. */
  readonly at: number
  /** Reverse path of the original: where the report goes. */
  readonly to: string
  readonly recipients: readonly ReportedRecipient[]
  /** When the original was accepted, and its queue id. */
  readonly arrivedAt: number
  readonly originalId: string
  /** ENVID as received, in xtext. */
  readonly envid?: string
  /** For a delay: when we shall give up. */
  readonly retryUntil?: number
  /** The original needs SMTPUTF8: so does the report (RFC 6533 section 4). */
  readonly smtputf8: boolean
  /** Header section of the original, without the empty line behind it. */
  readonly originalHeader: Uint8Array
  /** The whole original, for RET=FULL; leave it out for RET=HDRS, for REQUIRETLS, and for delays. */
  readonly original?: Uint8Array
}
