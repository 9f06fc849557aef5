import { isCronExpression } from '../base/cron.ts'
import type { Secret } from '../base/secret.ts'
import { isTimeZone } from '../base/time-zone.ts'
import { findProvider, findRule } from '../mail/provider-table.ts'
import type { Provider, ReplyRule } from '../mail/provider.ts'
import { parseReply } from '../mail/reply.ts'
import { readAdmin, type LoadedAdmin } from './admin.ts'
import { readBounces, readTrace, type TraceCredentials } from './bounce-mailboxes.ts'
import { isLoopback } from './loopback.ts'
import { checkConnections } from './mailbox-accounts.ts'
import { CONTENT_FORMS, probesSchema, type ProbesConfig } from './probes-schema.ts'
import type { ProblemList } from './problem-list.ts'
import { providerRows } from './provider-rows.ts'
import { readNamedFile, readSecret } from './secrets.ts'
import { type LoadedOAuth, readOAuth, readSeedPassword } from './seed-credentials.ts'
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
  readonly admin: LoadedAdmin
  readonly origins: ReadonlyMap<string, Credentials>
  /** What asking a relay elsewhere takes, by origin. */
  readonly traces: ReadonlyMap<string, TraceCredentials>
  readonly bounces: ReadonlyMap<string, Credentials>
  readonly seeds: ReadonlyMap<string, Credentials>
  readonly oauth: LoadedOAuth
}

/**
 * @param known providers that need no row in the file
 * @throws Problem that lists everything wrong with the file and with what it names
 */
export async function loadProbes(path: string, known: readonly Provider[]): Promise<LoadedProbes> {
  const { value: config, problems } = await loadYaml(path, probesSchema)
  const origins = new Map<string, Credentials>()
  const traces = new Map<string, TraceCredentials>()
  for (const [name, origin] of Object.entries(config.origins)) {
    origins.set(name, readOrigin(problems, name, origin))
    traces.set(name, readTrace(problems, name, origin))
  }
  const bounces = readBounces(problems, config)
  const providers = providerRows(config.providers, known)
  checkReplyRules(problems, config)
  const oauth = readOAuth(problems, config, providers)
  const seeds = new Map<string, Credentials>()
  for (const [name, seed] of Object.entries(config.seeds)) {
    const provider = findProvider(seed.provider, providers)
    checkProvider(problems, name, seed, provider, providers)
    const password = readSeedPassword(problems, config, name, provider)
    const ca = seed.imap.ca && readNamedFile(problems, ['seeds', name, 'imap', 'ca'], seed.imap.ca)
    seeds.set(name, { ca, password })
  }
  checkConnections(problems, config, providers)
  checkProbes(problems, config)
  checkBaselines(problems, config)
  const store = readStore(problems, config.store)
  const admin = readAdmin(problems, config.admin, Date.now())
  problems.throwIfAny()
  return { path, config, store, admin, origins, traces, bounces, seeds, oauth }
}

function readOrigin(
  problems: ProblemList,
  name: string,
  origin: ProbesConfig['origins'][string],
): Credentials {
  const { submission, smtp, command } = origin
  const ways = Object.entries({ submission, smtp, command }).filter(([, way]) => way !== undefined)
  if (ways.length !== 1) {
    const words = ways.map(([way]) => way).join(' and ')
    problems.add(
      ['origins', name],
      ways.length === 0
        ? 'needs submission, smtp or command: say where canaries are submitted'
        : `has ${words}: keep one of them`,
    )
  }
  if (smtp !== undefined) {
    const at = ['origins', name, 'smtp', 'ca']
    return { ca: smtp.ca && readNamedFile(problems, at, smtp.ca), password: undefined }
  }
  if (submission === undefined) return { ca: undefined, password: undefined }
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

/** A rule that its own sample does not meet, or that stands in the shadow of another, would never be heard of. */
function checkReplyRules(problems: ProblemList, config: ProbesConfig): void {
  for (const [name, { reply_rules: rules }] of Object.entries(config.providers)) {
    for (const [index, rule] of rules.entries()) {
      const at = ['providers', name, 'reply_rules', index]
      const reply = parseReply(rule.sample)
      if (reply === undefined) {
        problems.add(
          [...at, 'sample'],
          'should be a reply as it is sent: 421 4.7.0 try again later',
        )
      } else if (
        rule.codes === undefined &&
        rule.enhanced === undefined &&
        rule.text === undefined
      ) {
        problems.add(at, 'needs codes, enhanced or text: it would be true of every reply')
      } else if (findRule(reply, rules as readonly ReplyRule[]) !== rule) {
        problems.add([...at, 'sample'], 'should be met by this rule, and by none above it')
      }
    }
  }
}

function checkProvider(
  problems: ProblemList,
  name: string,
  seed: ProbesConfig['seeds'][string],
  provider: Provider | undefined,
  providers: readonly Provider[],
): void {
  if (provider === undefined) {
    const names = providers.map(({ name }) => name).join(', ')
    problems.add(
      ['seeds', name, 'provider'],
      `no provider has this name, known are ${names}; describe another under providers`,
    )
  } else if (seed.imap.host === undefined && (provider.imap?.host ?? '') === '') {
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
    for (const [place, content] of probe.contents.entries()) {
      if (![...CONTENT_FORMS, ...Object.keys(config.contents)].includes(content)) {
        problems.add(
          [...at, 'contents', place],
          `there is no content ${content}: known are ${[...CONTENT_FORMS, ...Object.keys(config.contents)].join(', ')}`,
        )
      }
    }
    if ((probe.every === undefined) === (probe.cron === undefined)) {
      problems.add(at, 'needs every (such as 10m) or cron, and not both')
    }
    if (probe.cron !== undefined && !isCronExpression(probe.cron)) {
      problems.add([...at, 'cron'], 'should be a cron expression such as "*/10 * * * *"')
    }
    if (probe.timezone !== undefined && !isTimeZone(probe.timezone)) {
      problems.add([...at, 'timezone'], 'should be a time zone such as Europe/Berlin')
    } else if (probe.timezone !== undefined && probe.cron === undefined) {
      problems.add([...at, 'timezone'], 'is for cron: an interval is the same in every zone')
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
