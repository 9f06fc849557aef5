import { open, type FileHandle } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'

import { codeOf, messageOf } from '../base/problem.ts'
import { parseExportFile, parseInactive } from './export-file.ts'
import type { DirectorySource, SourceReading, SourceState } from './source.ts'

export interface ExportFileSourceOptions {
  readonly name: string
  /** `uid:hash` lines or a Dovecot passwd-file. */
  readonly path: string
  /** all-accounts.json of the same export, where it is there. */
  readonly accountsPath?: string
  /** Own domains: a name at one of them is taken without it; at any other it is no login. */
  readonly domains?: readonly string[]
  /** Milliseconds between the two looks that must find the same file. */
  readonly settle: number
}

const MOST_BYTES = 64 * 1024 * 1024
const MOST_LOOKS = 5

interface Look {
  /** Undefined for a file that was written to while we read it, which is no look at all. */
  readonly mark: string | undefined
  readonly text: string
}

/**
 * Logins from a file that something else writes: userdir-ldap's export, or passwords kept by hand for Dovecot. On
 * the generating host it is written in place, so a look may meet half of it: two looks must find the same.
 */
export class ExportFileSource implements DirectorySource {
  readonly name: string
  readonly #options: ExportFileSourceOptions

  constructor(options: ExportFileSourceOptions) {
    this.name = options.name
    this.#options = options
  }

  async read(known: SourceState | undefined, signal: AbortSignal): Promise<SourceReading> {
    try {
      return await this.#read(known, signal)
    } catch (error) {
      if (signal.aborted) return { kind: 'failed', cause: 'given up' }
      const cause = codeOf(error) === 'ENOENT' ? 'the file is not there' : messageOf(error)
      return { kind: 'failed', cause }
    }
  }

  async #read(known: SourceState | undefined, signal: AbortSignal): Promise<SourceReading> {
    const { path, accountsPath, domains = [] } = this.#options
    const inactive =
      accountsPath === undefined ? undefined : await this.#stable(accountsPath, signal)
    const passwords = await this.#stable(path, signal)
    if (passwords === undefined) return { kind: 'failed', cause: 'the file is being written' }
    const mark = `${passwords.mark} ${inactive?.mark ?? ''}`
    if (known?.mark === mark) return { kind: 'unchanged', state: known }
    const barred = inactive === undefined ? new Set<string>() : parseInactive(inactive.text)
    if (barred === undefined) return { kind: 'refused', reason: 'the list of accounts is torn' }
    const entries = await parseExportFile(passwords.text, domains, login =>
      barred.has(login) ? 'expired' : undefined,
    )
    if (entries === undefined) {
      return { kind: 'refused', reason: 'the last line is not ended: the file is torn' }
    }
    return { kind: 'full', state: { mark, from: '' }, entries, notes: [] }
  }

  /** What is in the file once two looks agree; undefined if it does not come to rest, or (second file) is not there. */
  async #stable(path: string, signal: AbortSignal): Promise<Look | undefined> {
    let before: string | undefined
    for (let look = 0; look < MOST_LOOKS; look++) {
      if (look > 0) await delay(this.#options.settle, undefined, { signal })
      const found = await lookAt(path)
      if (found.mark !== undefined && found.mark === before) return found
      before = found.mark
    }
    return undefined
  }
}

async function lookAt(path: string): Promise<Look> {
  const file = await open(path, 'r')
  try {
    const before = await markOf(file)
    const text = await file.readFile('utf8')
    const after = await markOf(file)
    return { mark: before === after ? before : undefined, text }
  } finally {
    await file.close()
  }
}

async function markOf(file: FileHandle): Promise<string> {
  const { ino, size, mtimeNs } = await file.stat({ bigint: true })
  if (size > MOST_BYTES) throw new Error(`the file is larger than ${MOST_BYTES} octets`)
  return `${ino}:${size}:${mtimeNs}`
}
