import { DAY } from '../../base/clock.ts'
import type { BodyWriter, NewMessage } from '../queue/store.ts'
import type { Judgement } from './judge.ts'
import type { Amounts, Usage } from './usage.ts'

/** What a message costs its login, for the transaction that makes the message exist. */
export interface Charge {
  readonly login: string
  /** Milliseconds since the epoch. */
  readonly now: number
  /** Recipients of the message. */
  readonly recipients: number
  /** Each different recipient once, as `RecipientDigests` writes them; empty where nobody asks who is new. */
  readonly digests: readonly Buffer[]
  /** Asked within the transaction, with what has been counted by then. Pure. */
  readonly judge: (usage: Usage, wanted: Amounts) => Judgement
}

/**
 * What logins have sent: counted in the same commit that makes a message exist, so that a restart forgets nothing, two
 * sessions at once cannot both have the last place, and nodes that share a queue share the counts.
 *
 * Bounded: of a login at most the steps of its windows (38 rows, and what the next `forget` removes), and as recipients that it knows at most `KNOWN_PER_LOGIN`
 * digests, each until `KNOWN_FOR` after its last mail. Mail that was kept back makes nobody known.
 */
export interface Ledger {
  /** What the login has sent, as far back as a window sees at `now`. */
  usage(login: string, now: number): Promise<Usage>
  /** How many of these recipients the login has not written to before. */
  unknown(login: string, digests: readonly Buffer[]): Promise<number>
  /**
   * Puts the message as `QueueStore.put` does, and counts it. What is judged `hold` is put with that reason and counted
   * too; what is judged `defer` is neither put nor counted, and its body remains with the caller.
   *
   * @param reasonOf why a message is held, for people
   */
  putCounted(
    message: NewMessage,
    body: BodyWriter,
    charge: Charge,
    reasonOf: (judgement: Judgement) => string,
  ): Promise<Judgement>
  /** Forgets what no window sees any more and whom nobody writes to. */
  forget(now: number): Promise<void>
}

/** Recipients that are remembered of one login: of an address book, all who are really written to. */
export const KNOWN_PER_LOGIN = 10_000

/** Milliseconds that a recipient stays known after the last mail to it: half a year. */
export const KNOWN_FOR = 180 * DAY
