import { join } from 'node:path'

import type { Command } from 'commander'

import { openQueueControl, type QueueAnswer, type QueueRequest } from '../app/queue-control.ts'
import { Problem } from '../base/problem.ts'
import { loadRelay } from '../config/load-relay.ts'
import { PROVIDERS } from '../mail/providers.ts'
import { askDaemon } from './control-client.ts'
import { chosenFiles } from './files.ts'

/** Which queue is meant. */
export interface QueueOptions {
  readonly relay?: string
  /** Folder of the state. */
  readonly state?: string
}

export function addQueueOptions(command: Command): Command {
  return command.option(
    '--relay <file>',
    'configuration of the relay whose queue it is (default: /etc/mailcanary/relay.yaml)',
  )
}

/** Asks the daemon that owns the queue; where none runs, opens the queue for the time of the answer. */
export async function* askQueue(
  options: QueueOptions,
  request: QueueRequest,
): AsyncGenerator<QueueAnswer> {
  const state = options.state ?? (await configuredState(options.relay))
  const answer = await askDaemon(join(state, 'control.sock'), '/queue', request)
  if (answer !== undefined) {
    yield* answer as AsyncIterable<QueueAnswer>
    return
  }
  const { ask, close } = await openQueueControl(state, { providers: PROVIDERS, clock: Date.now })
  try {
    yield* ask(request)
  } finally {
    await close()
  }
}

async function configuredState(relay: string | undefined): Promise<string> {
  const file = relay ?? chosenFiles({}).relay
  if (file === undefined) {
    throw new Problem('there is no relay.yaml: name one with --relay, or the folder with --state')
  }
  return (await loadRelay(file)).config.state
}
