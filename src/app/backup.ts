import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { chown, copyFile, mkdir, open, readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'

import Database from 'better-sqlite3'

import { writeAtomically } from '../base/atomic-file.ts'
import { codeOf, messageOf, Problem } from '../base/problem.ts'
import { BodyFolder } from '../relay/queue/body-files/body-folder.ts'
import { BodyHold } from '../relay/queue/body-files/body-hold.ts'

const MANIFEST = 'backup.json'
/** What the kernel makes anew, and what a running daemon has open for itself. */
const NOT_KEPT = /^(?:lock\.sqlite.*|.*\.sock|.*-(?:wal|shm|journal)|.*\.next)$/
/** How much is copied before others get a turn: 8 MiB. */
const PAGES_A_STEP = 2048

/** One file of a backup, or of a state folder. */
export interface KeptFile {
  /** `queue.sqlite`, or `queue.bodies/0123…` for a large message. */
  readonly name: string
  /** Octets. */
  readonly size: number
  readonly sha256: string
}

/** What a backup says of itself, in its backup.json: written last, so that a backup without one is none. */
export interface Manifest {
  /** ISO 8601. */
  readonly madeAt: string
  readonly version: string
  readonly files: readonly KeptFile[]
}

/**
 * Copies a state folder while a daemon works in it: each database as it was at one moment, by SQLite's own online backup, with
 * the large messages that it names, and everything else as a file. Nothing in the state is changed.
 *
 * @param target absent, or an empty folder; made with mode 0700, for there are letters and hashes in it
 * @throws Problem where the target is in use or cannot be written, or the state cannot be read
 */
export async function backUp(
  state: string,
  target: string,
  options: {
    readonly version: string
    readonly now: number
    readonly progress?: (file: string, share: number) => void
  },
): Promise<Manifest> {
  const names = await contentsOf(state)
  await makeEmpty(target)
  const files: KeptFile[] = []
  for (const name of names) {
    const from = join(state, name)
    const to = join(target, name)
    const copies = [name]
    try {
      if (name.endsWith('.sqlite')) {
        copies.push(...(await copyDatabase(from, to, share => options.progress?.(name, share))))
      } else await copyFile(from, to)
    } catch (error) {
      throw new Problem(`cannot back up ${from}: ${messageOf(error)}`)
    }
    for (const copy of copies) {
      await keepPrivate(join(target, copy))
      files.push(await described(target, copy))
    }
    options.progress?.(name, 1)
  }
  const manifest = { madeAt: new Date(options.now).toISOString(), version: options.version, files }
  await writeAtomically(join(target, MANIFEST), `${JSON.stringify(manifest, undefined, 2)}\n`)
  return manifest
}

/**
 * Reads a backup's manifest and holds every file against it.
 *
 * @throws Problem that names every file that is absent or not what it was
 */
export async function readBackup(backup: string): Promise<Manifest> {
  const text = await readFile(join(backup, MANIFEST), 'utf8').catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error
    throw new Problem(
      `${backup} is no whole backup: it has no ${MANIFEST}, which is written last; take another one`,
    )
  })
  const manifest = parsed(text, backup)
  const problems: string[] = []
  for (const file of manifest.files) {
    const found = await described(backup, file.name).catch(() => undefined)
    if (found === undefined) problems.push(`${join(backup, file.name)} is not there`)
    else if (found.sha256 !== file.sha256) {
      problems.push(`${join(backup, file.name)} is not what it was when the backup was made`)
    }
  }
  if (problems.length > 0) throw new Problem([...problems, 'take another backup'].join('\n'))
  return manifest
}

/**
 * Puts the files of a backup into a state folder that has none of them.
 *
 * @param state a folder that this process holds
 * @throws Problem where it has a state already, or the backup is not whole
 */
