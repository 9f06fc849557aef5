import { inPortions } from '../base/portions.ts'
import type { Account, Snapshot } from './account.ts'
import { addressesOf, type Senders } from './addresses.ts'
import { parseStored, WEAK_SCHEMES, type StoredPassword } from './password/scheme.ts'

/** What a login needs at hand: all sources together, computed once for every change. */
export interface Roster {
  readonly accounts: ReadonlyMap<string, Account>
  readonly addresses: ReadonlyMap<string, readonly string[]>
  /** SSH keys by fingerprint. A key that two logins have is nobody's: undefined. */
  readonly keys: ReadonlyMap<string, KeyOwner | undefined>
  /** Accounts that can log in. */
  readonly usable: number
  /** Of these, whose hash no longer holds against guessing. */
  readonly weak: number
  /** A stored password of the commonest cost, for logins that do not exist. */
  readonly typical: StoredPassword | undefined
  readonly lastChange: { readonly login: string; readonly at: number } | undefined
}

/** Whose an SSH key is. */
export interface KeyOwner {
  readonly login: string
  /** `type base64`, as in authorized_keys. */
  readonly key: string
}

export const EMPTY_ROSTER: Roster = {
  accounts: new Map(),
  addresses: new Map(),
  keys: new Map(),
  usable: 0,
  weak: 0,
  typical: undefined,
  lastChange: undefined,
}

/**
 * Puts the snapshots of all sources into one. The first source that names a login decides about it, also if it
 * says no: who is locked there must not come in by the second.
 */
export async function rosterOf(
  snapshots: readonly Snapshot[],
  domains: readonly string[],
  senders: Senders,
  allowDes: boolean,
): Promise<Roster> {
  const accounts = new Map<string, Account>()
  for (const snapshot of snapshots) {
    await inPortions(snapshot.accounts.values(), account => {
      if (!accounts.has(account.login)) accounts.set(account.login, account)
    })
  }
  const costs = new Map<string, { count: number; readonly hash: string }>()
  let usable = 0
  let weak = 0
  let last = undefined as Account | undefined
  await inPortions(accounts.values(), account => {
    if (account.changedAt > (last?.changedAt ?? 0)) last = account
    const { hash, cost, rejection } = account
    // The snapshot may be of a time when more schemes were allowed than now.
    if (rejection !== undefined || (cost === 'des' && !allowDes)) return
    usable++
    if (WEAK_SCHEMES.has(cost)) weak++
    const known = costs.get(cost)
    if (known === undefined) costs.set(cost, { count: 1, hash })
    else known.count++
  })
  let typical: { readonly count: number; readonly hash: string } | undefined
  for (const cost of costs.values()) {
    if (typical === undefined || cost.count > typical.count) typical = cost
  }
  const stored = parseStored(typical?.hash ?? '', allowDes)
  return {
    accounts,
    addresses: await addressesOf(accounts, domains, senders),
    keys: await keysOf(accounts),
    usable,
    weak,
    typical: typeof stored === 'string' ? undefined : stored,
    lastChange: last && { login: last.login, at: last.changedAt },
  }
}

async function keysOf(
  accounts: ReadonlyMap<string, Account>,
): Promise<ReadonlyMap<string, KeyOwner | undefined>> {
  const owners = new Map<string, KeyOwner | undefined>()
  await inPortions(accounts.values(), ({ login, keys }) => {
    for (const known of keys) {
      const end = known.indexOf(' ')
      const fingerprint = known.slice(0, end)
      const shared = owners.has(fingerprint) && owners.get(fingerprint)?.login !== login
      owners.set(fingerprint, shared ? undefined : { login, key: known.slice(end + 1) })
    }
  })
  return owners
}
