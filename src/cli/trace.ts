import type { Command } from 'commander'

import type { CommandContext } from './context.ts'
import { lifeLines } from './message-view.ts'
import { print, printJson } from './print.ts'
import { addQueueOptions, askQueue } from './queue-access.ts'
import { addStateOption, queueOf, messageName, type FilterOptions } from './queue-selection.ts'

interface TraceOptions extends FilterOptions {
  readonly json?: boolean
}

/** `mailcanary trace ID`: the life of one message. */
export function addTrace(program: Command, { exitWith }: CommandContext): void {
  addStateOption(addQueueOptions(program.command('trace')), false)
    .description('Tell what became of one message, from its acceptance on.')
    .argument('<id>', 'the queue id that the client was told, or the Message-ID')
    .option('--json', 'the record as one line of JSON')
    .addHelpText(
      'after',
      `
Known is what has not been swept: messages stay for retention.messages after their end. Times are local.

Exit code: 0 if the message is known, 1 if it is not.

Examples:
  mailcanary trace 1HQ7Z6V3KAB2CDEF
  mailcanary trace '<20261123221440.1@example.org>' --json`,
    )
    .action(async (id: string, options: TraceOptions) => {
      const request = { ask: 'find', id: messageName(id) } as const
      for await (const answer of askQueue(queueOf(options), request)) {
        if (answer.kind === 'unknown') exitWith(1)
        if (options.json === true) printJson(answer)
        else if (answer.kind === 'message') print(lifeLines(answer.record, Date.now()))
        else print([`there is no message ${id}`])
      }
    })
}
