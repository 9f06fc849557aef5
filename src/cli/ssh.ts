import type { Command } from 'commander'

import { SSH_HELP, type SshCommand } from '../ssh/help.ts'
import type { CommandContext } from './context.ts'

const DESCRIPTIONS: Readonly<Record<SshCommand, string>> = {
  'authorized-keys': 'For sshd: whose key it is, and what it may do. Says more with --help.',
  sendmail: 'Submit a message as a login, as a sendmail does. Says more with --help.',
}

/** Lists the two programs that `main.ts` starts without any of this, so that people find them. */
export function addSsh(program: Command, { exitWith }: CommandContext): void {
  for (const name of Object.keys(SSH_HELP) as SshCommand[]) {
    program
      .command(name)
      .description(DESCRIPTIONS[name])
      .helpOption(false)
      .addHelpText('after', `\n${SSH_HELP[name]}`)
      .allowUnknownOption()
      .argument('[args...]')
      .action(async (args: string[]) => {
        const { runForSsh } = await import('../ssh/main.ts')
        exitWith(await runForSsh(name, args))
      })
  }
}
