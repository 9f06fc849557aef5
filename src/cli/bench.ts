import { tmpdir } from 'node:os'

import { InvalidArgumentError, type Command } from 'commander'

import type { CommandContext } from './context.ts'

interface BenchFlags {
  readonly folder: string
  readonly sessions: number
  readonly messages: number
  readonly perConnection: number
  readonly size: number
  readonly json?: true
}

/** `mailcanary bench`: how many messages a second this machine and its disk take. */
export function addBench(program: Command, { exitWith }: CommandContext): void {
  program
    .command('bench')
    .description(
      'Measure how many messages a second this machine takes, with a relay of its own on loopback.',
    )
    .option(
      '--folder <folder>',
      'where its queue is made, and removed again: on the disk that is to be measured',
      tmpdir(),
    )
    .option('--sessions <number>', 'clients at the same time', between(1, 100), 50)
    .option('--messages <number>', 'messages in all', between(1, 1_000_000), 5_000)
    .option(
      '--per-connection <number>',
      'messages before a client connects anew',
      between(1, 1_000_000),
      100,
    )
    .option('--size <octets>', 'of a message', between(200, 50_000_000), 10_240)
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
The relay is the real one: TLS, logins, limits, header, a queue that is synced to the disk before each 250, delivery to a next hop that
forgets everything. Clients and next hop share the processors with it. Nothing leaves this host.

Exit code: 0 if every message was accepted and delivered, 1 if not.

Examples:
  mailcanary bench --folder /var/lib/mailcanary
  mailcanary bench --sessions 10 --per-connection 1 --messages 500 --json`,
    )
    .action(async ({ folder, json, ...options }: BenchFlags) => {
      const { runBench } = await import('../app/bench/bench.ts')
      const result = await runBench(folder, options)
      if (result.delivered < options.messages) exitWith(1)
      if (json) {
        process.stdout.write(`${JSON.stringify({ ...options, ...result })}\n`)
        return
      }
      const { accepted, delivered, refused } = result
      const lines = [
        `accepted   ${accepted} of ${options.messages}, ${result.acceptedPerSecond.toFixed(0)} a second`,
        `delivered  ${delivered}, ${result.deliveredPerSecond.toFixed(0)} a second`,
        `a message  ${result.medianMilliseconds.toFixed(1)} ms in the middle, ${result.p99Milliseconds.toFixed(1)} ms for 99 of 100`,
        ...refused.map(([reply, times]) => `refused    ${times} with ${reply}`),
      ]
      process.stdout.write(`${lines.join('\n')}\n`)
    })
}

function between(least: number, most: number): (text: string) => number {
  return text => {
    const number = Number(text)
    if (Number.isInteger(number) && number >= least && number <= most) return number
    throw new InvalidArgumentError(`Write a whole number from ${least} to ${most}.`)
  }
}
