import { join } from 'node:path'

import type { Command } from 'commander'

import { Problem } from '../base/problem.ts'
import { StateFolder } from '../base/state-folder.ts'
import type { LoadedProbes } from '../config/load-probes.ts'
import { askDaemon } from './control-client.ts'
import { chosenFiles, loadProbesFile } from './files.ts'

/** Which prober is meant. */
export interface ProberOptions {
  readonly probes?: string
  readonly state?: string
}

export function addProberOptions(command: Command): Command {
  return command
    .option('--probes <file>', 'configuration of the prober (default: /etc/mailcanary/probes.yaml)')
    .option(
      '--state <folder>',
      'ask the daemon that owns this state folder, and read no configuration',
    )
}

/**
 * Asks the prober that runs; where none runs, and its file is known, answers from its state.
 *
 * @param path of the question on the control socket
 * @throws Problem if there is nobody to ask
 */
export async function* askProber<Answer>(
  options: ProberOptions,
  path: string,
  request: unknown,
  alone: (probes: LoadedProbes, folder: StateFolder) => AsyncIterable<Answer>,
): AsyncGenerator<Answer> {
  const probes = options.state === undefined ? await configured(options.probes) : undefined
  const state = options.state ?? probes?.config.state ?? ''
  const answer = await askDaemon(join(state, 'control.sock'), path, request)
  if (answer !== undefined) {
    yield* answer as AsyncIterable<Answer>
    return
  }
  if (probes === undefined) {
    throw new Problem(`no mailcanary runs on ${state}: start one, or name a file with --probes`)
  }
  const folder = await StateFolder.open(state)
  try {
    yield* alone(probes, folder)
  } finally {
    folder.close()
  }
}

function configured(probes: string | undefined): Promise<LoadedProbes> {
  const file = probes ?? chosenFiles({}).probes
  if (file === undefined) {
    throw new Problem('there is no probes.yaml: name one with --probes, or the folder with --state')
  }
  return loadProbesFile(file)
}
