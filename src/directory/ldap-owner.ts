import { messageOf } from '../base/problem.ts'
import type { Secret } from '../base/secret.ts'
import { LdapTrouble, withLdap, type LdapConnection, type LdapSession } from './ldap-session.ts'
import { canonicalLogin } from './login.ts'
import type { DirectorySchema } from './schema.ts'

export interface LdapOwnersOptions extends LdapConnection {
  /** Where owners log in and write, if the URL above is of a copy that takes no changes. */
  readonly writeUrl?: string
  /** DN under which the people are. */
  readonly base: string
  readonly schema: DirectorySchema
  /** How many may be asking the directory at the same time; beyond it the answer is `unavailable` at once. */
  readonly mostAtOnce?: number
}

/** **Unavailable is not refused**: only what the directory itself has said is a wrong password. */
export type Proof =
  | { readonly kind: 'proven' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'unavailable'; readonly cause: string }

/** `forbidden` was answered: nothing has changed. `unknown` was not: it may have changed or not. */
export type OwnerChange =
  | { readonly kind: 'changed' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'unavailable' | 'forbidden' | 'unknown'; readonly cause: string }

// RFC 4513 section 5.1.2: a bind without a password succeeds, as nobody. A hung directory must not collect people.
const MOST_AT_ONCE = 8
const LONGEST_PASSWORD = 512

/**
 * People at the directory as themselves: to prove with its own password that an entry is theirs, and to write its mail
 * password. Nothing is written by any other identity, so the directory's own rules decide what may be.
 */
export class LdapOwners {
  #options: LdapOwnersOptions
  #asking = 0

  constructor(options: LdapOwnersOptions) {
    this.#options = options
  }

  /** Asks elsewhere from now on, or otherwise. */
  reconfigure(options: LdapOwnersOptions): void {
    this.#options = options
  }

  /** Whether this is the directory's password of the login. Costs the same for a login that does not exist. */
  async prove(login: string, password: Secret): Promise<Proof> {
    const result = await this.#asOwner(login, password, async () => undefined)
    return result.kind === 'done' ? { kind: 'proven' } : withoutDoubt(result)
  }

  /** Writes the mail password, as its owner. @param hash as `PasswordMaker` makes it */
  async change(login: string, password: Secret, hash: string): Promise<OwnerChange> {
    const { password: attribute } = this.#options.schema.people
    let step: 'before' | 'asked' | 'answered' = 'before'
    const result = await this.#asOwner(login, password, async (session, dn) => {
      step = 'asked'
      await session.replace(dn, attribute, hash)
      step = 'answered'
    })
    // What goes wrong with the farewell changes nothing.
    if (result.kind === 'done' || reached(step, 'answered')) return { kind: 'changed' }
    return result.kind === 'unavailable' && reached(step, 'asked')
      ? { kind: 'unknown', cause: result.cause }
      : result
  }

  async #asOwner(
    login: string,
    password: Secret,
    work: (session: LdapSession, dn: string) => Promise<void>,
  ): Promise<
    | { readonly kind: 'done' }
    | { readonly kind: 'refused' }
    | { readonly kind: 'unavailable' | 'forbidden'; readonly cause: string }
  > {
    const { startTls, writeUrl, url, mostAtOnce = MOST_AT_ONCE } = this.#options
    const length = Buffer.byteLength(password.reveal())
    if (length === 0 || length > LONGEST_PASSWORD) return { kind: 'refused' }
    if (this.#asking >= mostAtOnce) {
      return { kind: 'unavailable', cause: 'too many are asking the directory at once' }
    }
    this.#asking++
    try {
      const found = await this.#dnOf(login)
      const owner = {
        ...this.#options,
        url: writeUrl ?? url,
        // Of two servers one may speak TLS from the start.
        startTls: startTls && !(writeUrl ?? url).startsWith('ldaps:'),
        bindDn: found ?? this.#nobody(login),
        bindPassword: password,
      }
      return await withLdap(owner, new AbortController().signal, async session => {
        // An entry that is none of the people may have the DN that was made up.
        if (found === undefined) return { kind: 'refused' } as const
        await work(session, found)
        return { kind: 'done' } as const
      })
    } catch (error) {
      if (error instanceof LdapTrouble && error.kind === 'denied') return { kind: 'refused' }
      const declined = error instanceof LdapTrouble && error.kind === 'declined'
      return { kind: declined ? 'forbidden' : 'unavailable', cause: messageOf(error) }
    } finally {
      this.#asking--
    }
  }

  /** Found with our own identity, by the filter of the sync: who is none of its people has no mail password. */
  async #dnOf(login: string): Promise<string | undefined> {
    const { people } = this.#options.schema
    const { base } = this.#options
    const filter = `(&${people.filter}(${people.login}=${escaped(login)}))`
    try {
      return await withLdap(this.#options, new AbortController().signal, async session => {
        const found: string[] = []
        for await (const page of session.search(base, people.scope, filter, [people.login])) {
          for (const entry of page) {
            const names = entry.values(people.login).map(canonicalLogin)
            if (names.length === 1 && names[0] === login) found.push(entry.dn)
          }
        }
        // Two entries of one login: nobody can say whose password is meant.
        return found.length === 1 ? found[0] : undefined
      })
    } catch (error) {
      // Here it is our own password that was denied, which says nothing of anybody else's.
      throw new Error(`the reading identity: ${messageOf(error)}`, { cause: error })
    }
  }

  /** A DN that asks the directory for as much as anybody's. A name without a character is none (RFC 4514 section 3). */
  #nobody(login: string): string {
    return `${this.#options.schema.people.login}=${escaped(login || 'nobody')},${this.#options.base}`
  }
}

function withoutDoubt(result: Exclude<OwnerChange, { kind: 'changed' }>): Proof {
  return result.kind === 'refused' ? result : { kind: 'unavailable', cause: result.cause }
}

/** Not the compiler: it takes what a callback assigns for unassigned. */
function reached(step: string, wanted: 'asked' | 'answered'): boolean {
  return step === wanted
}

/** For filters (RFC 4515 section 3) and DNs (RFC 4514 section 2.4): whatever is no letter or digit, as its octets. */
function escaped(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9]/gu, character =>
    Array.from(Buffer.from(character), o => `\\${o.toString(16).padStart(2, '0')}`).join(''),
  )
}
