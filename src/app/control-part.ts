import type { Part } from '../base/lifecycle.ts'
import { Problem } from '../base/problem.ts'
import type { LoadedRelay } from '../config/load-relay.ts'
import { readPeriod } from '../probe/period.ts'
import { ControlServer } from '../web/control-server.ts'
import { createDirectoryControl } from './directory-control.ts'
import { probeNow } from './probe-now.ts'
import type { Probing } from './probing.ts'
import type { Pseudonyms } from './pseudonyms.ts'
import { createQueueControl } from './queue-control.ts'
import type { Relay } from './relay-parts.ts'
import type { Surroundings } from './surroundings.ts'
import { askTimetable } from './timetable-control.ts'
import { whoIs } from './who.ts'

/** The daemon's ear for commands: each is answered by the part that knows. */
export function createControlPart(
  { folder, providers, clock }: Surroundings,
  {
    relay,
    probing,
    loaded,
    pseudonyms,
    reload,
    say,
  }: {
    readonly relay: Relay | undefined
    readonly probing: Probing | undefined
    /** The relay's file. */
    readonly loaded: LoadedRelay | undefined
    readonly pseudonyms: Pseudonyms | undefined
    readonly reload: () => AsyncIterable<unknown>
    /** Notes in the log what an operator did. */
    readonly say: (sentence: string) => void
  },
): Part {
  const queue =
    relay &&
    createQueueControl({
      store: relay.store,
      providers,
      clock,
      wake: relay.wake,
      sites: relay.sites,
      report: relay.report,
      say,
    })
  const directory = relay && createDirectoryControl({ directory: relay.directory, say })
  return new ControlServer(folder.file('control.sock'), {
    probe: name => probeNow(probing ?? noProber(), name, clock),
    timetable: request => askTimetable(probing ?? noProber(), request),
    period: request => readPeriod((probing ?? noProber()).history, request),
    queue: request => (queue ?? noRelay())(request),
    directory: request => (directory ?? noRelay())(request),
    reload,
    who: pseudonym =>
      relay && loaded && pseudonyms ? whoIs(pseudonym, pseudonyms, relay, loaded) : noRelay(),
  })
}

function noProber(): never {
  throw new Problem('the daemon runs without probes: start it with --probes FILE')
}

function noRelay(): never {
  throw new Problem('the daemon runs without a relay, and has no queue: start it with --relay FILE')
}
