/** Where in an LDAP directory things are: data, not code, so that another directory is another row. */
export interface DirectorySchema {
  readonly people: {
    readonly filter: string
    readonly scope: 'one' | 'sub'
    readonly login: string
    readonly password: string
    /** Further addresses of the person, `local@domain`. OWNERS MAY WRITE IT in many directories: see addresses.ts. */
    readonly aliases: readonly string[]
    /** Whether the login itself is the local part of an address of its owner. */
    readonly loginIsAddress: boolean
    /** accountStatus of userdir-ldap: inactive, memorial, retiring DATE. */
    readonly status?: string
    /** shadowExpire: days since the epoch. */
    readonly expires?: string
    /** Another password of the person, whose marks (`{CRYPT}*LK*`, `{CRYPT}!`) lock all of the account. Often unreadable. */
    readonly lock?: string
    /** Groups of the person; `excludeGroups` are those whose people may not send. */
    readonly groups?: string
    readonly excludeGroups?: readonly string[]
    /** Public keys of SSH, in the form of authorized_keys. */
    readonly keys?: string
  }
  /** Role accounts: entries without a password whose name is an address of those they forward to. */
  readonly roles?: {
    readonly filter: string
    readonly scope: 'one' | 'sub'
    readonly name: string
    /** Where its mail goes: a login, a role, or an address of either. */
    readonly forward: string
    /** Further logins that may send as the role: uid, address or DN. */
    readonly senders?: string
  }
}

/** Debian's userdir-ldap, with a password attribute of its own for mail. */
const USERDIR_LDAP: DirectorySchema = {
  people: {
    filter: '(&(uid=*)(!(uidNumber=0))(objectClass=shadowAccount))',
    scope: 'one',
    login: 'uid',
    password: 'mailPassword',
    aliases: [],
    loginIsAddress: true,
    status: 'accountStatus',
    expires: 'shadowExpire',
    lock: 'userPassword',
    groups: 'supplementaryGid',
    keys: 'sshRSAAuthKey',
  },
  roles: {
    filter: '(&(uid=*)(objectClass=debianRoleAccount))',
    scope: 'one',
    name: 'uid',
    forward: 'emailForward',
  },
}

/** RFC 2798 people with the ordinary password, as any LDAP server has them. */
const INETORGPERSON: DirectorySchema = {
  people: {
    filter: '(&(uid=*)(objectClass=inetOrgPerson))',
    scope: 'sub',
    login: 'uid',
    password: 'userPassword',
    aliases: ['mail'],
    loginIsAddress: true,
    expires: 'shadowExpire',
    keys: 'sshPublicKey',
  },
}

export const SCHEMAS = { 'userdir-ldap': USERDIR_LDAP, inetorgperson: INETORGPERSON } as const

/** Every attribute that a schema looks at, each once. */
export function attributesOf({ people, roles }: DirectorySchema): readonly string[] {
  const { login, password, aliases, status, expires, lock, groups, keys } = people
  const named = [login, password, ...aliases, status, expires, lock, groups, keys]
  const ofRoles = [roles?.name, roles?.forward, roles?.senders]
  return [...new Set([...named, ...ofRoles].filter(name => name !== undefined))]
}
