import type { Reply } from '../mail/reply.ts'
import type { RejectionCause } from './model.ts'
import type { Origin } from './origin.ts'

/** What came of a submission. There is no third: whatever goes wrong here is the origin's fault, not blindness. */
export type Submission =
  | {
      readonly kind: 'submitted'
      /** When the reply to the final dot was read. */
      readonly at: number
      /** The origin's name for the message; '' where its reply tells none. */
      readonly queueId: string
    }
  | { readonly kind: 'rejected'; readonly cause: RejectionCause; readonly reply: Reply }

export interface SubmitOptions {
  readonly origin: Origin
  /** Envelope sender, where it is not the address in From. */
  readonly reversePath?: string
  readonly to: string
  readonly message: Buffer
  readonly signal: AbortSignal
  readonly clock: () => number
  /** The whole submission, milliseconds; 60 s unless told. */
  readonly within?: number
}

/** Throws only when `signal` was aborted: then it is not known what became of the message. */
export type Submit = (options: SubmitOptions) => Promise<Submission>
