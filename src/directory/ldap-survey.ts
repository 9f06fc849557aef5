import { withLdap, type LdapConnection, type LdapEntry, type LdapSession } from './ldap-session.ts'
import { SCHEMAS } from './schema.ts'

/** What a directory turned out to be, as far as the reading account can see. */
export interface LdapSurvey {
  readonly schema: keyof typeof SCHEMAS
  /** The deepest DN that everybody is below. */
  readonly base: string
  readonly passwordAttribute: string
  readonly people: number
  /** How many of them have a value there that this account may read. */
  readonly withPassword: number
}

export interface SurveyWishes {
  /** Where to look; everywhere unless told. */
  readonly base?: string
  readonly schema?: keyof typeof SCHEMAS
  readonly passwordAttribute?: string
}

// Those that tell userdir-ldap from other directories; people of both can be inetOrgPerson.
const USERDIR_CLASSES = new Set(['debianaccount', 'debiandeveloper', 'debianroleaccount'])

/**
 * Looks at a directory and tells how it is to be read: which schema, where the people are, which attribute has their
 * passwords. What was wished for is believed.
 *
 * @returns undefined where nobody was found
 * @throws LdapTrouble
 */
export function surveyLdap(
  connection: LdapConnection,
  wishes: SurveyWishes,
  signal: AbortSignal,
): Promise<LdapSurvey | undefined> {
  return withLdap(connection, signal, async session => {
    const bases = wishes.base === undefined ? await contextsOf(session) : [wishes.base]
    const people: LdapEntry[] = []
    for (const base of bases) people.push(...(await peopleBelow(session, base)))
    if (people.length === 0) return undefined
    const schema = wishes.schema ?? schemaOf(people)
    const passwordAttribute = wishes.passwordAttribute ?? passwordAttributeOf(people, schema)
    return {
      schema,
      base: wishes.base ?? commonBase(people.map(({ dn }) => dn)),
      passwordAttribute,
      people: people.length,
      withPassword: people.filter(person => person.values(passwordAttribute).length > 0).length,
    }
  })
}

async function contextsOf(session: LdapSession): Promise<readonly string[]> {
  const root = await session.lookUp('', ['namingContexts'])
  return root?.values('namingContexts') ?? []
}

async function peopleBelow(session: LdapSession, base: string): Promise<readonly LdapEntry[]> {
  const found: LdapEntry[] = []
  const filter = '(&(uid=*)(|(objectClass=inetOrgPerson)(objectClass=shadowAccount)))'
  const attributes = ['objectClass', 'mailPassword', 'userPassword']
  for await (const page of session.search(base, 'sub', filter, attributes)) found.push(...page)
  return found
}

function schemaOf(people: readonly LdapEntry[]): keyof typeof SCHEMAS {
  const isUserdir = people.some(person =>
    person.values('objectClass').some(name => USERDIR_CLASSES.has(name.toLowerCase())),
  )
  return isUserdir ? 'userdir-ldap' : 'inetorgperson'
}

/** One for mail alone wins where anybody has it. */
function passwordAttributeOf(people: readonly LdapEntry[], schema: keyof typeof SCHEMAS): string {
  if (people.some(person => person.values('mailPassword').length > 0)) return 'mailPassword'
  return SCHEMAS[schema].people.password
}

function commonBase(dns: readonly string[]): string {
  // A comma within a value has a backslash before it (RFC 4514 section 2.4).
  const [first = [], ...others] = dns.map(dn =>
    dn
      .split(/(?<!\\),\s*/)
      .slice(1)
      .reverse(),
  )
  const depth = first.findIndex((part, i) =>
    others.some(other => other[i]?.toLowerCase() !== part.toLowerCase()),
  )
  return (depth === -1 ? first : first.slice(0, depth)).toReversed().join(',')
}