export async function restore(backup: string, state: string): Promise<Manifest> {
  const manifest = await readBackup(backup)
  const there = [...(await contentsOf(state)), ...(await lettersIn(state))]
  if (there.length > 0) {
    throw new Problem(
      `${state} has a state already (${there.join(', ')}); move it aside, or name an absent folder with --state`,
    )
  }
  const { uid, gid } = await stat(state)
  // Root restores for the user that the service runs as.
  const handOver = async (path: string): Promise<void> => {
    if (process.getuid?.() === 0) await chown(path, uid, gid)
  }
  for (const { name } of manifest.files) {
    const path = join(state, name)
    if (dirname(name) !== '.' && (await mkdir(dirname(path), { recursive: true, mode: 0o700 }))) {
      await handOver(dirname(path))
    }
    await copyFile(join(backup, name), path)
    await keepPrivate(path)
    await handOver(path)
  }
  return manifest
}

async function contentsOf(state: string): Promise<string[]> {
  const entries = await readdir(state, { withFileTypes: true }).catch((error: unknown) => {
    throw new Problem(`cannot read the state folder ${state}: ${messageOf(error)}`)
  })
  return entries
    .filter(entry => entry.isFile() && !NOT_KEPT.test(entry.name))
    .map(({ name }) => name)
    .toSorted()
}

/** Folders with large messages, which are nothing without their queue. */
async function lettersIn(state: string): Promise<string[]> {
  const entries = await readdir(state, { withFileTypes: true })
  const folders = entries.filter(entry => entry.isDirectory() && entry.name.endsWith('.bodies'))
  const contents = await Promise.all(folders.map(({ name }) => readdir(join(state, name))))
  return folders.map(({ name }) => name).filter((_, i) => (contents[i] ?? []).length > 0)
}

async function makeEmpty(target: string): Promise<void> {
  try {
    await mkdir(target, { recursive: true, mode: 0o700 })
    if ((await readdir(target)).length === 0) return
  } catch (error) {
    throw new Problem(`cannot write the backup to ${target}: ${messageOf(error)}`)
  }
  throw new Problem(`${target} is not empty: name a folder that is absent or empty`)
}

/** @returns the copies of the large messages that it names, as seen from its own folder */
async function copyDatabase(
  from: string,
  to: string,
  progress: (share: number) => void,
): Promise<string[]> {
  const database = new Database(from, { readonly: true, fileMustExist: true })
  // One read transaction for all steps: a database that is written to meanwhile would begin the copy anew each time.
  const hold = await BodyHold.of(from, database)
  try {
    await database.backup(to, {
      progress: ({ totalPages, remainingPages }) => {
        progress(totalPages === 0 ? 1 : 1 - remainingPages / totalPages)
        return PAGES_A_STEP
      },
    })
    const folder = BodyFolder.of(to)
    const copies: string[] = []
    for (const name of hold.names(database)) {
      folder.create()
      await copyFile(hold.file(name), folder.file(name))
      copies.push(join(basename(folder.path), name))
    }
    return copies
  } finally {
    await hold.release()
    database.close()
  }
}

/** For the owner alone, and on the disk. */
async function keepPrivate(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.chmod(0o600)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function described(folder: string, name: string): Promise<KeptFile> {
  const path = join(folder, name)
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return { name, size: (await stat(path)).size, sha256: hash.digest('hex') }
}

function parsed(text: string, backup: string): Manifest {
  const broken = new Problem(`${join(backup, MANIFEST)} is damaged; take another backup`)
  let found: unknown
  try {
    found = JSON.parse(text)
  } catch {
    throw broken
  }
  if (typeof found !== 'object' || found === null || !('files' in found)) throw broken
  const manifest = found as Manifest
  const plain = /^(?:[A-Za-z0-9][A-Za-z0-9._-]*\.bodies\/)?[A-Za-z0-9][A-Za-z0-9._-]*$/
  if (!Array.isArray(manifest.files)) throw broken
  if (!manifest.files.every(({ name }) => typeof name === 'string' && plain.test(name))) {
    throw broken
  }
  return manifest
}
