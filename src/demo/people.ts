import { createHash, randomBytes } from 'node:crypto'

/** An entry of the demo's directory; attribute names as the schema spells them. */
export interface DirectoryEntry {
  readonly dn: string
  readonly attributes: Readonly<Record<string, readonly string[]>>
}

export const BASE_DN = 'dc=example,dc=org'
export const PEOPLE_DN = `ou=users,${BASE_DN}`
export const SYNC_DN = `cn=relaysync,${BASE_DN}`

/** Whom the demo's own password opens: test data, in every reader's hands. */
export const DEMO_PASSWORD = 'canary-demo'

/** The password of everybody's account in the directory, which changes the other one. */
export const DEMO_DIRECTORY_PASSWORD = 'directory-demo'

// `canary-demo` in three of the schemes that directories hold.
const SHA512_CRYPT =
  '{crypt}$6$testsalt$kNsZqvWd0/1LkUSwSw84vAvyX/Kn0K9oEmJ73G.vjmTxxR5Z7Iytgh72R6qTf87ND8tLG0PABoVt3W0vqbQlO.'
const SHA256_CRYPT = '{CRYPT}$5$testsalt$kLjdeerLSkdlh4tHHwPEQyBynlYrdC08gQD0HUhwP03'
const SALTED_SHA =
  '{SSHA512}cKV0NffHNdhR40IErbuJ5r5W7UFwOvjR/MK0Q1nMeEJHx7ny8UkbJ057Vx6k2mIfSWtyrwIBjG2TfsfW6HHcvnRlc3RzYWx0'

const CHANGE_NUMBER = '20261101000000.000000Z#000000#000#000000'

/**
 * The people of example.org, in the schema of userdir-ldap.
 *
 * @param canaryPassword of the login `canary`, which only the prober knows
 */
export function demoEntries(canaryPassword: string): readonly DirectoryEntry[] {
  const root: DirectoryEntry = {
    dn: BASE_DN,
    attributes: {
      objectClass: ['top', 'dcObject', 'organization'],
      dc: ['example'],
      o: ['Example'],
      contextCSN: [CHANGE_NUMBER],
    },
  }
  const users: DirectoryEntry = {
    dn: PEOPLE_DN,
    attributes: { objectClass: ['top', 'organizationalUnit'], ou: ['users'] },
  }
  return [
    root,
    users,
    person(1, 'alice', 'Alice Example', { mailPassword: [SHA512_CRYPT] }),
    person(2, 'bob', 'Bob Example', {
      mailPassword: [SHA256_CRYPT],
      emailForward: ['bob@example.net'],
    }),
    person(3, 'carol', 'Carol Example', { mailPassword: [SALTED_SHA] }),
    person(4, 'canary', 'Mail Canary', {
      mailPassword: [saltedSha512(canaryPassword)],
      // The prober's own: nobody is to change it.
      userPassword: [],
    }),
    // Locked as userdir-ldap locks: the status and the expiry say so, whatever the mail password says.
    person(5, 'mallory', 'Mallory Example', {
      mailPassword: [SHA512_CRYPT],
      accountStatus: ['inactive 2026-01-01'],
      shadowExpire: ['1'],
    }),
    role(6, 'postmaster', ['alice@example.org']),
    role(7, 'press', ['alice@example.org', 'bob@example.org']),
  ]
}

function person(
  number: number,
  uid: string,
  cn: string,
  more: DirectoryEntry['attributes'],
): DirectoryEntry {
  return entry(number, uid, {
    objectClass: ['top', 'inetOrgPerson', 'debianAccount', 'debianDeveloper', 'shadowAccount'],
    cn: [cn],
    sn: [cn.split(' ').at(-1) ?? cn],
    uidNumber: [String(2000 + number)],
    gidNumber: [String(2000 + number)],
    userPassword: [DEMO_DIRECTORY_PASSWORD],
    ...more,
  })
}

function role(number: number, uid: string, emailForward: readonly string[]): DirectoryEntry {
  return entry(number, uid, { objectClass: ['top', 'debianRoleAccount'], emailForward })
}

function entry(
  number: number,
  uid: string,
  attributes: DirectoryEntry['attributes'],
): DirectoryEntry {
  return {
    dn: `uid=${uid},${PEOPLE_DN}`,
    attributes: {
      ...attributes,
      uid: [uid],
      entryUUID: [`00000000-0000-4000-8000-${String(number).padStart(12, '0')}`],
      entryCSN: [CHANGE_NUMBER],
    },
  }
}

function saltedSha512(password: string): string {
  const salt = randomBytes(8)
  const digest = createHash('sha512').update(password).update(salt).digest()
  return `{SSHA512}${Buffer.concat([digest, salt]).toString('base64')}`
}
