import { execFile } from 'node:child_process'
import { chmodSync, chownSync, lstatSync, mkdirSync, rmSync } from 'node:fs'
import { connect, type Server } from 'node:net'
import { dirname } from 'node:path'
import { promisify } from 'node:util'

import { codeOf, messageOf, Problem } from './problem.ts'

// sun_path of a Unix socket has 108 octets on Linux, 104 on macOS, its NUL included.
const LONGEST_PATH = 103

/**
 * Listens on a Unix socket that our own user and the members of one group can open, and nobody else at any moment.
 *
 * @param group name or number; without one only our own user can
 * @throws Problem where the path or the group cannot be had
 */
export async function listenOnSocket(
  server: Server,
  path: string,
  group: string | undefined,
): Promise<void> {
  if (Buffer.byteLength(path) > LONGEST_PATH) {
    throw new Problem(`${path}: too long for a socket, at most ${LONGEST_PATH} octets`)
  }
  const gid = group === undefined ? undefined : await groupNumber(group)
  try {
    // Whatever our mask is: the group has to get through to it.
    if (mkdirSync(dirname(path), { recursive: true }) !== undefined) chmodSync(dirname(path), 0o755)
    await removeLeftOver(path)
    await bound(server, path)
    if (gid !== undefined) {
      // In a folder with the set-group-ID bit it has its group already.
      if (lstatSync(path).gid !== gid) chownSync(path, -1, gid)
      chmodSync(path, 0o660)
    }
  } catch (error) {
    server.close()
    if (error instanceof Problem) throw error
    throw new Problem(`cannot listen on ${path}: ${reasonOf(error, group)}`)
  }
}

function bound(server: Server, path: string): Promise<void> {
  // The socket is made within this call; with the usual mask anybody of our group, or anybody, could be quicker than chmod.
  const mask = process.umask(0o177)
  try {
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, () => {
        server.off('error', reject)
        resolve()
      })
    })
  } finally {
    process.umask(mask)
  }
}

/** A socket that nobody listens on was left by a process that was killed. */
async function removeLeftOver(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isSocket()) throw new Problem(`${path} is there, and is no socket: name another path`)
  const alive = await new Promise<boolean>(resolve => {
    const probe = connect(path)
    probe.once('connect', () => resolve(true))
    probe.once('error', error => resolve(codeOf(error) !== 'ECONNREFUSED'))
    probe.once('connect', () => probe.destroy())
  })
  if (alive) throw new Problem(`another program listens on ${path}: name another path`)
  rmSync(path)
}

/** Asks the system, since groups may be in LDAP as well as in /etc/group. */
async function groupNumber(group: string): Promise<number> {
  if (/^\d+$/.test(group)) return Number(group)
  try {
    const { stdout } = await promisify(execFile)('getent', ['group', '--', group])
    const number = stdout.split(':')[2]
    if (number !== undefined && /^\d+$/.test(number)) return Number(number)
  } catch {
    // It says so with an exit code.
  }
  throw new Problem(
    `there is no group ${group} on this host: make it with groupadd --system ${group}`,
  )
}

function reasonOf(error: unknown, group: string | undefined): string {
  if (codeOf(error) === 'EPERM' && group !== undefined) {
    return `the user that mailcanary runs as is not in the group ${group}: add it there`
  }
  if (codeOf(error) === 'EACCES') return 'no right to write in that folder'
  return messageOf(error)
}
