import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { Problem } from '../base/problem.ts'
import type { LoadedRelay } from '../config/load-relay.ts'
import type { Directory } from '../directory/directory.ts'
import type { DirectoryAnswer, DirectoryRequest } from '../directory/request.ts'
import { createDirectory } from './directory-part.ts'

export type { DirectoryAnswer, DirectoryRequest } from '../directory/request.ts'
export type { SyncTrouble } from '../directory/source-sync.ts'
export type { AccountStatus, DirectoryStatus } from '../directory/status.ts'

export interface DirectoryControlOptions {
  readonly directory: Directory
  /** Notes in the log what an administrator did; never whom it was about. */
  readonly say: (sentence: string) => void
}

/** Answers an administrator's request piece by piece. */
export type DirectoryControl = (request: DirectoryRequest) => AsyncIterable<DirectoryAnswer>

export function createDirectoryControl(options: DirectoryControlOptions): DirectoryControl {
  const { directory, say } = options
  return async function* answer(request) {
    const { syncEvery } = directory
    switch (request.ask) {
      case 'status':
        yield { kind: 'directory', status: directory.status(), syncEvery }
        return
      case 'account':
        yield { kind: 'directory', status: directory.status(), syncEvery }
        yield accountOf(directory, request.login)
        return
      case 'verify': {
        const { kind } = await directory.authenticate(request.login, request.password)
        yield { kind: 'verified', result: kind }
        yield { kind: 'directory', status: directory.status(), syncEvery }
        yield accountOf(directory, request.login)
        return
      }
      case 'export':
        for (const account of directory.accounts()) yield { kind: 'account', account }
        return
      case 'sync': {
        const { full, accept } = request
        if (accept)
          say('directory: what the guard refuses is accepted once, as an administrator said')
        const results = await directory.sync({ full, accept })
        const { sources } = directory.status()
        for (const [index, result] of results.entries()) {
          const source = sources[index]?.name ?? ''
          if (result.kind === 'synced') {
            yield { kind: 'synced', source, changed: result.changed, full: result.full }
          } else {
            const failed = result.kind === 'failed'
            const why = failed ? result.cause : result.reason
            const acceptable = !failed && result.acceptable
            yield { kind: 'not-synced', source, how: result.kind, why, acceptable }
          }
        }
      }
    }
  }
}

/**
 * The same from the snapshot on disk, for when no relay runs: it can tell, and neither verify nor compare.
 *
 * @throws Problem if there is no snapshot
 */
export async function openDirectoryControl(relay: LoadedRelay): Promise<DirectoryControl> {
  const { state } = relay.config
  const file = (name: string): string => join(state, name)
  if (!existsSync(file('directory.json'))) {
    throw new Problem(
      `there is no snapshot of the directory in ${state}: the relay has not run yet`,
    )
  }
  const problems: string[] = []
  const directory = createDirectory(
    relay,
    { clock: Date.now, random: Math.random, folder: { file } },
    event => {
      if (event.kind === 'directory-sync-failed') problems.push(event.cause)
    },
  )
  await directory.restore()
  if (problems.length > 0) throw new Problem(problems.join('\n'))
  const ask = createDirectoryControl({
    directory,
    say: () => undefined,
  })
  return request => {
    if (request.ask === 'verify' || request.ask === 'sync') {
      throw new Problem(`no mailcanary runs on ${state}: start it, then ask again`)
    }
    return ask(request)
  }
}

function accountOf(directory: Directory, login: string): DirectoryAnswer {
  const account = directory.account(login)
  return account === undefined ? { kind: 'unknown', login } : { kind: 'account', account }
}
