import { InvalidArgumentError, type Command } from 'commander'

import type { OperatorAction, QueueAnswer, QueueRequest } from '../app/queue-control.ts'
import type { CommandContext } from './context.ts'
import { messageLines } from './message-view.ts'
import { operatorName } from './operator.ts'
import { print, printJson } from './print.ts'
import { addQueueOptions, askQueue } from './queue-access.ts'
import { ActedTally, standingLines } from './queue-acted.ts'
import { confirmDrop } from './queue-confirm.ts'
import { listLines } from './queue-list.ts'
import { addRescue } from './queue-rescue.ts'
import {
  addFilterOptions,
  addStateOption,
  messageName,
  queueOf,
  requireMeant,
  selectionOf,
  targetOf,
  type FilterOptions,
} from './queue-selection.ts'
import { siteLine } from './site-words.ts'

interface ListOptions extends FilterOptions {
  readonly limit: number
  readonly json?: boolean
}

interface ActOptions extends FilterOptions {
  readonly json?: boolean
  readonly yes?: boolean
}

const WHAT: Readonly<Record<OperatorAction, string>> = {
  retry: 'Try messages again now, whatever their time.',
  hold: 'Keep messages back until they are released.',
  release: 'Let messages go that were kept back.',
  drop: 'Remove messages from the queue; nobody is told.',
}

const STANDING = `
--destination, --login or --everything alone is a hold that stands: it keeps back what is there and what comes, until
release is said with the same words. All other filters, and --all, are about what waits at this moment.
`

const EXAMPLES: Readonly<Record<OperatorAction, string>> = {
  retry: `  mailcanary queue retry 1HQ7Z6V3KAB2CDEF
  mailcanary queue retry --destination example.net`,
  hold: `  mailcanary queue hold --login alice
  mailcanary queue hold --everything`,
  release: `  mailcanary queue release --login alice
  mailcanary queue release --state held --older-than 1h`,
  drop: `  mailcanary queue drop 1HQ7Z6V3KAB2CDEF
  mailcanary queue drop --login alice --destination example.net --yes`,
}

/** `mailcanary queue`: the hands of the operator on the messages that wait. */
export function addQueue(program: Command, context: CommandContext): void {
  const queue = program
    .command('queue')
    .description('Look at the messages that wait, and try, keep back, release or remove them.')
  addList(queue)
  addShow(queue, context)
  addRescue(queue, context)
  for (const action of ['retry', 'hold', 'release', 'drop'] as const) {
    addAction(queue, action, context)
  }
}

function addList(queue: Command): void {
  addFilterOptions(addQueueOptions(queue.command('list')))
    .description('List what waits, oldest first, with the reason and the next try.')
    .option('--limit <n>', 'how many at most', readLimit, 100)
    .option('--json', 'one line of JSON for the queue, each delivery, and the end')
    .addHelpText(
      'after',
      `
One line a delivery: the recipients of one message at one destination, tried together.

Exit code: 0, also where nothing was found.

Examples:
  mailcanary queue list --destination example.net --older-than 1h
  mailcanary queue list --state held --json`,
    )
    .action(async (options: ListOptions) => {
      const select = selectionOf([], options)
      const answers: QueueAnswer[] = []
      for await (const answer of askQueue(queueOf(options), {
        ask: 'list',
        select,
        limit: options.limit,
      })) {
        if (options.json === true) printJson(answer)
        else answers.push(answer)
      }
      if (options.json !== true) print(listLines(answers, Date.now(), process.stdout.columns))
    })
}

function addShow(queue: Command, { exitWith }: CommandContext): void {
  addStateOption(addQueueOptions(queue.command('show')), false)
    .description('Show everything of one message but its content.')
    .argument('<id>', 'queue id, or Message-ID')
    .option('--json', 'the record as one line of JSON')
    .addHelpText(
      'after',
      `
Exit code: 0 if the message is known, 1 if it is not.

Example:
  mailcanary queue show 1HQ7Z6V3KAB2CDEF`,
    )
    .action(async (id: string, options: ActOptions) => {
      for await (const answer of askQueue(queueOf(options), { ask: 'find', id: messageName(id) })) {
        if (answer.kind === 'unknown') exitWith(1)
        if (options.json === true) printJson(answer)
        else if (answer.kind === 'message') {
          const now = Date.now()
          print([
            ...messageLines(answer.record, now),
            ...answer.sites.map(site => siteLine(site, now)),
          ])
        } else print([`there is no message ${id}`])
      }
    })
}

function addAction(queue: Command, action: OperatorAction, context: CommandContext): void {
  const stands = action === 'hold' || action === 'release'
  const command = addFilterOptions(addQueueOptions(queue.command(action)))
    .description(WHAT[action])
    .argument('[ids...]', 'queue ids or Message-IDs')
    .option('--all', 'what waits at this moment: all of it, or all that the filters leave')
    .option('--json', 'one line of JSON for each delivery')
  if (stands) command.option('--everything', 'all mail of the relay, what comes later too')
  if (action === 'drop') command.option('--yes', 'do not ask')
  command
    .addHelpText(
      'after',
      `${stands ? STANDING : ''}
What is being attempted at this moment is left alone, and said. Who did it stands in each message's trace.

Exit code: 0 done, 1 something was left as it was (the reason is printed).

Examples:
${EXAMPLES[action]}`,
    )
    .action(async (ids: string[], options: ActOptions) => {
      context.exitWith(await act(action, ids, options))
    })
}

async function act(
  action: OperatorAction,
  ids: readonly string[],
  options: ActOptions,
): Promise<number> {
  const by = operatorName()
  const queue = queueOf(options)
  const json = options.json === true
  if (action === 'hold' || action === 'release') {
    const target = targetOf(ids, options)
    if (target !== undefined) {
      const ask = action === 'hold' ? 'hold' : 'lift'
      return stand(askQueue(queue, { ask, target, by }), json)
    }
  }
  const select = requireMeant(ids, options)
  if (action === 'drop' && options.yes !== true) await confirmDrop(queue, select)
  const request: QueueRequest = { ask: 'act', action, select, by }
  const tally = new ActedTally(action)
  for await (const answer of askQueue(queue, request)) {
    if (answer.kind !== 'acted') continue
    const line = tally.add(answer)
    if (json) printJson(answer)
    else if (line !== undefined) print([line])
  }
  if (!json) print([tally.summary])
  return tally.exitCode
}

async function stand(answers: AsyncIterable<QueueAnswer>, json: boolean): Promise<number> {
  let code = 0
  for await (const answer of answers) {
    if (answer.kind !== 'standing') continue
    if (answer.ask === 'lift' && !answer.changed) code = 1
    if (json) printJson(answer)
    else print(standingLines(answer, Date.now()))
  }
  return code
}

function readLimit(text: string): number {
  const limit = Number(text)
  if (/^\d{1,9}$/.test(text) && limit > 0) return limit
  throw new InvalidArgumentError('Write a number from 1 on.')
}
