import { Command, CommanderError } from 'commander'

import { messageOf, Problem } from '../base/problem.ts'
import type { CommandContext } from './context.ts'

type Add = (program: Command, context: CommandContext) => void

const ssh = async (): Promise<Add> => (await import('./ssh.ts')).addSsh

/** By name, so that a command line loads what it needs and nothing else: half of them read no configuration. */
const COMMANDS: Readonly<Record<string, () => Promise<Add>>> = {
  'authorized-keys': ssh,
  backup: async () => (await import('./backup.ts')).addBackup,
  bench: async () => (await import('./bench.ts')).addBench,
  check: async () => (await import('./check.ts')).addCheck,
  compare: async () => (await import('./report.ts')).addCompare,
  completion: async () => (await import('./completion.ts')).addCompletion,
  demo: async () => (await import('./demo.ts')).addDemo,
  directory: async () => (await import('./directory.ts')).addDirectory,
  dns: async () => (await import('./dns.ts')).addDns,
  init: async () => (await import('./init.ts')).addInit,
  probe: async () => (await import('./probe.ts')).addProbe,
  queue: async () => (await import('./queue.ts')).addQueue,
  reload: async () => (await import('./reload.ts')).addReload,
  report: async () => (await import('./report.ts')).addReport,
  restore: async () => (await import('./backup.ts')).addRestore,
  run: async () => (await import('./run.ts')).addRun,
  seed: async () => (await import('./seed.ts')).addSeed,
  sendmail: ssh,
  trace: async () => (await import('./trace.ts')).addTrace,
  who: async () => (await import('./who.ts')).addWho,
}

/**
 * Runs one command line.
 *
 * @param args what follows the program's name
 * @returns the exit code: 0 done, 1 a problem that was printed, 2 a wrong command line; `probe` has its own
 */
export async function runCommand(args: readonly string[], version: string): Promise<number> {
  let exitCode = 0
  const exitWith = (code: number): void => {
    exitCode = code
  }
  const [first = ''] = args
  const program = await createProgram(version, exitWith, first)
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

/**
 * The program with its commands.
 *
 * @param only the one command that is wanted; all of them where that is none
 */
export async function createProgram(
  version: string,
  exitWith: CommandContext['exitWith'] = () => undefined,
  only = '',
): Promise<Command> {
  const program = new Command('mailcanary')
    .description(
      'A submission server for an organisation, and a prober that tells whether its mail arrives.',
    )
    .version(version)
    .showSuggestionAfterError()
    .exitOverride()
    .configureHelp({ sortSubcommands: true })
    .addHelpText(
      'after',
      `
Exit code: 0 done, 1 a problem that was printed, 2 a wrong command line; a command's own help tells where it has others.

Examples:
  mailcanary demo
  sudo mailcanary init`,
    )
  const wholeProgram = (): Promise<Command> => createProgram(version)
  for (const load of new Set(loadersFor(only))) {
    const add = await load()
    add(program, { version, exitWith, wholeProgram })
  }
  return program
}

function loadersFor(word: string): readonly (() => Promise<Add>)[] {
  const one = Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined
  if (one !== undefined) return [one]
  return word === '--version' || word === '-V' ? [] : Object.values(COMMANDS)
}

function detail(error: unknown): string {
  return error instanceof Error ? (error.stack ?? messageOf(error)) : messageOf(error)
}
