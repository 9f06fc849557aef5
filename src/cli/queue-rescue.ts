import type { Command } from 'commander'

import { rescueState, type Rescued } from '../app/queue-rescue.ts'
import type { CommandContext } from './context.ts'
import { print, printJson } from './print.ts'
import { addQueueOptions, stateOf } from './queue-access.ts'
import { addStateOption, queueOf, type FilterOptions } from './queue-selection.ts'
import { amount } from './table.ts'

interface RescueOptions extends FilterOptions {
  readonly json?: boolean
}

/** `mailcanary queue rescue`: the way out of a damaged queue. */
export function addRescue(queue: Command, { exitWith }: CommandContext): void {
  addStateOption(addQueueOptions(queue.command('rescue')), false)
    .description('Save what can be read of a damaged queue, while no daemon runs.')
    .option('--json', 'what was saved as one line of JSON')
    .addHelpText(
      'after',
      `
The damaged file is moved aside and kept. What cannot be saved is named, with its sender, who has to be told.

Exit code: 0 if every message is there, 1 if some are lost, or there was nothing to do.

Example:
  mailcanary queue rescue --state /var/lib/mailcanary`,
    )
    .action(async (options: RescueOptions) => {
      const rescued = await rescueState(await stateOf(queueOf(options)))
      if (rescued.lost.length > 0) exitWith(1)
      if (options.json === true) printJson(rescued)
      else print(rescueLines(rescued))
    })
}

function rescueLines({ damaged, lost, messages, waiting }: Rescued): readonly string[] {
  return [
    `saved ${amount(messages, 'message')}, ${waiting} of them waiting; the damaged file is ${damaged}`,
    ...lost.map(({ id, lacks, reversePath }) => {
      const sender = reversePath === '' ? 'a report of our own' : `from ${reversePath}`
      const what =
        lacks === 'recipients'
          ? 'nobody knows any more to whom: its sender has to be told'
          : 'its content is not whole: its sender will get a report when it is given up'
      return `LOST: ${id}, ${sender}: ${what}`
    }),
    'Messages of which nothing could be read are not in this list: those who sent mail shortly before should look.',
  ]
}
