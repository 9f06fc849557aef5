import { readFile } from 'node:fs/promises'

import { writeAtomically } from '../base/atomic-file.ts'
import { PORTION } from '../base/portions.ts'
import { codeOf, Problem } from '../base/problem.ts'
import { REJECTIONS, type Account, type Rejection, type Snapshot } from './account.ts'

/** Of the layout of the file: one that is newer or older is not read, since the next sync writes it anew. */
const VERSION = 1

/**
 * Keeps snapshots on disk, readable for the owner only, so that a restart needs no source in reach.
 *
 * @throws the file system's errors; the old file is whole then
 */
export async function saveSnapshots(path: string, snapshots: readonly Snapshot[]): Promise<void> {
  await writeAtomically(path, piecesOf(snapshots))
}

/** The JSON of them, a piece for each portion of accounts: between two, others have their turn. */
function* piecesOf(snapshots: readonly Snapshot[]): Generator<string> {
  yield `{"version":${VERSION},"snapshots":[`
  for (const [index, { source, takenAt, rejected, accounts }] of snapshots.entries()) {
    const head = JSON.stringify({ source, takenAt, rejected }).slice(0, -1)
    yield `${index === 0 ? '' : ','}${head},"accounts":[`
    let piece: string[] = []
    let comma = ''
    for (const account of accounts.values()) {
      piece.push(`${comma}${JSON.stringify(account)}`)
      comma = ','
      if (piece.length < PORTION) continue
      yield piece.join('')
      piece = []
    }
    yield `${piece.join('')}]}`
  }
  yield ']}\n'
}

/**
 * What was kept last, by source.
 *
 * @returns undefined where there is no file yet
 * @throws Problem for a file that is not ours or not whole
 */
export async function loadSnapshots(
  path: string,
): Promise<ReadonlyMap<string, Snapshot> | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw new Problem(`${path} cannot be read: ${codeOf(error)}`)
  }
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    // Not the parser's words: they quote the content.
    throw new Problem(`${path} is not JSON; remove it, and the next sync writes it anew`)
  }
  const snapshots = list(field(content, 'snapshots'))
  if (field(content, 'version') !== VERSION || snapshots === undefined) {
    throw new Problem(`${path} is not a directory snapshot of this version; remove it`)
  }
  return new Map(
    snapshots.map(item => {
      const snapshot = snapshotOf(item)
      if (snapshot === undefined) throw new Problem(`${path} is damaged; remove it`)
      return [snapshot.source, snapshot]
    }),
  )
}

function snapshotOf(item: unknown): Snapshot | undefined {
  const source = field(item, 'source')
  const takenAt = field(item, 'takenAt')
  const accounts = list(field(item, 'accounts'))?.map(accountOf)
  if (typeof source !== 'string' || typeof takenAt !== 'number' || accounts === undefined) {
    return undefined
  }
  const byLogin = new Map<string, Account>()
  let usable = 0
  for (const account of accounts) {
    if (account === undefined) return undefined
    byLogin.set(account.login, account)
    if (account.rejection === undefined) usable++
  }
  const rejected: Partial<Record<Rejection, number>> = {}
  for (const reason of REJECTIONS) {
    const count = field(field(item, 'rejected'), reason)
    if (typeof count === 'number') rejected[reason] = count
  }
  return { source, takenAt, accounts: byLogin, usable, rejected }
}

function accountOf(item: unknown): Account | undefined {
  const login = field(item, 'login')
  const uuid = field(item, 'uuid')
  const hash = field(item, 'hash')
  const cost = field(item, 'cost')
  const claims = texts(field(item, 'claims'))
  const grants = texts(field(item, 'grants'))
  // A snapshot of before there were these is as good as ever.
  const keys = texts(field(item, 'keys') ?? [])
  const [unusableKeys, passwordSeenAt, passwordWrittenAt] = [
    'unusableKeys',
    'passwordSeenAt',
    'passwordWrittenAt',
  ].map(name => Number(field(item, name) ?? 0))
  const reason = field(item, 'rejection')
  const changedAt = field(item, 'changedAt')
  if (typeof login !== 'string' || typeof uuid !== 'string') return
  if (typeof hash !== 'string' || typeof cost !== 'string') return
  if (claims === undefined || grants === undefined || typeof changedAt !== 'number') return
  if (keys === undefined || unusableKeys === undefined) return
  if (passwordSeenAt === undefined || passwordWrittenAt === undefined) return
  const rejection = REJECTIONS.find(known => known === reason)
  // A reason we do not know must not come out as a login that works.
  if (reason !== undefined && rejection === undefined) return
  return {
    login,
    uuid,
    hash,
    cost,
    keys,
    unusableKeys,
    claims,
    grants,
    rejection,
    passwordSeenAt,
    passwordWrittenAt,
    changedAt,
  }
}

function field(item: unknown, name: string): unknown {
  return typeof item === 'object' && item !== null && Object.hasOwn(item, name)
    ? (item as Readonly<Record<string, unknown>>)[name]
    : undefined
}

function list(item: unknown): readonly unknown[] | undefined {
  return Array.isArray(item) ? item : undefined
}

function texts(item: unknown): readonly string[] | undefined {
  return list(item)?.every(text => typeof text === 'string') === true
    ? (item as readonly string[])
    : undefined
}
