import type { Clock } from '../base/clock.ts'
import { messageOf, Problem } from '../base/problem.ts'
import { isLockMark, stateOf } from './account-state.ts'
import type { Rejection } from './account.ts'
import { newestOf, notAfter, overlapBefore, timeOf } from './csn.ts'
import {
  LdapTrouble,
  withLdap,
  type LdapConnection,
  type LdapEntry,
  type LdapSession,
} from './ldap-session.ts'
import { localPartOf, rolesOfLogins, type Role } from './roles.ts'
import { attributesOf, type DirectorySchema } from './schema.ts'
import type { DirectorySource, SourceEntry, SourceReading, SourceState } from './source.ts'

export interface LdapSourceOptions extends LdapConnection {
  readonly name: string
  /** DN under which the people are. */
  readonly base: string
  /** DN under which the roles are; the base of the people if undefined. */
  readonly roleBase?: string
  readonly schema: DirectorySchema
  /** Own domains: a forward to an address elsewhere makes nobody a sender. */
  readonly domains: readonly string[]
  /** Milliseconds for one whole reading. */
  readonly readTimeout: number
  readonly clock: Clock
}

// A bound for memory, far above any directory of people.
const MOST_ENTRIES = 1_000_000

interface Found<T> {
  readonly found: readonly T[]
  /** The newest change number of them, '' where they have none. */
  readonly newest: string
}

/** Logins from an LDAP server, read by paging with an identity of our own. */
export class LdapSource implements DirectorySource {
  readonly name: string
  readonly #options: LdapSourceOptions
  /** Of the last full reading: roles of each login. An increment finds no change of a role, or is not used. */
  #granted: ReadonlyMap<string, readonly string[]> = new Map()

  constructor(options: LdapSourceOptions) {
    this.name = options.name
    this.#options = options
    const url = new URL(options.url)
    const loopback = /^(?:127\.|localhost$|\[::1\]$)/.test(url.hostname)
    if (url.protocol !== 'ldaps:' && !options.startTls && !loopback) {
      throw new Problem(`${options.url} would carry passwords in clear text: use ldaps or StartTLS`)
    }
    // RFC 4513 section 5.1.2: a bind with a name and no password succeeds, as nobody.
    if (options.bindDn === '' || options.bindPassword.reveal() === '') {
      throw new Problem(`source ${options.name} needs a bind DN and its password`)
    }
  }

