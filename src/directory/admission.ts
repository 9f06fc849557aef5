import { inPortions } from '../base/portions.ts'
import {
  PASSWORD_FAULTS,
  sameAccount,
  type Account,
  type Rejection,
  type Snapshot,
} from './account.ts'
import { canonicalLogin } from './login.ts'
import { parseStored } from './password/scheme.ts'
import type { SourceEntry } from './source.ts'
import { MOST_KEYS, readSshKey } from './ssh-key.ts'

export interface AdmissionOptions {
  /** Whether DES crypt hashes may log in. */
  readonly allowDes: boolean
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** A snapshot that has not been put in place yet. */
export interface Candidate extends Snapshot {
  /** Accounts that came, went or changed since the previous snapshot. */
  readonly changed: number
  /** Only a full reading can tell whether this is true; always false for one that is made of a full reading. */
  readonly doubtful: boolean
}

/** Judges everything a source said, and makes a snapshot of it: whoever is missing from it is gone. */
export async function admitAll(
  entries: readonly SourceEntry[],
  source: string,
  previous: Snapshot | undefined,
  options: AdmissionOptions,
): Promise<Candidate> {
  const accounts = new Map<string, Account>()
  let nameless = 0
  await inPortions(entries, entry => {
    const account = admit(entry, options)
    if (account === undefined) {
      nameless++
      return
    }
    const known = accounts.get(account.login)
    // Two entries of one login: neither, since nobody can say whose password is meant.
    accounts.set(account.login, known === undefined ? account : barred(account, 'duplicate'))
  })
  let changed = 0
  await inPortions(accounts.values(), account => {
    const before = previous?.accounts.get(account.login)
    if (before !== undefined && sameAccount(before, account)) {
      accounts.set(account.login, before)
      return
    }
    changed++
    accounts.set(account.login, dated(account, previous, before))
  })
  await inPortions(previous?.accounts.keys() ?? [], login => {
    if (!accounts.has(login)) changed++
  })
  return { ...(await summed(accounts, source, nameless, options.now)), changed, doubtful: false }
}

/** Puts an increment into a snapshot: entries are told apart by UUID, so a renamed one leaves no old name behind. */
export async function admitSome(
  entries: readonly SourceEntry[],
  previous: Snapshot,
  options: AdmissionOptions,
): Promise<Candidate> {
  const accounts = new Map<string, Account>()
  const byUuid = new Map<string, string>()
  await inPortions(previous.accounts.values(), account => {
    accounts.set(account.login, account)
    if (account.uuid !== '') byUuid.set(account.uuid, account.login)
  })
  let changed = 0
  let doubtful = false
  await inPortions(entries, entry => {
    const account = admit(entry, options)
    const oldLogin = byUuid.get(entry.uuid)
    if (oldLogin !== undefined && oldLogin !== account?.login) {
      accounts.delete(oldLogin)
      changed++
    }
    if (account === undefined) return
    const before = accounts.get(account.login)
    // The same login under another UUID: somebody went and came back, or there are two.
    if (before !== undefined && before.uuid !== account.uuid) doubtful = true
    // A person seldom loses the attribute, and we lose the right to read it for all at once.
    if (before?.rejection === undefined && account.rejection === 'no-password') {
      doubtful ||= before !== undefined
    }
    if (before !== undefined && sameAccount(before, account)) return
    accounts.set(account.login, dated(account, previous, before))
    changed++
  })
  const nameless = previous.rejected['bad-login'] ?? 0
  const snapshot = await summed(accounts, previous.source, nameless, options.now)
  return { ...snapshot, changed, doubtful }
}

function admit(entry: SourceEntry, options: AdmissionOptions): Account | undefined {
  const login = canonicalLogin(entry.login)
  if (login === undefined) return undefined
  const { keys: written = [] } = entry
  const keys = written.slice(0, MOST_KEYS).flatMap(value => readSshKey(value) ?? [])
  const account: Account = {
    login,
    uuid: entry.uuid,
    hash: entry.passwords[0] ?? '',
    cost: '',
    keys,
    unusableKeys: written.length - keys.length,
    claims: entry.claims,
    grants: entry.grants,
    rejection: undefined,
    passwordSeenAt: options.now,
    passwordWrittenAt: entry.writtenAt ?? 0,
    changedAt: options.now,
  }
  if (entry.barred !== undefined) return barred(account, entry.barred)
  // The attribute is not SINGLE-VALUE: one of two values may be the one somebody meant to replace.
  if (entry.passwords.length > 1) return barred(account, 'ambiguous')
  const stored = parseStored(account.hash, options.allowDes)
  if (typeof stored === 'string') return barred(account, stored)
  return { ...account, cost: `${stored.scheme} ${stored.cost}`.trim() }
}

/** A change, with the times of what has not changed in it. */
function dated(
  account: Account,
  previous: Snapshot | undefined,
  before: Account | undefined,
): Account {
  // At the first reading everybody is new to us, which says nothing about them.
  if (previous === undefined) {
    return { ...account, changedAt: 0, passwordSeenAt: 0, passwordWrittenAt: 0 }
  }
  if (before?.hash !== account.hash) return account
  const { passwordSeenAt, passwordWrittenAt } = before
  return { ...account, passwordSeenAt, passwordWrittenAt }
}

function barred(account: Account, rejection: Rejection): Account {
  const keys = PASSWORD_FAULTS.has(rejection) ? account.keys : []
  return { ...account, hash: '', cost: '', keys, rejection }
}

async function summed(
  accounts: ReadonlyMap<string, Account>,
  source: string,
  nameless: number,
  takenAt: number,
): Promise<Snapshot> {
  const rejected: Partial<Record<Rejection, number>> = {}
  if (nameless > 0) rejected['bad-login'] = nameless
  let usable = 0
  await inPortions(accounts.values(), ({ rejection }) => {
    if (rejection === undefined) usable++
    else rejected[rejection] = (rejected[rejection] ?? 0) + 1
  })
  return { accounts, takenAt, source, usable, rejected }
}
