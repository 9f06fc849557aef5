import { DAY } from '../base/clock.ts'
import type { Rejection } from './account.ts'

/** userdir-ldap keeps a retiring account for six months of 31 days. */
const RETIRING_DAYS = 6 * 31

/**
 * What accountStatus and shadowExpire say against a login, by the rules of userdir-ldap (UDLdap.py). ud-lock sets
 * shadowExpire to 1, so a fresh lock is seen here even while the status still says `retiring`.
 *
 * @param now milliseconds since the epoch
 */
export function stateOf(
  status: readonly string[],
  expires: readonly string[],
  now: number,
): Rejection | undefined {
  const today = Math.floor(now / DAY)
  if (expires.some(days => /^\d+$/.test(days) && Number(days) < today)) return 'expired'
  return status.some(word => isRetired(word, now)) ? 'retired' : undefined
}

/**
 * Whether a password is the mark of a locked account: `{CRYPT}*LK*` of userdir-ldap's ud-lock, `{CRYPT}!` of passwd -l, and a
 * `!` put before any other hash, which cannot begin with one. `{crypt}*SSLRESET*` waits for a new password, and is active.
 */
export function isLockMark(password: string): boolean {
  return /^\{(?:crypt|s?md5|s?sha\d*)\}(?:\*LK\*|!)/i.test(password)
}

function isRetired(status: string, now: number): boolean {
  const [word = '', date = ''] = status.trim().toLowerCase().split(/\s+/)
  if (word === 'inactive' || word === 'memorial') return true
  if (word !== 'retiring') return false
  const since = /^\d{4}-\d{2}-\d{2}$/.test(date) ? Date.parse(`${date}T00:00:00Z`) : NaN
  return now - since > RETIRING_DAYS * DAY
}
