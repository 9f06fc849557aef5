import type { Placement } from './model.ts'
import type { Blindness } from './model.ts'

/** Where a folder was read to. */
export interface Cursor {
  readonly folder: string
  readonly uidValidity: string
  /** The first UID not yet read. */
  readonly uidNext: number
}

/** One message found between a cursor and the end of a folder. */
export interface FoundMessage {
  readonly folder: string
  readonly placement: Placement
  readonly uid: number
  readonly uidValidity: string
  /** INTERNALDATE, milliseconds since the epoch; undefined where the server gave none. */
  readonly internalDate: number | undefined
  /** The header section, at most 64 KiB, as latin1 text with CRLF line ends. */
  readonly header: string
  /** Gmail's tab, where the server tells. */
  readonly tab?: string
  /** The message from its beginning, where whoever reads has asked for it. */
  readonly source?: Buffer
}

export interface Reading {
  /** Cursors after this reading: to be kept, and handed in next time. */
  readonly cursors: readonly Cursor[]
  readonly messages: readonly FoundMessage[]
  /** INBOX and junk were both read to their ends, from cursors that were still valid. */
  readonly complete: boolean
  /** Set where the account has no folder we can take for junk, or could not be read. */
  readonly blindness?: Blindness
  readonly detail: string
}

/**
 * The account of one seed, read only: EXAMINE and BODY.PEEK, found by UID range and not by SEARCH. It never marks,
 * moves or deletes anything it was not told to, and `remove` is told only about messages whose token was verified.
 *
 * Trouble of any kind ends as a `Reading` that is not complete, never as an exception: **blind is not missing**.
 */
export interface Mailbox {
  /**
   * Reads what is new since the cursors. A folder without a cursor is read from messages not older than `since`.
   *
   * @param since milliseconds since the epoch: nothing that arrived before can be of interest
   * @param scope `main` is INBOX and junk; `all` are the other selectable folders too
   */
  read(
    cursors: readonly Cursor[],
    since: number,
    scope: 'main' | 'all',
    signal: AbortSignal,
  ): Promise<Reading>
  /** Resolves when the server says that something changed (IDLE), or after `atMost` milliseconds, or on abort. */
  waitForNews(atMost: number, signal: AbortSignal): Promise<void>
  /** Deletes by UID EXPUNGE, or not at all where the server has no UIDPLUS. @returns how many were deleted */
  remove(
    folder: string,
    uidValidity: string,
    uids: readonly number[],
    signal: AbortSignal,
  ): Promise<number>
  close(): Promise<void>
}
