import { join } from 'node:path'

import type { Command } from 'commander'

import {
  openDirectoryControl,
  type DirectoryAnswer,
  type DirectoryRequest,
} from '../app/directory-control.ts'
import { Problem } from '../base/problem.ts'
import { loadRelay, type LoadedRelay } from '../config/load-relay.ts'
import { askDaemon } from './control-client.ts'
import { chosenFiles } from './files.ts'

export interface DirectoryOptions {
  readonly relay?: string
  readonly state?: string
  readonly json?: boolean
}

export function addDirectoryOptions(command: Command): Command {
  return command
    .option(
      '--relay <file>',
      'configuration of the relay whose directory it is (default: /etc/mailcanary/relay.yaml)',
    )
    .option('--state <folder>', 'ask the daemon that owns this state folder')
}

/** Asks the daemon; where none runs, the snapshot on disk. */
export async function* askDirectory(
  options: DirectoryOptions,
  request: DirectoryRequest,
): AsyncGenerator<DirectoryAnswer> {
  const relay = options.state === undefined ? await configuredRelay(options.relay) : undefined
  const state = options.state ?? relay?.config.state ?? ''
  const answer = await askDaemon(join(state, 'control.sock'), '/directory', request)
  if (answer !== undefined) {
    yield* answer as AsyncIterable<DirectoryAnswer>
    return
  }
  if (relay === undefined) {
    throw new Problem(`no mailcanary runs on ${state}: start it, or name its file with --relay`)
  }
  yield* (await openDirectoryControl(relay))(request)
}

export async function configuredRelay(path: string | undefined): Promise<LoadedRelay> {
  const file = path ?? chosenFiles({}).relay
  if (file === undefined) {
    throw new Problem('there is no relay.yaml: name one with --relay, or the folder with --state')
  }
  return loadRelay(file)
}