  async read(known: SourceState | undefined, signal: AbortSignal): Promise<SourceReading> {
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), this.#options.readTimeout)
    try {
      return await withLdap(this.#options, AbortSignal.any([signal, late.signal]), session =>
        this.#readIn(session, known),
      )
    } catch (error) {
      if (late.signal.aborted && !signal.aborted) {
        return { kind: 'failed', cause: 'the reading took too long' }
      }
      if (error instanceof LdapTrouble && error.kind === 'refused') {
        return { kind: 'refused', reason: error.message }
      }
      return { kind: 'failed', cause: messageOf(error) }
    } finally {
      clearTimeout(timer)
    }
  }

  async #readIn(session: LdapSession, known: SourceState | undefined): Promise<SourceReading> {
    // BEFORE anything else is read: a change that comes in between is then read twice, not missed.
    const mark = await this.#mark(session)
    if (known !== undefined && mark !== '' && mark === known.mark) {
      return { kind: 'unchanged', state: known }
    }
    // Several masters stamp with several clocks, and what arrives late from another would be overlooked.
    const several = mark.includes(' ')
    if (known !== undefined && mark !== '' && known.from !== '' && !several) {
      const increment = await this.#readChanges(session, mark, known.from)
      if (increment !== undefined) return increment
    }
    return this.#readAll(session, mark)
  }

  async #readAll(session: LdapSession, mark: string): Promise<SourceReading> {
    const roles = await this.#readRoles(session)
    const granted = rolesOfLogins(roles.found, target => localPartOf(target, this.#options.domains))
    const people = await this.#readPeople(session, granted)
    const notes = await this.#identify(session)
    this.#granted = granted
    return {
      kind: 'full',
      // Without a mark nothing tells when an increment is due.
      state: { mark, from: notAfter(newestOf([people.newest, roles.newest]), mark) },
      entries: people.found,
      notes,
    }
  }

  /** @returns undefined where only a full reading will do: a role has changed, and with it who may send as it */
  async #readChanges(
    session: LdapSession,
    mark: string,
    from: string,
  ): Promise<SourceReading | undefined> {
    const since = `(entryCSN>=${overlapBefore(from)})`
    if ((await this.#readRoles(session, since)).newest > from) return undefined
    const people = await this.#readPeople(session, this.#granted, since)
    const notes = await this.#identify(session)
    return {
      kind: 'incremental',
      state: { mark, from: notAfter(newestOf([from, people.newest]), mark) },
      entries: people.found,
      notes,
    }
  }

  #readPeople(
    session: LdapSession,
    granted: ReadonlyMap<string, readonly string[]>,
    since = '',
  ): Promise<Found<SourceEntry>> {
    const { base, schema } = this.#options
    return this.#collect(session, base, schema.people, since, entry => this.#entry(entry, granted))
  }

  async #readRoles(session: LdapSession, since = ''): Promise<Found<Role>> {
    const { base, roleBase = base, schema } = this.#options
    if (schema.roles === undefined) return { found: [], newest: '' }
    return this.#collect(session, roleBase, schema.roles, since, entry => this.#role(entry))
  }

  /** The change numbers of the whole tree, one for each master; '' where the server keeps none or hides them. */
  async #mark(session: LdapSession): Promise<string> {
    const root = await session.lookUp('', ['namingContexts'])
    const base = canonicalDn(this.#options.base)
    const suffix = root
      ?.values('namingContexts')
      .find(context => `,${base}`.endsWith(`,${canonicalDn(context)}`))
    if (suffix === undefined) return ''
    const top = await session.lookUp(suffix, ['contextCSN'])
    return [...(top?.values('contextCSN') ?? [])].sort().join(' ')
  }

  /** Entries are made into what they are a page at a time, so that a hundred thousand of them hold nobody up. */
  async #collect<T>(
    session: LdapSession,
    base: string,
    { scope, filter }: { readonly scope: 'one' | 'sub'; readonly filter: string },
    since: string,
    read: (entry: LdapEntry) => T,
  ): Promise<Found<T>> {
    const attributes = ['entryUUID', 'entryCSN', ...attributesOf(this.#options.schema)]
    const found: T[] = []
    let newest = ''
    const wanted = since === '' ? filter : `(&${filter}${since})`
    for await (const page of session.search(base, scope, wanted, attributes)) {
      found.push(...page.map(read))
      newest = newestOf([newest, ...page.flatMap(entry => entry.values('entryCSN'))])
      if (found.length > MOST_ENTRIES) {
        throw new LdapTrouble('refused', `more than ${MOST_ENTRIES} entries`)
      }
    }
    return { found, newest }
  }

  /**
   * Asked AFTER the last page: if the server has come to take us for somebody else in between, or for nobody, what
   * it gave was what nobody may see, and people would lose their passwords by it.
   */
  async #identify(session: LdapSession): Promise<readonly string[]> {
    const identity = await session.whoAmI()
    if (identity === undefined) return ['the server does not answer who-am-I (RFC 4532)']
    if (identity === '') throw new LdapTrouble('refused', 'the directory took us for anonymous')
    const dn = /^dn:(.*)$/is.exec(identity)?.[1]
    if (dn === '') throw new LdapTrouble('refused', 'the directory took us for anonymous')
    if (dn !== undefined && canonicalDn(dn) !== canonicalDn(this.#options.bindDn)) {
      throw new LdapTrouble('refused', 'the directory took us for somebody else')
    }
    return []
  }

  #role(entry: LdapEntry): Role {
    const { roles } = this.#options.schema
    const targets = [roles?.forward, roles?.senders].flatMap(attribute =>
      attribute === undefined ? [] : entry.values(attribute),
    )
    return {
      name: entry.values(roles?.name ?? 'uid')[0] ?? '',
      // A DN has commas of its own.
      forwards: targets.flatMap(target => (target.includes('=') ? [target] : target.split(','))),
    }
  }

  #entry(entry: LdapEntry, granted: ReadonlyMap<string, readonly string[]>): SourceEntry {
    const { people } = this.#options.schema
    // An entry with two names is nobody's: canonicalLogin refuses the space.
    const login = entry.values(people.login).join(' ')
    const values = (attribute: string | undefined): readonly string[] =>
      attribute === undefined ? [] : entry.values(attribute)
    return {
      login,
      uuid: entry.values('entryUUID')[0] ?? '',
      passwords: entry.values(people.password),
      writtenAt: timeOf(entry.values('entryCSN')[0] ?? ''),
      barred: this.#barred(values),
      keys: values(people.keys),
      claims: [...(people.loginIsAddress ? [login] : []), ...people.aliases.flatMap(values)],
      grants: granted.get(login.toLowerCase()) ?? [],
    }
  }

  /** What the entry says against the person, whatever the password is. */
  #barred(values: (attribute: string | undefined) => readonly string[]): Rejection | undefined {
    const { status, expires, lock, groups, excludeGroups = [] } = this.#options.schema.people
    if (lock !== this.#options.schema.people.password && values(lock).some(isLockMark))
      return 'locked'
    const state = stateOf(values(status), values(expires), this.#options.clock())
    if (state !== undefined) return state
    // userdir-ldap writes `group` or `group@host`; only the whole membership is one here.
    return values(groups).some(group => excludeGroups.includes(group)) ? 'excluded' : undefined
  }
}

/** A DN as far as it must be for a comparison: no case, no spaces about the commas and equals signs. */
function canonicalDn(dn: string): string {
  return dn
    .toLowerCase()
    .replaceAll(/\s*([,=+])\s*/g, '$1')
    .trim()
}
