/** One role account: mail to its name goes to others, and they may send in its name. */
export interface Role {
  readonly name: string
  /** Logins, roles, or addresses of either. */
  readonly forwards: readonly string[]
}

/** More roles in a row than this are taken for a mistake, and a circle ends here too. */
const LONGEST_CHAIN = 5

/**
 * Follows forwards from role to role to the logins at their end.
 *
 * @param localPart what an address or DN means at this organisation, undefined for one that lies elsewhere
 * @returns the roles of every login, in lower case. Names are not checked to be logins: nobody else asks for them.
 */
export function rolesOfLogins(
  roles: readonly Role[],
  localPart: (target: string) => string | undefined,
): ReadonlyMap<string, readonly string[]> {
  const targets = new Map<string, ReadonlySet<string>>()
  for (const role of roles) {
    const name = role.name.toLowerCase()
    const local = role.forwards.flatMap(forward => localPart(forward) ?? [])
    targets.set(name, new Set([...(targets.get(name) ?? []), ...local]))
  }
  const granted = new Map<string, Set<string>>()
  for (const role of targets.keys()) {
    let reached: ReadonlySet<string> = new Set([role])
    for (let step = 0; step < LONGEST_CHAIN && reached.size > 0; step++) {
      const next = new Set<string>()
      for (const name of reached) {
        for (const target of targets.get(name) ?? []) {
          if (targets.has(target)) next.add(target)
          else granted.set(target, (granted.get(target) ?? new Set()).add(role))
        }
      }
      reached = next
    }
  }
  return new Map([...granted].map(([login, names]) => [login, [...names].sort()]))
}

/** The local part of what a forward or a grant names: `alice`, `alice@own.domain`, `uid=alice,ou=users,...`. */
export function localPartOf(target: string, domains: readonly string[]): string | undefined {
  const text = target.trim().toLowerCase()
  const dn = /^uid=([^,+]+),/.exec(text)
  if (dn !== null) return dn[1]
  const at = text.lastIndexOf('@')
  if (at < 0) return text === '' ? undefined : text
  return domains.includes(text.slice(at + 1)) ? text.slice(0, at) : undefined
}
