import { join } from 'node:path'

import type { Command } from 'commander'

import { openQueueControl, type QueueAnswer, type QueueRequest } from '../app/queue-control.ts'
import { Problem } from '../base/problem.ts'
import { loadRelay, type LoadedRelay } from '../config/load-relay.ts'
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
  const relay = options.state === undefined ? await configured(options.relay) : undefined
  const state = options.state ?? relay?.config.state ?? ''
  const answer = await askDaemon(join(state, 'control.sock'), '/queue', request)
  if (answer !== undefined) {
    yield* answer as AsyncIterable<QueueAnswer>
    return
  }
  if (relay?.store !== undefined) {
    throw new Problem(
      `no mailcanary runs on ${state}, and its queue is in a database: ask on a node that runs`,
    )
  }
  const { ask, close } = await openQueueControl(state, { providers: PROVIDERS, clock: Date.now })
  try {
    yield* ask(request)
  } finally {
    await close()
  }
}

/** The folder of the queue that is meant. */
export async function stateOf(options: QueueOptions): Promise<string> {
  return options.state ?? (await configured(options.relay)).config.state
}

async function configured(relay: string | undefined): Promise<LoadedRelay> {
  const file = relay ?? chosenFiles({}).relay
  if (file === undefined) {
    throw new Problem('there is no relay.yaml: name one with --relay, or the folder with --state')
  }
  return loadRelay(file)
}
