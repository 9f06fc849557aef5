import type { Rejection } from './account.ts'

/** One entry as a source has it, before it is judged. */
export interface SourceEntry {
  /** As the source spells it. */
  readonly login: string
  readonly uuid: string
  /** Every value of the password attribute: two are one too many, and neither is taken. */
  readonly passwords: readonly string[]
  /** What the source itself says against a login. */
  readonly barred: Rejection | undefined
  /** When the entry was written last, in milliseconds since the epoch, where the source tells. */
  readonly writtenAt?: number | undefined
  /** Every value of the attribute with SSH keys. */
  readonly keys?: readonly string[]
  readonly claims: readonly string[]
  readonly grants: readonly string[]
}

/**
 * What a source wants to find again at its next reading, opaque to everybody else. It lives in memory only: after
 * a restart the first reading is a full one.
 */
export interface SourceState {
  /** Says whether anything has changed at all; '' where the source has no such mark. */
  readonly mark: string
  /** From where an increment goes on; '' where it cannot. */
  readonly from: string
}

/**
 * What came of a reading. A source does not throw for trouble: `failed` is that it could not be read (and will be
 * tried again), `refused` that what it said must not be believed.
 */
export type SourceReading =
  | { readonly kind: 'unchanged'; readonly state: SourceState }
  | {
      readonly kind: 'full'
      readonly state: SourceState
      readonly entries: readonly SourceEntry[]
      /** What could not be checked, for people. */
      readonly notes: readonly string[]
    }
  | {
      /** New and changed entries; who has gone is found by the next full reading. */
      readonly kind: 'incremental'
      readonly state: SourceState
      readonly entries: readonly SourceEntry[]
      readonly notes: readonly string[]
    }
  | { readonly kind: 'failed'; readonly cause: string }
  | { readonly kind: 'refused'; readonly reason: string }

/** The seam: where logins come from. */
export interface DirectorySource {
  /** A word of the configuration, in events and in the snapshot file. */
  readonly name: string
  /**
   * Reads the source once; nothing stays open afterwards.
   *
   * @param known the state of the last reading, or undefined to have everything read anew
   */
  read(known: SourceState | undefined, signal: AbortSignal): Promise<SourceReading>
}
