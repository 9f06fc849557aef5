import { parentPort, workerData } from 'node:worker_threads'

import { ServerIdentities } from '../../../base/server-tls.ts'
import { Front } from '../front.ts'
import { MemoryBudget } from '../memory-budget.ts'
import { OpenCount } from '../network.ts'
import type { Site } from '../site.ts'
import type { Notice, OwnerCalls, Shown, WorkerCalls, WorkerOptions } from './calls.ts'
import { Link } from './link.ts'
import { remoteStore } from './remote.ts'
import { SharedCounts, SharedTally } from './shared.ts'

/** The thread of a session worker: TLS, parsing and policy of its share of the sessions. */

if (parentPort === null) throw new Error('session-worker.ts is the main file of a thread')
const options = workerData as WorkerOptions
let notice: Notice = options.notice

const link: Link<OwnerCalls, WorkerCalls> = new Link<OwnerCalls, WorkerCalls>(parentPort, {
  open: () => front.open(true),
  shutDown: grace => front.shutDown(grace),
  useIdentities: shown => front.useIdentities(identitiesOf(shown)),
  notice: told => {
    notice = told
  },
})
const counts = new SharedCounts(options.counts, options.place, options.seed)
const tally = new SharedTally(options.tally, options.place)
const { rules } = options
const site: Site = {
  ...rules,
  ...remoteStore(link, options.bodies),
  gate: { attempt: (credentials, network) => link.ask('attempt', credentials, network) },
  counts,
  networks: new OpenCount(rules.limits.connectionsPerNetwork, counts, 'network'),
  memory: new MemoryBudget(rules.limits.memoryBytes, tally),
  freeSpace: () => notice.freeSpace,
  clock: Date.now,
  report: event => link.tell('report', event),
  ready: () => notice.unready,
  // The owner has put it, and has said so.
  onAccepted: () => undefined,
}
const front = new Front(options.listeners, identitiesOf(options.identities), site)

function identitiesOf({ pairs, ticketKeys }: Shown): ServerIdentities {
  return new ServerIdentities(pairs, ticketKeys)
}
