import type { Reply } from '../../mail/reply.ts'

/** A recipient that another server refused, or that was given up. */
export interface RefusedMail {
  /** Of the message. */
  readonly id: string
  readonly acceptedAt: number
  readonly to: string
  readonly reply: Reply
  readonly host: string
}

/** What the owner of a login may know of what the queue has done with their mail. */
export interface QueueOfLogin {
  /** The latest first, of the last `REFUSED_SEEN` messages of all logins. */
  refused(login: string, limit: number): Promise<readonly RefusedMail[]>
}

/** What was refused of so many messages is looked through for one login's: an index by login would cost every message. */
export const REFUSED_SEEN = 200_000
