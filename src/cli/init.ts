import type { Command } from 'commander'

import type { CommandContext } from './context.ts'

export interface InitOptions {
  readonly folder: string
  readonly answers?: string
  readonly ask?: boolean
  readonly replace?: boolean
}

/** `mailcanary init`: from nothing to the first verdict, by asking. */
export function addInit(program: Command, { exitWith }: CommandContext): void {
  program
    .command('init')
    .description('Set up the relay and the prober by asking, and send a first canary.')
    .option('--folder <folder>', 'where configuration and secrets go', '/etc/mailcanary')
    .option('--answers <file>', 'take the answers from a file, and ask nothing')
    .option('--ask', 'with --answers: ask for what the file does not say')
    .option('--replace', 'write relay.yaml and probes.yaml anew where they are there already')
    .addHelpText(
      'after',
      `
Looks for the certificate, reads how the directory is made, and tests each answer at once: binds at LDAP and counts the
accounts, tries the prober's login, signs in over IMAP, connects to port 25. Ctrl-C leaves nothing but your answers (without
secrets, in init-answers.yaml of the folder), and the next init goes on from there. Run it as root where the Debian package
is installed: secrets then belong to the service's group (0640), otherwise to you alone (0600).

A file of answers has the keys of init-answers.yaml; it names a secret by a file (password_file) or a variable of the
environment (password_env). docs/installation.md has an example.

Exit code: 0 if the canary reached the inbox, or none was wanted; 1 if it did not, or a problem was printed; 2 if it is
unknown; 130 after Ctrl-C.

Examples:
  sudo mailcanary init
  mailcanary init --answers answers.yaml --folder ./etc`,
    )
    .action(async (options: InitOptions) => {
      const { runInit } = await import('./init/run-init.ts')
      exitWith(await runInit(options))
    })
}
