import { Command, CommanderError } from 'commander'

import { messageOf, Problem } from '../base/problem.ts'
import { addBackup, addRestore } from './backup.ts'
import { addBench } from './bench.ts'
import { addCheck } from './check.ts'
import type { CommandContext } from './context.ts'
import { addDemo } from './demo.ts'
import { addDirectory } from './directory.ts'
import { addDns } from './dns.ts'
import { addProbe } from './probe.ts'
import { addQueue } from './queue.ts'
import { addReload } from './reload.ts'
import { addCompare, addReport } from './report.ts'
import { addRun } from './run.ts'
import { addSeed } from './seed.ts'
import { addSsh } from './ssh.ts'
import { addTrace } from './trace.ts'
import { addWho } from './who.ts'

/**
 * Runs one command line.
 *
 * @param args what follows the program's name
 * @returns the exit code: 0 done, 1 a problem that was printed, 2 a wrong command line; `probe` has its own
 */
export async function runCommand(args: readonly string[], version: string): Promise<number> {
  let exitCode = 0
  const program = commandTree({
    version,
    exitWith: code => {
      exitCode = code
    },
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    // Commander has printed its own message by now; help and version are no errors.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (error instanceof Problem) process.stderr.write(`${error.message}\n`)
    else process.stderr.write(`mailcanary: this should not happen: ${detail(error)}\n`)
    return 1
  }
}

/** Every command with its options, as help and documentation know them. */
export function commandTree(context: CommandContext): Command {
  const program = new Command('mailcanary')
    .description(
      'A submission server for an organisation, and a prober that tells whether its mail arrives.',
    )
    .version(context.version)
    .showSuggestionAfterError()
    .exitOverride()
    .configureHelp({ sortSubcommands: true })
  for (const add of [
    addBackup,
    addBench,
    addCheck,
    addCompare,
    addDemo,
    addDirectory,
    addDns,
    addProbe,
    addQueue,
    addReload,
    addReport,
    addRestore,
    addRun,
    addSeed,
    addSsh,
    addTrace,
    addWho,
  ]) {
    add(program, context)
  }
  return program
}

function detail(error: unknown): string {
  return error instanceof Error ? (error.stack ?? messageOf(error)) : messageOf(error)
}
