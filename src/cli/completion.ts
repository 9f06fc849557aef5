import { Argument, type Command } from 'commander'

import { commandTree } from './command-tree.ts'
import { bashCompletion } from './completion/bash.ts'
import { fishCompletion } from './completion/fish.ts'
import { zshCompletion } from './completion/zsh.ts'
import type { CommandContext } from './context.ts'

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion }

/** `mailcanary completion bash`: what makes a shell complete our command lines. */
export function addCompletion(program: Command, { wholeProgram }: CommandContext): void {
  program
    .command('completion')
    .description('Print what makes a shell complete command lines of mailcanary.')
    .addArgument(
      new Argument('<shell>', 'the shell that is to complete').choices(Object.keys(SHELLS)),
    )
    .addHelpText(
      'after',
      `
The Debian package brings all three to where the shells look for them. The script starts nothing: it holds the words.

Exit code: 0, or 2 for a shell that is none of them.

Examples:
  mailcanary completion bash > ~/.local/share/bash-completion/completions/mailcanary
  mailcanary completion zsh > /usr/local/share/zsh/site-functions/_mailcanary
  mailcanary completion fish > ~/.config/fish/completions/mailcanary.fish`,
    )
    .action(async (shell: keyof typeof SHELLS) => {
      process.stdout.write(SHELLS[shell](commandTree(await wholeProgram())))
    })
}
