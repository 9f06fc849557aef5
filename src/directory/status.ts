import { SECOND } from '../base/clock.ts'
import type { Rejection } from './account.ts'
import type { Roster } from './roster.ts'
import type { SourceSync, SyncTrouble } from './source-sync.ts'

/** What a person may want to know of the directory; names logins, so it is for administrators. */
export interface DirectoryStatus {
  /** Accounts that can log in. */
  readonly accounts: number
  /** Of these, whose hash no longer holds against guessing. */
  readonly weak: number
  /** Seconds since the last successful comparison of the source that is furthest behind; undefined before any. */
  readonly ageSeconds: number | undefined
  readonly rejected: Readonly<Partial<Record<Rejection, number>>>
  /** The login that was last seen to change, and when (milliseconds since the epoch). */
  readonly lastChange: { readonly login: string; readonly at: number } | undefined
  /** The first hundred that somebody has to mend at the source: not those who are locked, expired or retired. */
  readonly toMend: readonly { readonly login: string; readonly reason: Rejection }[]
  readonly sources: readonly SourceStatus[]
  /** Schemes of libcrypt that this host can verify. */
  readonly schemes: readonly string[]
}

export interface SourceStatus {
  readonly name: string
  readonly accounts: number
  readonly takenAt: number | undefined
  readonly trouble: SyncTrouble | undefined
  readonly notes: readonly string[]
}

/** One login, for `directory verify` and a person who asks why they cannot log in. No hash is in it. */
export interface AccountStatus {
  readonly login: string
  /** entryUUID: another one is another person. '' where the source has none. */
  readonly uuid: string
  readonly rejection: Rejection | undefined
  /** `sha512-crypt rounds=5000`, or '' where there is no usable hash. */
  readonly scheme: string
  readonly addresses: readonly string[]
  /** Fingerprints of its SSH keys, without those that another login has too. */
  readonly keys: readonly string[]
  /** How many more keys it has that are not taken: with options, of another type, too weak, or another's as well. */
  readonly unusableKeys: number
  /** When its password was last seen to change, and when that was written at the source; undefined as below, or unknown. */
  readonly passwordSeenAt: number | undefined
  readonly passwordWrittenAt: number | undefined
  /** When it was last seen to change; undefined if not since the first reading of all. */
  readonly changedAt: number | undefined
}

/** Reasons that need nobody's hand: such people are meant not to log in. */
const ORDINARY: ReadonlySet<Rejection> = new Set([
  'locked',
  'expired',
  'retired',
  'no-password',
  'excluded',
])
const MOST_NAMED = 100

/** @param now milliseconds since the epoch */
export function statusOf(
  roster: Roster,
  syncs: readonly SourceSync[],
  schemes: ReadonlySet<string>,
  now: number,
): DirectoryStatus {
  const rejected: Partial<Record<Rejection, number>> = {}
  let oldest: number | undefined
  for (const { snapshot } of syncs) {
    if (snapshot === undefined) continue
    oldest = Math.min(oldest ?? Infinity, snapshot.takenAt)
    for (const [reason, count] of Object.entries(snapshot.rejected)) {
      rejected[reason as Rejection] = (rejected[reason as Rejection] ?? 0) + count
    }
  }
  return {
    accounts: roster.usable,
    weak: roster.weak,
    ageSeconds: oldest === undefined ? undefined : (now - oldest) / SECOND,
    rejected,
    lastChange: roster.lastChange,
    toMend: toMend(roster),
    sources: syncs.map(({ source, snapshot, trouble, notes }) => ({
      name: source.name,
      accounts: snapshot?.usable ?? 0,
      takenAt: snapshot?.takenAt,
      trouble,
      notes,
    })),
    schemes: [...schemes],
  }
}

/** @param login in canonical form */
export function accountStatusOf(roster: Roster, login: string): AccountStatus | undefined {
  const account = roster.accounts.get(login)
  if (account === undefined) return undefined
  const fingerprints = account.keys.map(known => known.slice(0, known.indexOf(' ')))
  const keys = fingerprints.filter(fingerprint => roster.keys.get(fingerprint) !== undefined)
  return {
    login,
    uuid: account.uuid,
    keys,
    unusableKeys: account.unusableKeys + fingerprints.length - keys.length,
    rejection: account.rejection,
    scheme: account.cost,
    addresses: roster.addresses.get(login) ?? [],
    passwordSeenAt: account.passwordSeenAt || undefined,
    passwordWrittenAt: account.passwordWrittenAt || undefined,
    changedAt: account.changedAt === 0 ? undefined : account.changedAt,
  }
}

function toMend(roster: Roster): DirectoryStatus['toMend'] {
  const named: { login: string; reason: Rejection }[] = []
  for (const { login, rejection } of roster.accounts.values()) {
    if (rejection === undefined || ORDINARY.has(rejection)) continue
    named.push({ login, reason: rejection })
    if (named.length === MOST_NAMED) break
  }
  return named
}
