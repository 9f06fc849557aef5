import { join } from 'node:path'

import type { Command } from 'commander'

import { isPseudonym, type Unmasked } from '../app/pseudonyms.ts'
import { Problem } from '../base/problem.ts'
import { loadRelay } from '../config/load-relay.ts'
import type { CommandContext } from './context.ts'
import { askDaemon } from './control-client.ts'
import { chosenFiles } from './files.ts'
import { print, printJson } from './print.ts'

interface WhoOptions {
  readonly relay?: string
  readonly state?: string
  readonly json?: boolean
}

/** `mailcanary who PSEUDONYM`: whom a line of the log is about. */
export function addWho(program: Command, { exitWith }: CommandContext): void {
  program
    .command('who')
    .description('Tell whom a pseudonym in the log means.')
    .argument('<pseudonym>', 'as it stands in the log, such as ~k3f9q2m8')
    .option(
      '--relay <file>',
      'configuration of the relay whose log it is (default: /etc/mailcanary/relay.yaml)',
    )
    .option('--state <folder>', 'ask the daemon that owns this state folder')
    .option('--json', 'one line of JSON for each that it may mean')
    .addHelpText(
      'after',
      `
Asks the running daemon, which tries everybody it knows: people of the directory, and whom they wrote to as long as the
record of the message is kept. The key of a pseudonym is destroyed retention.log after its last use; then nobody can tell.

Exit code: 0 if it was found, 1 if not (or a problem was printed).

Examples:
  mailcanary who '~k3f9q2m8'
  mailcanary who '~k3f9q2m8' --state /var/lib/mailcanary --json`,
    )
    .action(async (pseudonym: string, options: WhoOptions) => {
      if (!isPseudonym(pseudonym)) {
        throw new Problem(
          `${pseudonym} is no pseudonym: write it as in the log, in quotes: '~k3f9q2m8'`,
        )
      }
      const state = options.state ?? (await configuredState(options.relay))
      const answer = await askDaemon(join(state, 'control.sock'), `/who/${pseudonym}`)
      if (answer === undefined) {
        throw new Problem(`no mailcanary runs on ${state}: start it, or name another with --state`)
      }
      let found = 0
      for await (const item of answer as AsyncIterable<Unmasked>) {
        found++
        if (options.json === true) printJson(item)
        else print([sentenceOf(item)])
      }
      if (found > 0) return
      exitWith(1)
      if (options.json !== true) {
        print([
          `${pseudonym} is nobody that is known: no login of the directory, or its key is destroyed`,
        ])
      }
    })
}

function sentenceOf({ kind, name, from, until }: Unmasked): string {
  const end = until === undefined ? 'now' : new Date(until).toISOString()
  return `${kind} ${name}, in lines from ${new Date(from).toISOString()} until ${end}`
}

async function configuredState(relay: string | undefined): Promise<string> {
  const file = relay ?? chosenFiles({}).relay
  if (file === undefined) {
    throw new Problem('there is no relay.yaml: name one with --relay, or the folder with --state')
  }
  return (await loadRelay(file)).config.state
}
