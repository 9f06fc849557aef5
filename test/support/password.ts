import { createHash, randomBytes } from 'node:crypto'

/** An LDAP hash of a password, quick to make and to verify. For tests: see docs for what to use. */
export function ssha(password: string): string {
  const salt = randomBytes(8)
  const digest = createHash('sha1').update(password).update(salt).digest()
  return `{SSHA}${Buffer.concat([digest, salt]).toString('base64')}`
}
