import { CommanderError, type Command } from 'commander'

import { createProgram } from '../../src/cli/command.ts'

/** The program as it is, but that its commands do nothing. */
async function harmlessTree(): Promise<Command> {
  return harmless(await createProgram('0'))
}

function harmless(command: Command): Command {
  command.configureOutput({ writeErr: () => undefined, writeOut: () => undefined })
  for (const inner of command.commands) harmless(inner)
  // Those that only hold others have no action, and say so.
  return command.commands.length > 0 && command.registeredArguments.length === 0
    ? command
    : command.action(() => undefined)
}

/** What the parser says against the words of a command line; undefined where it takes them. */
export async function faultOf(words: readonly string[]): Promise<CommanderError | undefined> {
  try {
    await (await harmlessTree()).parseAsync(words, { from: 'user' })
    return undefined
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? undefined : error
  }
}

/** Whether a command line can say whose daemon is asked. */
export async function takesState(words: readonly string[]): Promise<boolean> {
  let command = await harmlessTree()
  for (const word of words) {
    const next = command.commands.find(each => each.name() === word)
    if (next === undefined) break
    command = next
  }
  return command.options.some(({ long }) => long === '--state')
}
