import { userInfo } from 'node:os'

/**
 * Who asks, for the record: `root (uid 0)`, `anna (uid 1000) as root (uid 0)`. The kernel vouches for the process's
 * owner; the name before it is sudo's word.
 */
export function operatorName(
  env: Readonly<Record<string, string | undefined>> = process.env,
  owner: { readonly name: string; readonly uid: number } = processOwner(),
): string {
  const own = `${owner.name} (uid ${owner.uid})`
  const { SUDO_USER: name = '', SUDO_UID: uid = '' } = env
  if (!/^[\w.@-]{1,64}$/.test(name) || name === owner.name) return own
  return `${name}${/^\d{1,10}$/.test(uid) ? ` (uid ${uid})` : ''} as ${own}`
}

function processOwner(): { readonly name: string; readonly uid: number } {
  const uid = process.getuid?.() ?? -1
  try {
    return { name: userInfo().username, uid }
  } catch {
    // A container may run under a number that nobody has named.
    return { name: 'nameless', uid }
  }
}
