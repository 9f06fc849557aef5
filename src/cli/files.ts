import { existsSync } from 'node:fs'

import type { Command } from 'commander'

import type { LoadedFiles } from '../app/reloading.ts'
import { Problem } from '../base/problem.ts'
import { loadProbes, type LoadedProbes } from '../config/load-probes.ts'
import { loadRelay } from '../config/load-relay.ts'
import { PROVIDERS } from '../mail/providers.ts'

const FOLDER = '/etc/mailcanary'

/** The two files as named on the command line. */
export interface FileOptions {
  readonly relay?: string
  readonly probes?: string
}

export function addFileOptions(command: Command): Command {
  return command
    .option(
      '--relay <file>',
      `configuration of the relay (default: ${FOLDER}/relay.yaml, if it exists)`,
    )
    .option(
      '--probes <file>',
      `configuration of the prober (default: ${FOLDER}/probes.yaml, if it exists)`,
    )
}

/**
 * The files to use: those that were named, or else those that lie where they usually do.
 *
 * @throws Problem if there is none
 */
export function chosenFiles(options: FileOptions): FileOptions {
  if (options.relay !== undefined || options.probes !== undefined) return options
  const relay = `${FOLDER}/relay.yaml`
  const probes = `${FOLDER}/probes.yaml`
  const found = {
    ...(existsSync(relay) && { relay }),
    ...(existsSync(probes) && { probes }),
  }
  if (Object.keys(found).length > 0) return found
  throw new Problem(
    `there is neither ${relay} nor ${probes}: name a file with --relay or --probes, or try: mailcanary demo`,
  )
}

/**
 * Loads both files and holds them against each other.
 *
 * @throws Problem with all problems of both files
 */
export async function loadFiles(options: FileOptions): Promise<LoadedFiles> {
  const { relay: relayPath, probes: probesPath } = chosenFiles(options)
  const [ofRelay, ofProbes]: [string[], string[]] = [[], []]
  const probes =
    probesPath === undefined ? undefined : await collect(ofProbes, loadProbesFile(probesPath))
  const relay =
    relayPath === undefined
      ? undefined
      : await collect(
          ofRelay,
          loadRelay(relayPath, ofProbes.length > 0 ? undefined : known(probes)),
        )
  const problems = [...ofRelay, ...ofProbes]
  if (problems.length > 0) throw new Problem(problems.join('\n'))
  holdTogether({ relay, probes })
  return { relay, probes }
}

/** Names of the providers that are shipped, and of those that the prober's file adds. */
function known(probes: LoadedProbes | undefined): readonly string[] {
  const added = Object.keys(probes?.config.providers ?? {})
  return [...new Set([...PROVIDERS.map(({ name }) => name), ...added])]
}

/** Loads the prober's file alone, with the providers that are shipped. */
export function loadProbesFile(path: string): Promise<LoadedProbes> {
  return loadProbes(path, PROVIDERS)
}

async function collect<T>(problems: string[], loading: Promise<T>): Promise<T | undefined> {
  try {
    return await loading
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    problems.push(error.message)
    return undefined
  }
}

function holdTogether({ relay, probes }: LoadedFiles): void {
  if (probes !== undefined && relay === undefined) {
    const local = Object.entries(probes.config.origins).find(
      ([, origin]) => origin.trace === 'local',
    )
    if (local !== undefined) {
      throw new Problem(
        `${probes.path}: origins.${local[0]}.trace: local needs the relay in the same process: name its file with --relay, or write none`,
      )
    }
  }
  if (relay === undefined || probes === undefined) return
  const different = (['state', 'admin', 'log'] as const).filter(
    key => JSON.stringify(relay.config[key]) !== JSON.stringify(probes.config[key]),
  )
  if (different.length === 0) return
  throw new Problem(
    different
      .map(
        key =>
          `${probes.path}: ${key}: differs from ${relay.path}, and both run in one process: write the same`,
      )
      .join('\n'),
  )
}
