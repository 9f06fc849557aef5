import { Problem } from '../base/problem.ts'
import type { LoadedRelay } from '../config/load-relay.ts'
import { newAccountLdif, newPassword } from '../directory/new-account.ts'
import { longestFor, PasswordMaker } from '../directory/password/maker.ts'
import { ldapAccess } from './directory-part.ts'

export interface AccountWish {
  readonly login: string
  readonly name: string
  /** Made if undefined. */
  readonly password: string | undefined
  /** Lines of authorized_keys. */
  readonly keys: readonly string[]
  readonly number: number | undefined
}

/**
 * A new account as the configured LDAP directory wants it. Nothing is changed, and no server is asked.
 *
 * @throws Problem with all that is wrong
 */
export async function makeAccount(
  relay: LoadedRelay,
  wish: AccountWish,
): Promise<{ readonly ldif: string; readonly password: string }> {
  const { ldap, domains } = relay.config.directory
  const access = ldapAccess(relay)
  if (ldap === undefined || access === undefined) {
    throw new Problem(`${relay.path}: directory.ldap: is missing: there is no LDAP to add to`)
  }
  const password = wish.password ?? newPassword()
  const made = newAccountLdif(
    {
      ...wish,
      hash: await hashOf(password),
      base: access.base,
      loginAttribute: access.schema.people.login,
      passwordAttribute: access.schema.people.password,
      domain: domains[0] ?? '',
      keyAttribute: access.schema.people.keys,
    },
    ldap.schema,
  )
  if ('problems' in made) throw new Problem(made.problems.join('\n'))
  return { ldif: made.ldif, password }
}

const SCHEME = 'sha512-crypt'

async function hashOf(password: string): Promise<string> {
  if (Buffer.byteLength(password) > longestFor(SCHEME)) {
    throw new Problem(`a password has at most ${longestFor(SCHEME)} octets`)
  }
  const maker = new PasswordMaker(SCHEME)
  await maker.start()
  try {
    const hash = await maker.make(password)
    if (hash !== undefined) return hash
  } finally {
    await maker.stop()
  }
  throw new Problem('this host has no libcrypt that makes sha512-crypt hashes')
}
