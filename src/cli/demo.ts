import { homedir } from 'node:os'
import { join } from 'node:path'

import { InvalidArgumentError, Option, type Command } from 'commander'

import { parseDuration } from '../base/duration.ts'
import type { CommandContext } from './context.ts'
import type { DemoOptions } from './demo-run.ts'

/** `mailcanary demo`: the whole system against an embedded world, on loopback and without any set-up. */
export function addDemo(program: Command, { version }: CommandContext): void {
  program
    .command('demo')
    .description(
      'Run the whole system against an embedded world: no root, no network, no accounts.',
    )
    .addOption(
      new Option('--state <folder>', 'where queue and history are kept').default(
        defaultState(),
        '~/.local/state/mailcanary/demo',
      ),
    )
    .option('--for <duration>', 'end by itself after this time and print a summary', duration)
    .option('--port-base <number>', 'move every port up by this number', portBase, 0)
    .addHelpText(
      'after',
      `
Ports: submission 2465 (TLS) and 2587 (STARTTLS), web 8025 and 9464, the providers' IMAP 2993 to 2995 and SMTP 2525 to 2527.

Exit code: 0 after Ctrl-C or the given time, 1 if it could not start (the reason is printed).

Examples:
  mailcanary demo
  mailcanary demo --for 60s --port-base 10000 --state /tmp/another-demo`,
    )
    .action(async (options: DemoOptions) => {
      // The world and its libraries are for this command alone: the others start without them.
      const { runDemo } = await import('./demo-run.ts')
      await runDemo(options, version)
    })
}

function defaultState(): string {
  const base = process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state')
  return join(base, 'mailcanary', 'demo')
}

function duration(text: string): number {
  const milliseconds = parseDuration(text)
  if (milliseconds === undefined)
    throw new InvalidArgumentError('Write a duration such as 60s or 5m.')
  return milliseconds
}

function portBase(text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 0 || number > 55_000) {
    throw new InvalidArgumentError('Write a whole number from 0 to 55000.')
  }
  return number
}
