import { isCronExpression } from '../base/cron.ts'
import type { Secret } from '../base/secret.ts'
import { isLoopback } from './load-relay.ts'
import { probesSchema, type ProbesConfig } from './probes-schema.ts'
import type { ProblemList } from './problem-list.ts'
import { readNamedFile, readSecret } from './secrets.ts'
import { readStore, type LoadedStore } from './store.ts'
import { loadYaml } from './yaml-file.ts'

interface Credentials {
  readonly ca: string | undefined
  readonly password: Secret | undefined
}

/** The prober's configuration with everything it names read in. */
export interface LoadedProbes {
  readonly path: string
  readonly config: ProbesConfig
  /** The database of the history; undefined where it is a file. */
  readonly store: LoadedStore | undefined
  readonly origins: ReadonlyMap<string, Credentials>
  readonly seeds: ReadonlyMap<string, Credentials>
}

/**
 * @param knownProviders names that need no row in the file
 * @throws Problem that lists everything wrong with the file and with what it names
 */
export async function loadProbes(
  path: string,
  knownProviders: readonly { readonly name: string; readonly imapHost: string | undefined }[],
): Promise<LoadedProbes> {
  const { value: config, problems } = await loadYaml(path, probesSchema)
  const origins = new Map<string, Credentials>()
  for (const [name, origin] of Object.entries(config.origins)) {
    origins.set(name, readOrigin(problems, name, origin))
  }
  const seeds = new Map<string, Credentials>()
  for (const [name, seed] of Object.entries(config.seeds)) {
    checkProvider(problems, config, name, seed, knownProviders)
    const at = ['seeds', name]
    const password = readSecret(problems, at, seed, 'password')
    if (
      password === undefined &&
      seed.password_file === undefined &&
      seed.password_env === undefined
    ) {
      problems.add(at, 'needs password_file or password_env')
    }
    const ca = seed.imap.ca && readNamedFile(problems, [...at, 'imap', 'ca'], seed.imap.ca)
    seeds.set(name, { ca, password })
  }
  checkProbes(problems, config)
  checkBaselines(problems, config)
  const store = readStore(problems, config.store)
  problems.throwIfAny()
  return { path, config, store, origins, seeds }
}

function readOrigin(
  problems: ProblemList,
  name: string,
  { submission }: ProbesConfig['origins'][string],
): Credentials {
  const at = ['origins', name, 'submission']
  const password = readSecret(problems, at, submission, 'password')
  if (submission.username !== undefined && password === undefined) {
    if (submission.password_file === undefined && submission.password_env === undefined) {
      problems.add([...at, 'username'], 'needs password_file or password_env beside it')
    }
  }
  if (
    submission.tls === 'none' &&
    submission.username !== undefined &&
    !isLoopback(`smtp://${submission.host}`)
  ) {
    problems.add([...at, 'tls'], 'none would send the password in clear: use implicit or starttls')
  }
  const ca = submission.ca && readNamedFile(problems, [...at, 'ca'], submission.ca)
  return { ca, password }
}

function checkProvider(
  problems: ProblemList,
  config: ProbesConfig,
  name: string,
  seed: ProbesConfig['seeds'][string],
  known: readonly { readonly name: string; readonly imapHost: string | undefined }[],
): void {
  const own = config.providers[seed.provider]
  const row = known.find(provider => provider.name === seed.provider)
  if (own === undefined && row === undefined) {
    const names = [...known.map(provider => provider.name), ...Object.keys(config.providers)]
    problems.add(
      ['seeds', name, 'provider'],
      `no provider has this name, known are ${names.join(', ')}; describe another under providers`,
    )
  } else if (
    seed.imap.host === undefined &&
    own?.imap_host === undefined &&
    row?.imapHost === undefined
  ) {
    problems.add(
      ['seeds', name],
      `needs imap: {host: …}, since ${seed.provider} names no IMAP server`,
    )
  }
}

function checkProbes(problems: ProblemList, config: ProbesConfig): void {
  const seen = new Set<string>()
  for (const [index, probe] of config.probes.entries()) {
    const at = ['probes', index]
    if (seen.has(probe.name)) problems.add([...at, 'name'], 'another probe has this name')
    seen.add(probe.name)
    for (const [place, origin] of probe.origins.entries()) {
      if (!Object.hasOwn(config.origins, origin)) {
        problems.add(
          [...at, 'origins', place],
          `there is no origin ${origin}: ${listOf(config.origins)}`,
        )
      }
    }
    for (const [place, seed] of probe.seeds.entries()) {
      if (!Object.hasOwn(config.seeds, seed)) {
        problems.add([...at, 'seeds', place], `there is no seed ${seed}: ${listOf(config.seeds)}`)
      }
    }
    if ((probe.every === undefined) === (probe.cron === undefined)) {
      problems.add(at, 'needs every (such as 10m) or cron, and not both')
    }
    if (probe.cron !== undefined && !isCronExpression(probe.cron)) {
      problems.add([...at, 'cron'], 'should be a cron expression such as "*/10 * * * *"')
    }
  }
}

function checkBaselines(problems: ProblemList, config: ProbesConfig): void {
  const providers = new Set(Object.values(config.seeds).map(({ provider }) => provider))
  for (const [index, { origin, provider }] of config.detector.baselines.entries()) {
    const at = ['detector', 'baselines', index]
    if (!Object.hasOwn(config.origins, origin)) {
      problems.add([...at, 'origin'], `there is no origin ${origin}: ${listOf(config.origins)}`)
    }
    if (!providers.has(provider)) {
      const known = [...providers].join(', ')
      problems.add([...at, 'provider'], `no seed is at ${provider}: seeds are at ${known}`)
    }
  }
}

function listOf(named: Readonly<Record<string, unknown>>): string {
  return `known are ${Object.keys(named).join(', ')}`
}
