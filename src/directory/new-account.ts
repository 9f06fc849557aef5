import { randomInt } from 'node:crypto'

import { readSshKey } from './ssh-key.ts'

/** What a new account has to have, to be added to a directory. */
export interface NewAccount {
  readonly login: string
  readonly name: string
  /** `{crypt}$6$...` */
  readonly hash: string
  /** DN under which the people are. */
  readonly base: string
  /** Attribute with the login, where that is not uid alone. */
  readonly loginAttribute: string
  /** Attribute with the mail password. */
  readonly passwordAttribute: string
  /** First own domain: the address is login@domain. */
  readonly domain: string
  /** Lines of authorized_keys, and the attribute that has them. */
  readonly keys: readonly string[]
  readonly keyAttribute: string | undefined
  /** userdir-ldap wants numbers: uidNumber and gidNumber. */
  readonly number: number | undefined
}

type Line = readonly [attribute: string, value: string]

/** Letters that look like others are left out, so that a password can be read out over the telephone. */
const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789'

/** A password nobody has chosen: 24 letters of 32, 120 bits, in groups. */
export function newPassword(): string {
  const letters = Array.from({ length: 24 }, () => LETTERS.charAt(randomInt(LETTERS.length)))
  return [0, 6, 12, 18].map(start => letters.slice(start, start + 6).join('')).join('-')
}

/**
 * The entry in LDIF (RFC 2849), ready for ldapadd.
 *
 * @param schema the preset of the configuration
 * @returns the problems instead, as sentences
 */
export function newAccountLdif(
  account: NewAccount,
  schema: 'userdir-ldap' | 'inetorgperson',
): { readonly ldif: string } | { readonly problems: readonly string[] } {
  const { login, name, hash, base, number, keys, keyAttribute, passwordAttribute } = account
  const problems: string[] = []
  // Without a character that would mean something in a DN (RFC 4514 section 2.4) or to a shell.
  if (!/^[a-z][a-z0-9._-]{0,31}$/.test(login)) {
    problems.push(
      `${login}: a new login has small letters, digits and ._-, begins with a letter, and is no longer than 32`,
    )
  }
  if (name.trim() === '' || /[\u0000-\u001f\u007f]/.test(name))
    problems.push('the name is empty, or has a control character in it')
  for (const key of keys) {
    if (readSshKey(key) === undefined)
      problems.push(
        'a line with a key is none that is taken: type, key and comment, without options',
      )
  }
  if (schema === 'userdir-ldap' && number === undefined) {
    problems.push('userdir-ldap wants a number: --uid-number N')
  }
  if (keys.length > 0 && keyAttribute === undefined)
    problems.push('the schema has no attribute for SSH keys')
  if (problems.length > 0) return { problems }
  const words = name.trim().split(/\s+/)
  // The class of docs/directory.md is there for what inetOrgPerson has no room for.
  const extended = keys.length > 0 || passwordAttribute.toLowerCase() !== 'userpassword'
  const classes =
    schema === 'userdir-ldap'
      ? ['inetOrgPerson', 'debianAccount', 'debianDeveloper', 'shadowAccount']
      : ['inetOrgPerson', ...(extended ? ['mailSubmitter'] : [])]
  const lines: Line[] = [
    ['dn', `uid=${login},${base}`],
    ...classes.map((one): Line => ['objectClass', one]),
    ['cn', name.trim()],
    ['sn', words.at(-1) ?? login],
    ['uid', login],
    ...(account.loginAttribute.toLowerCase() === 'uid'
      ? []
      : ([[account.loginAttribute, login]] as const)),
    ...(number === undefined
      ? []
      : ([
          ['uidNumber', String(number)],
          ['gidNumber', String(number)],
        ] as const)),
    ...(schema === 'inetorgperson' ? ([['mail', `${login}@${account.domain}`]] as const) : []),
    ...keys.map((key): Line => [keyAttribute ?? '', key]),
    [passwordAttribute, hash],
  ]
  return { ldif: lines.map(ldifLine).join('') }
}

/** RFC 2849: base 64 for what is not safe as it is. */
function ldifLine([attribute, value]: Line): string {
  const safe = /^[!-9;=-~][ -~]*$/.test(value) && !value.endsWith(' ')
  return safe
    ? `${attribute}: ${value}\n`
    : `${attribute}:: ${Buffer.from(value).toString('base64')}\n`
}
