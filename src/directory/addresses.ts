import { domainToASCII } from 'node:url'

import { inPortions } from '../base/portions.ts'
import type { Account } from './account.ts'
import { localPartOf } from './roles.ts'

/** Who else may send as an address: `press@example.org` or `press` -> logins. */
export type Senders = ReadonlyMap<string, readonly string[]>

/**
 * Every login's addresses, at own domains only: mail in another domain's name is not ours to send.
 *
 * In many directories people may write their own mail attribute, so a claim is no proof: a login's name and a role's
 * cannot be claimed by others, and AN ALIAS THAT TWO CLAIM IS NOBODY'S. Roles and the configuration are written by administrators, and
 * may give one address to many.
 *
 * @param domains own domains in lower-case A-label form; a bare name is an address at each of them
 */
export async function addressesOf(
  accounts: ReadonlyMap<string, Account>,
  domains: readonly string[],
  senders: Senders,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const own = new Map<string, Set<string>>()
  const roles = new Set<string>()
  await inPortions(accounts.values(), ({ grants }) => {
    for (const grant of grants) roles.add(grant)
  })
  const claimants = new Map<string, Set<string>>()
  await inPortions(accounts.values(), ({ login, claims }) => {
    const addresses = new Set<string>()
    own.set(login, addresses)
    for (const address of claims.flatMap(claim => atOwnDomains(claim, domains))) {
      const local = address.slice(0, address.lastIndexOf('@'))
      if (local === login) addresses.add(address)
      else if (!accounts.has(local) && !roles.has(local)) {
        claimants.set(address, (claimants.get(address) ?? new Set()).add(login))
      }
    }
  })
  await inPortions(claimants, ([address, [login, ...others]]) => {
    if (login !== undefined && others.length === 0) own.get(login)?.add(address)
  })
  await inPortions(accounts.values(), ({ login, grants }) => {
    for (const grant of grants) {
      // A role that bears a person's name does not give that person's address away.
      if (accounts.has(grant)) continue
      for (const address of atOwnDomains(grant, domains)) own.get(login)?.add(address)
    }
  })
  for (const [sender, logins] of senders) {
    for (const target of logins) {
      const login = localPartOf(target, domains) ?? ''
      for (const address of atOwnDomains(sender, domains)) own.get(login)?.add(address)
    }
  }
  const listed = new Map<string, readonly string[]>()
  await inPortions(own, ([login, addresses]) => {
    listed.set(login, [...addresses])
  })
  return listed
}

/** What a claim means: itself, at own domains only, in lower case; a bare name at each of them. */
function atOwnDomains(claim: string, domains: readonly string[]): readonly string[] {
  const text = claim.trim().toLowerCase()
  const at = text.lastIndexOf('@')
  const local = at < 0 ? text : text.slice(0, at)
  if (local === '' || /[\s\u0000-\u001f\u007f<>"@]/.test(local)) return []
  if (at < 0) return domains.map(domain => `${local}@${domain}`)
  const domain = domainToASCII(text.slice(at + 1))
  return domains.includes(domain) ? [`${local}@${domain}`] : []
}
