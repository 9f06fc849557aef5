import type { Reply } from '../mail/reply.ts'

/** What a relay of ours knows of one message with one recipient. */
export type MessageFate =
  | {
      readonly kind: 'queued'
      readonly attempts: number
      readonly lastReply?: Reply
      readonly host: string
    }
  | {
      readonly kind: 'delivered'
      readonly at: number
      readonly reply: Reply
      readonly host: string
    }
  | { readonly kind: 'bounced'; readonly at: number; readonly reply: Reply; readonly host: string }
  | { readonly kind: 'removed'; readonly at: number }

/**
 * Asks an origin what became of a message, by the queue id of its 250 reply. In process for the relay of this
 * daemon, over the admin API for one elsewhere. **The relay has no word for canaries**: it is asked about a
 * message like any other.
 */
export interface MessageTrace {
  /** @returns undefined if the relay does not know the id, or could not be asked */
  fate(queueId: string): Promise<MessageFate | undefined>
}
