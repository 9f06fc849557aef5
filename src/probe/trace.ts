import { formatReply, type Reply } from '../mail/reply.ts'

/** Attempts that were told to come again later. */
export interface Deferrals {
  readonly count: number
  /** When the first of them was, milliseconds since the epoch. */
  readonly since: number
  /** The last one's. */
  readonly reply: Reply
  /** Whether any of them was greylisting: the host has nothing against the mail. */
  readonly greylisted: boolean
}

/** What a relay of ours knows of one message with one recipient. */
export type MessageFate =
  | {
      readonly kind: 'queued'
      readonly attempts: number
      readonly lastReply?: Reply
      readonly host: string
      readonly deferrals?: Deferrals
    }
  | {
      readonly kind: 'delivered'
      readonly at: number
      readonly reply: Reply
      readonly host: string
      /** `TLSv1.3`, or '' for clear text. */
      readonly tls?: string
      readonly deferrals?: Deferrals
    }
  | { readonly kind: 'bounced'; readonly at: number; readonly reply: Reply; readonly host: string }
  | { readonly kind: 'removed'; readonly at: number }

/**
 * Asks an origin what became of a message, by the queue id of its 250 reply. In process for the relay of this
 * daemon, over the admin API for one elsewhere. **The relay has no word for canaries**: it is asked about a
 * message like any other.
 */
export interface MessageTrace {
  /**
   * @returns undefined if the relay does not know the id
   * @throws if it could not be asked: that it says nothing then is not an answer
   */
  fate(queueId: string): Promise<MessageFate | undefined>
}

/** What was said while it was not taken, for people; '' where it was taken at once. */
export function deferralWords(deferrals: Deferrals | undefined): string {
  if (deferrals === undefined) return ''
  const { count, greylisted, reply } = deferrals
  const often = count === 1 ? 'once' : `${count} times`
  return `${greylisted ? 'greylisted' : 'deferred'} ${often}: ${formatReply(reply)}`
}
