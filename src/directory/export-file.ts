import { inPortions } from '../base/portions.ts'
import type { Rejection } from './account.ts'
import type { SourceEntry } from './source.ts'

/**
 * Reads lines of `uid:hash`, as ud-generate writes them, and Dovecot's passwd-file, `user:password:uid:gid:...`:
 * the first colon ends the name, the second the password, since no hash has a colon in it.
 *
 * @param domains own domains: `user@own.domain` is the login `user` (Dovecot's username_format=%n)
 * @param barred what is said elsewhere against a login, in lower case
 * @returns undefined for a file whose last line is not ended: half of it may be missing
 */
export async function parseExportFile(
  text: string,
  domains: readonly string[],
  barred: (login: string) => Rejection | undefined,
): Promise<readonly SourceEntry[] | undefined> {
  if (!text.endsWith('\n')) return undefined
  const entries: SourceEntry[] = []
  await inPortions(text.split('\n'), line => {
    if (line.trim() === '' || line.startsWith('#')) return
    const [name = '', password, ...extra] = line.replace(/\r$/, '').split(':')
    const at = name.lastIndexOf('@')
    const login = domains.includes(name.slice(at + 1).toLowerCase()) ? name.slice(0, at) : name
    entries.push({
      login,
      uuid: '',
      passwords: password === undefined || password === '' ? [] : [password],
      // Dovecot would let this login in from some networks only, or not at all. We cannot keep that promise.
      barred: /\b(?:allow_nets|nologin)\b/.test(extra.join(':'))
        ? 'restricted'
        : barred(login.toLowerCase()),
      claims: [login],
      grants: [],
    })
  })
  return entries
}

/**
 * Logins that all-accounts.json calls inactive. It is stricter than the export itself, which leaves out who is
 * locked or retired but not who has expired.
 *
 * @returns undefined for anything but a list of accounts
 */
export function parseInactive(text: string): ReadonlySet<string> | undefined {
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!Array.isArray(list)) return undefined
  const inactive = new Set<string>()
  for (const item of list as unknown[]) {
    if (typeof item !== 'object' || item === null || !('uid' in item)) return undefined
    if (typeof item.uid !== 'string') return undefined
    if ('active' in item && item.active === false) inactive.add(item.uid.toLowerCase())
  }
  return inactive
}
