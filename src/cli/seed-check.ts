import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import type { Command } from 'commander'

import { seedOAuth } from '../app/seed-parts.ts'
import { DAY } from '../base/clock.ts'
import { domainOf } from '../mail/envelope.ts'
import { inspect, type Inspection, unseen } from '../probe/imap-inspection.ts'
import { oneTooMany, warningsOf } from '../probe/seed-warnings.ts'
import { bearsAnother, type Seed } from '../probe/seed.ts'
import { Transcript } from '../probe/transcript.ts'
import type { CommandContext } from './context.ts'
import { isRunning } from './control-client.ts'
import { print, printJson } from './print.ts'
import {
  addProbesOption,
  chosenSeeds,
  type LoadedSeeds,
  loadSeeds,
  type SeedOptions,
} from './seed-files.ts'
import { table } from './table.ts'

interface CheckOptions extends SeedOptions {
  readonly transcript?: string
  readonly json?: boolean
}

/** What `seed check` found of one seed. */
interface Checked {
  readonly seed: string
  readonly provider: string
  readonly host: string
  readonly signIn: string
  /** Connections of one account that the provider bears, and how many a prober holds; absent where nobody knows. */
  readonly connections?: { readonly borne: number; readonly held: number }
  /** How old the account is, in days; absent where the file does not say. */
  readonly ageDays?: number
  /** When the sign-in ends if nobody uses it, ISO 8601; absent for passwords. */
  readonly signInEnds?: string
  readonly ok: boolean
  readonly fault: string
  readonly folders: Inspection['folders']
  readonly capabilities: readonly string[]
  readonly warnings: readonly string[]
  readonly advice: readonly string[]
}

/** `mailcanary seed check`: can the accounts be read, and what would go wrong? */
export function addSeedCheck(seed: Command, { exitWith }: CommandContext): void {
  addProbesOption(seed.command('check'))
    .description(
      'Sign in, list the folders with what each is taken for, and say what would go wrong.',
    )
    .argument('[names...]', 'seeds; all of them unless named')
    .option(
      '--transcript <file>',
      'write what was said to the server, with everything private taken out; - is the terminal',
    )
    .option('--json', 'one line of JSON for each seed')
    .addHelpText(
      'after',
      `
Changes nothing in the accounts. While a daemon runs this is one more connection to each account: where the
provider is known not to bear it, the account is not looked at.

Exit code: 0 if all can be read, 1 if one cannot, or has no junk folder, or a problem was printed.

Examples:
  mailcanary seed check
  mailcanary seed check hotmail-1 --transcript session.txt --probes probes.yaml`,
    )
    .action(async (names: string[], options: CheckOptions) => {
      const all = await loadSeeds(options)
      const running = await isRunning(join(all.loaded.config.state, 'control.sock'))
      const transcripts: string[] = []
      for (const seed of chosenSeeds(all, names)) {
        const transcript = new Transcript({
          address: seed.address,
          username: seed.imap.username,
          domains: Object.values(all.loaded.config.origins).map(({ from }) => domainOf(from)),
        })
        const seen =
          running && !bearsAnother(seed)
            ? unseen(oneTooMany(seed))
            : await inspect(seed, {
                clock: Date.now,
                random: Math.random,
                signal: new AbortController().signal,
                ...(options.transcript !== undefined && {
                  onWire: (from, text) => transcript.hear(from, text),
                }),
              })
        const checked = await checkedOf(all, seed, seen)
        if (!checked.ok) exitWith(1)
        if (options.json === true) printJson(checked)
        else print([...linesOf(checked), ''])
        transcripts.push(headOf(seed) + transcript.text())
      }
      if (options.transcript === '-') print(transcripts)
      else if (options.transcript !== undefined) {
        await writeFile(options.transcript, transcripts.join('\n'), { mode: 0o600 })
        print([
          `${options.transcript}: read it before you show it to anybody; docs/providers.md says where it helps`,
        ])
      }
    })
}

async function checkedOf(
  { loaded, providers }: LoadedSeeds,
  seed: Seed,
  seen: Inspection,
): Promise<Checked> {
  const now = Date.now()
  const oauth = seedOAuth(loaded, providers, seed.name, loaded.config.state)
  const token = await oauth?.file.read().catch(() => undefined)
  const limit = seed.provider.oauth?.idleLimit
  const borne = seed.provider.imap?.connections
  const warnings = warningsOf(seed, seen, now)
  return {
    seed: seed.name,
    provider: seed.provider.name,
    host: `${seed.imap.host}:${seed.imap.port}`,
    signIn: seed.signIn ?? 'password',
    ...(borne !== undefined && { connections: { borne, held: seed.connections ?? 1 } }),
    ...(seed.createdAt !== undefined && { ageDays: Math.floor((now - seed.createdAt) / DAY) }),
    ...(token &&
      limit !== undefined && { signInEnds: new Date(token.refreshedAt + limit).toISOString() }),
    ok: seen.fault === '' && seen.folders.some(({ takenFor }) => takenFor === 'spam'),
    fault: seen.fault,
    folders: seen.folders,
    capabilities: seen.capabilities,
    warnings,
    advice: seed.provider.advice ?? [],
  }
}

function linesOf(checked: Checked): readonly string[] {
  const { seed, provider, host, signIn, ageDays, connections, signInEnds, fault } = checked
  const facts = [
    `${provider} at ${host}`,
    signIn === 'oauth2' ? 'OAuth 2' : 'password',
    ageDays === undefined ? 'age not configured (created)' : `${ageDays} days old`,
    ...(connections === undefined
      ? []
      : [
          `the prober takes ${connections.held} of the ${connections.borne} connections it may have`,
        ]),
    ...(signInEnds === undefined ? [] : [`unused, the sign-in ends ${signInEnds.slice(0, 10)}`]),
  ]
  const words = { inbox: 'inbox', spam: 'spam', other: 'other', nothing: 'not looked into' }
  const rows = checked.folders.map(({ path, takenFor, by, messages }) => [
    path,
    words[takenFor],
    messages === undefined ? '' : String(messages),
    by,
  ])
  return [
    `${seed}: ${fault === '' ? 'can be read' : `CANNOT BE READ: ${fault}`}`,
    `  ${facts.join(', ')}`,
    ...table(rows.length === 0 ? [] : [['folder', 'taken for', 'mails', 'by'], ...rows]).map(
      row => `  ${row}`,
    ),
    ...checked.warnings.map(warning => `  ! ${warning}`),
    ...checked.advice.map(sentence => `  - ${sentence}`),
  ]
}

function headOf({ provider, imap, signIn }: Seed): string {
  const row =
    provider.verified === 'live' ? 'was seen live' : 'is taken from documentation, not seen live'
  return `# ${provider.name} at ${imap.host}, sign-in by ${signIn ?? 'password'}; what mailcanary believes of it ${row}\n`
}
