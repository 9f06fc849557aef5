import type { Command } from 'commander'

import { providersOf } from '../app/prober-parts.ts'
import { seedsOf } from '../app/seed-parts.ts'
import { Problem } from '../base/problem.ts'
import type { LoadedProbes } from '../config/load-probes.ts'
import type { Provider } from '../mail/provider.ts'
import { PROVIDERS } from '../mail/providers.ts'
import type { Seed } from '../probe/seed.ts'
import { chosenFiles, loadProbesFile } from './files.ts'

export interface SeedOptions {
  readonly probes?: string
}

/** The seeds of a configuration, as commands need them beside a daemon that runs or not. */
export interface LoadedSeeds {
  readonly loaded: LoadedProbes
  readonly providers: readonly Provider[]
  readonly seeds: readonly Seed[]
}

export function addProbesOption(command: Command): Command {
  return command.option(
    '--probes <file>',
    'configuration of the prober (default: /etc/mailcanary/probes.yaml)',
  )
}

/** @throws Problem if there is no such file, or something is wrong with it */
export async function loadSeeds(options: SeedOptions): Promise<LoadedSeeds> {
  const file = options.probes ?? chosenFiles({}).probes
  if (file === undefined) throw new Problem('there is no probes.yaml: name one with --probes')
  const loaded = await loadProbesFile(file)
  const providers = providersOf(loaded, PROVIDERS)
  const { seeds } = seedsOf(loaded, providers, {
    folder: loaded.config.state,
    // What fails is told by what it fails.
    report: () => undefined,
    clock: Date.now,
  })
  return { loaded, providers, seeds }
}

/** @throws Problem if one of the names is no seed's */
export function chosenSeeds({ seeds }: LoadedSeeds, names: readonly string[]): readonly Seed[] {
  if (names.length === 0) return seeds
  return names.map(name => {
    const seed = seeds.find(seed => seed.name === name)
    if (seed === undefined) {
      const known = seeds.map(({ name }) => name).join(', ')
      throw new Problem(`there is no seed ${name}: there are ${known}`)
    }
    return seed
  })
}
