import type { Recipient } from '../../mail/envelope.ts'
import type { Outcome } from '../../mail/outcome.ts'

/** One message for one destination. */
export interface Consignment {
  /** Queue id, for the log of a next hop and ours. */
  readonly id: string
  /** Lower-case domain of all recipients. */
  readonly domain: string
  /** '' is the null reverse path. */
  readonly reversePath: string
  readonly recipients: readonly Recipient[]
  readonly eightBit: boolean
  readonly smtputf8: boolean
  readonly ret?: 'full' | 'headers'
  readonly envid?: string
  /** Octets of the body. */
  readonly size: number
  /** The message from its first header to its last line, CRLF line ends; a fresh stream at each call. */
  body(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

/**
 * A way to deliver. Two: straight to the recipient's MX, or through a smarthost.
 *
 * A refusal, a lost connection, a broken name server are outcomes; `deliver` throws only for faults of ours.
 */
export interface Transport {
  readonly name: string
  /** @returns one outcome for each recipient, in their order */
  deliver(consignment: Consignment, signal: AbortSignal): Promise<readonly Outcome[]>
  /** Closes idle connections. */
  close(): Promise<void>
}
