/**
 * Why an entry of a source cannot log in: a closed set, since it is counted. `locked`, `expired`, `retired`,
 * `excluded` and `no-password` are ordinary; everything after them is for a person to mend at the source.
 */
export const REJECTIONS = [
  'locked',
  'expired',
  'retired',
  'excluded',
  'no-password',
  'bad-login',
  'duplicate',
  'ambiguous',
  'unknown-scheme',
  'malformed',
  'too-costly',
  'des-not-allowed',
  'restricted',
] as const
export type Rejection = (typeof REJECTIONS)[number]

/** Reasons that are about the password alone, and not about the person: with an SSH key they do not matter. */
export const PASSWORD_FAULTS: ReadonlySet<Rejection | undefined> = new Set([
  'no-password',
  'ambiguous',
  'unknown-scheme',
  'malformed',
  'too-costly',
  'des-not-allowed',
])

/** One login of the directory, as far as sending mail is concerned. */
export interface Account {
  /** The directory's uid in lower case: logins are compared without case (userdir-ldap sorts and mails that way). */
  readonly login: string
  /** entryUUID, which survives a rename; '' where the source has none. */
  readonly uuid: string
  /** The stored password, `{crypt}$6$...`; '' unless the account can log in, so that no dead hash lies about. */
  readonly hash: string
  /** What a verification costs, `sha512-crypt rounds=5000`: equal words take equally long. '' without a hash. */
  readonly cost: string
  /** SSH keys that may submit as this login, as `readSshKey` gives them; none of a login that is barred as a person. */
  readonly keys: readonly string[]
  /** How many more the entry has that are not taken: with options, of another type, too weak. */
  readonly unusableKeys: number
  /** Addresses the entry claims for itself: `local` (at every own domain) or `local@domain`. */
  readonly claims: readonly string[]
  /** The same, of roles that forward to this login or name it as a sender. */
  readonly grants: readonly string[]
  /** Why it cannot log in; undefined where it can. */
  readonly rejection: Rejection | undefined
  /** When we saw the stored password change last, and when that was written at the source; 0 as below, or unknown. */
  readonly passwordSeenAt: number
  readonly passwordWrittenAt: number
  /** When we saw it change last, in milliseconds since the epoch; 0 if not since the first reading of all. */
  readonly changedAt: number
}

/** Everything one source said at one time. */
export interface Snapshot {
  /** By login. A Map, since a login may be `__proto__`. */
  readonly accounts: ReadonlyMap<string, Account>
  /** Of the last successful comparison with the source, milliseconds since the epoch. */
  readonly takenAt: number
  readonly source: string
  /** Accounts that can log in. */
  readonly usable: number
  /** Entries that cannot log in, by reason. */
  readonly rejected: Readonly<Partial<Record<Rejection, number>>>
}

/** Whether two accounts say the same; when they were seen to change does not matter. */
export function sameAccount(one: Account, other: Account): boolean {
  return (
    one.login === other.login &&
    one.uuid === other.uuid &&
    one.hash === other.hash &&
    one.cost === other.cost &&
    one.rejection === other.rejection &&
    one.unusableKeys === other.unusableKeys &&
    sameList(one.keys, other.keys) &&
    sameList(one.claims, other.claims) &&
    sameList(one.grants, other.grants)
  )
}

function sameList(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((value, index) => value === other[index])
}
