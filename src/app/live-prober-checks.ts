import type { Clock, Random } from '../base/clock.ts'
import type { Finding } from '../base/finding.ts'
import { messageOf } from '../base/problem.ts'
import type { LoadedProbes } from '../config/load-probes.ts'
import type { Provider } from '../mail/provider.ts'
import { OTHER } from '../mail/providers.ts'
import { createRemoteTrace } from '../observe/remote-trace.ts'
import { inspect } from '../probe/imap-inspection.ts'
import { oneTooMany, warningsOf } from '../probe/seed-warnings.ts'
import { bearsAnother, type ImapAccount, type Seed } from '../probe/seed.ts'
import { bouncesOf, remoteTracesOf } from './origin-parts.ts'
import { providersOf } from './prober-parts.ts'
import { seedsOf } from './seed-parts.ts'

/*
 * What `check --live` tries of a prober: mailboxes are opened read-only, relays elsewhere are asked for a message that
 * there is not.
 */

export interface ProberWorld {
  readonly providers: readonly Provider[]
  readonly clock: Clock
  readonly random: Random
  /** Whether a prober reads the same accounts meanwhile. */
  readonly running: boolean
}

/** Tries every account and every relay elsewhere that the file names. */
export async function proberFindings(
  loaded: LoadedProbes,
  world: ProberWorld,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const { seeds } = seedsOf(loaded, providersOf(loaded, world.providers), {
    folder: loaded.config.state,
    // What fails is told by what it fails.
    report: () => undefined,
    clock: world.clock,
  })
  const isSeed = ({ host, username }: ImapAccount): boolean =>
    seeds.some(({ imap }) => imap.host === host && imap.username === username)
  return Promise.all([
    ...seeds.map(seed => seedFinding(seed, world, signal)),
    ...bouncesOf(loaded)
      // Its account is tried already.
      .filter(({ imap }) => !isSeed(imap))
      .map(({ name, imap }) => bouncesFinding(name, imap, world, signal)),
    ...traceFindings(loaded),
  ])
}

/** Signs in to a seed account and looks at its folders, as the prober will. */
async function seedFinding(seed: Seed, world: ProberWorld, signal: AbortSignal): Promise<Finding> {
  const about = { check: 'seed', about: seed.name }
  // All that share the account are looked at together.
  if (world.running && !bearsAnother(seed, seed.connections)) {
    return { ...about, state: 'unknown', detail: oneTooMany(seed), advice: '' }
  }
  const seen = await inspect(seed, { ...world, signal })
  const warnings = warningsOf(seed, seen, world.clock())
  const readable = seen.fault === '' && seen.folders.some(({ takenFor }) => takenFor === 'spam')
  return {
    ...about,
    state: readable ? (warnings.length === 0 ? 'good' : 'doubtful') : 'bad',
    detail: `${seed.imap.host}: ${readable ? 'inbox and junk can be read' : seen.fault || 'no junk folder'}`,
    advice: [
      ...warnings,
      ...(readable ? [] : [`More says: mailcanary seed check ${seed.name}`]),
    ].join(' '),
  }
}

async function bouncesFinding(
  name: string,
  imap: ImapAccount,
  world: ProberWorld,
  signal: AbortSignal,
): Promise<Finding> {
  const { fault } = await inspect({ imap, provider: OTHER }, { ...world, signal })
  return {
    check: 'bounces',
    about: name,
    state: fault === '' ? 'good' : 'bad',
    detail: `${imap.host}: ${fault === '' ? 'can be read' : fault}`,
    advice:
      fault === ''
        ? ''
        : `No canary is called missing before it was read: see host, username and password under bounces.${name}.`,
  }
}

/** Where no message has this id, an answer that there is none is an answer. */
const NO_MESSAGE = '0'

function traceFindings(loaded: LoadedProbes): readonly Promise<Finding>[] {
  return [...remoteTracesOf(loaded, createRemoteTrace)].map(
    async ([origin, trace]): Promise<Finding> => {
      const about = { check: 'trace', about: origin }
      try {
        await trace.fate(NO_MESSAGE)
        return { ...about, state: 'good', detail: 'the relay answers', advice: '' }
      } catch (error) {
        return {
          ...about,
          state: 'bad',
          detail: `the relay cannot be asked: ${messageOf(error)}`,
          advice: `Where a canary was lost is not told until it can: see trace, trace_token_file and trace_ca of origins.${origin}, and admin in its relay.yaml.`,
        }
      }
    },
  )
}
