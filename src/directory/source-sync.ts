import type { Clock } from '../base/clock.ts'
import type { Snapshot } from './account.ts'
import { admitAll, admitSome, type Candidate } from './admission.ts'
import { mistrustCandidate, mistrustEntries, type GuardLimits } from './guard.ts'
import type { DirectorySource, SourceState } from './source.ts'

export interface SourceSyncOptions {
  readonly source: DirectorySource
  readonly fullEvery: number
  readonly guard: GuardLimits
  readonly allowDes: boolean
  readonly clock: Clock
}

export interface SyncRequest {
  /** Read everything, whatever is known. */
  readonly full?: boolean
  /** A person has looked at what the guard refused and wants it. The other guards stay. */
  readonly accept?: boolean
}

/** What came of one comparison of a source with what we have. */
export type SyncResult =
  | {
      readonly kind: 'synced'
      readonly snapshot: Snapshot
      readonly changed: number
      /** Whether everything was read. */
      readonly full: boolean
    }
  | { readonly kind: 'failed'; readonly cause: string }
  | {
      readonly kind: 'refused'
      readonly reason: string
      /** Whether a person may accept it: only the loss of logins, and not of all. */
      readonly acceptable: boolean
    }

/** Comparisons that have come to nothing. */
export interface SyncTrouble {
  readonly kind: 'failed' | 'refused'
  /** Since when, in milliseconds since the epoch. */
  readonly at: number
  /** What the last one said. */
  readonly words: string
  readonly acceptable: boolean
}

/** Keeps one source's snapshot in step with it. Whatever goes wrong, the old snapshot stays as it was. */
export class SourceSync {
  readonly source: DirectorySource
  readonly #options: SourceSyncOptions
  #snapshot: Snapshot | undefined
  /** Of the last reading that was applied; undefined after trouble, so that the next one is a full one. */
  #state: SourceState | undefined
  #fullAt = 0
  #notes: readonly string[] = []
  #trouble: SyncTrouble | undefined

  constructor(options: SourceSyncOptions) {
    this.source = options.source
    this.#options = options
  }

  get snapshot(): Snapshot | undefined {
    return this.#snapshot
  }

  /** What could not be checked at the last reading. */
  get notes(): readonly string[] {
    return this.#notes
  }

  /** Undefined while all is well. */
  get trouble(): SyncTrouble | undefined {
    return this.#trouble
  }

  /** Takes what was kept from an earlier run. */
  restore(snapshot: Snapshot): void {
    this.#snapshot = snapshot
  }

  /** Compares once. Never throws; a change is in `snapshot` when it resolves. */
  async run(request: SyncRequest, signal: AbortSignal): Promise<SyncResult> {
    const due = this.#options.clock() - this.#fullAt >= this.#options.fullEvery
    const anew = request.full === true || request.accept === true || due
    const result = await this.#read(anew ? undefined : this.#state, request, signal)
    if (result.kind === 'synced') {
      this.#trouble = undefined
    } else {
      this.#state = undefined
      const at = this.#trouble?.at ?? this.#options.clock()
      this.#trouble =
        result.kind === 'failed'
          ? { kind: 'failed', at, words: result.cause, acceptable: false }
          : { kind: 'refused', at, words: result.reason, acceptable: result.acceptable }
    }
    return result
  }

  async #read(
    known: SourceState | undefined,
    request: SyncRequest,
    signal: AbortSignal,
  ): Promise<SyncResult> {
    const { source, clock, allowDes } = this.#options
    const previous = this.#snapshot
    const reading = await source.read(previous === undefined ? undefined : known, signal)
    const now = clock()
    switch (reading.kind) {
      case 'failed':
        return reading
      case 'refused':
        return { ...reading, acceptable: false }
      case 'unchanged':
        if (previous === undefined) return { kind: 'failed', cause: 'unchanged from nothing' }
        this.#state = reading.state
        this.#snapshot = { ...previous, takenAt: now }
        return { kind: 'synced', snapshot: this.#snapshot, changed: 0, full: false }
      case 'incremental': {
        if (previous === undefined) return { kind: 'failed', cause: 'increment to nothing' }
        const candidate = await admitSome(reading.entries, previous, { allowDes, now })
        if (candidate.doubtful) return this.#read(undefined, request, signal)
        return this.#apply(candidate, request, reading, false)
      }
      case 'full': {
        const reason = mistrustEntries(reading.entries)
        if (reason !== undefined) return { kind: 'refused', reason, acceptable: false }
        const options = { allowDes, now }
        const candidate = await admitAll(reading.entries, source.name, previous, options)
        return this.#apply(candidate, request, reading, true)
      }
    }
  }

  async #apply(
    { accounts, takenAt, source, usable, rejected, changed }: Candidate,
    { accept = false }: SyncRequest,
    reading: { readonly state: SourceState; readonly notes: readonly string[] },
    full: boolean,
  ): Promise<SyncResult> {
    const limits = accept ? { most: Infinity, share: 1 } : this.#options.guard
    const snapshot: Snapshot = { accounts, takenAt, source, usable, rejected }
    const reason = await mistrustCandidate(snapshot, this.#snapshot, limits)
    if (reason !== undefined) return { kind: 'refused', reason, acceptable: usable > 0 }
    this.#snapshot = snapshot
    this.#state = reading.state
    this.#notes = reading.notes
    if (full) this.#fullAt = takenAt
    return { kind: 'synced', snapshot, changed, full }
  }
}
