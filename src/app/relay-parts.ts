import { availableParallelism } from 'node:os'

import type { ApplicationPasswords } from '../account/application-passwords.ts'
import type { ReportAccountEvent } from '../account/events.ts'
import { HOUR, SECOND } from '../base/clock.ts'
import type { Part } from '../base/lifecycle.ts'
import { Periodic } from '../base/periodic.ts'
import { messageOf } from '../base/problem.ts'
import type { LoadedRelay } from '../config/load-relay.ts'
import type { Directory } from '../directory/directory.ts'
import type { ReportDirectoryEvent } from '../directory/events.ts'
import { providerOfHost } from '../mail/provider-table.ts'
import type { ReportRelayEvent } from '../relay/events.ts'
import type { LoginLimits } from '../relay/limits/login-limits.ts'
import { RETRY_DEFAULTS } from '../relay/queue/retry.ts'
import { QueueRunner } from '../relay/queue/runner.ts'
import type { ListenerOptions } from '../relay/submission/listener.ts'
import { SubmissionServer } from '../relay/submission/server.ts'
import { openApplicationPasswords } from './application-passwords-part.ts'
import { createDirectory, directorySettings } from './directory-part.ts'
import { freeSpaceOf } from './free-space.ts'
import { createMeter, limitsOfLogins } from './limits-part.ts'
import { openMemory, type RelayStore } from './relay-memory.ts'
import { submissionRules } from './submission-rules.ts'
import type { Surroundings } from './surroundings.ts'
import { createDelivery } from './transport-parts.ts'

/** The relay, in the order in which its parts start. */
export interface Relay {
  readonly parts: readonly Part[]
  readonly store: RelayStore
  readonly directory: Directory
  /** Goes on with the directory of a changed file. @returns why it does not; undefined if it does */
  readonly useDirectory: (changed: LoadedRelay) => Promise<string | undefined>
  readonly submission: SubmissionServer
  /** Undefined where they are turned off. */
  readonly applicationPasswords: ApplicationPasswords | undefined
  readonly limitsOf: (login: string) => LoginLimits
  /** Octets that are left for the state; undefined where nobody knows. */
  readonly freeSpace: () => number | undefined
  readonly report: ReportRelayEvent
  /** Tells the runner that something may be due now. */
  readonly wake: () => void
  /** How mail goes to each provider now. */
  readonly sites: QueueRunner['sites']
}

interface Reports {
  readonly relay: ReportRelayEvent
  readonly directory: ReportDirectoryEvent
  readonly account: ReportAccountEvent
}

/** @throws Problem where the queue cannot be opened */
export async function createRelay(
  loaded: LoadedRelay,
  surroundings: Surroundings,
  report: Reports,
): Promise<Relay> {
  const { config } = loaded
  const { clock, random, folder } = surroundings
  const { limitsKey, lost, store } = await openMemory(loaded.store, folder)
  const directory = createDirectory(loaded, surroundings, report.directory)
  const applicationPasswords = await openApplicationPasswords(
    loaded,
    directory,
    surroundings,
    report.account,
  )
  const limitsOf = limitsOfLogins(loaded)
  const delivery = createDelivery(loaded, surroundings, report.relay)
  const runner = new QueueRunner({
    store,
    routeOf: () => delivery.transport,
    report: report.relay,
    providerOf: host => providerOfHost(host, surroundings.providers),
    hostname: config.hostname,
    clock,
    random,
    retry: {
      schedule: [
        config.delivery.retry[0] ?? RETRY_DEFAULTS.schedule[0],
        ...config.delivery.retry.slice(1),
      ],
      giveUpAfter: config.delivery.give_up_after,
      delayNoticeAfter: config.delivery.delay_notice_after,
    },
    concurrency: {
      total: config.delivery.concurrency,
      perDomain: config.delivery.concurrency_per_destination,
    },
    shaping: delivery.shaping,
    stopGrace: 5 * SECOND,
  })
  const freeSpace = freeSpaceOf(folder.path, clock)
  const submission = new SubmissionServer({
    hostname: config.hostname,
    listeners: listenersOf(loaded, directory),
    identities: loaded.tls,
    authenticate: (login, password) =>
      (applicationPasswords ?? directory).authenticate(login, password),
    loginOf: text => directory.loginOf(text),
    ready: () => (directory.ready() ? undefined : 'no directory data is loaded yet'),
    store,
    meter: createMeter(limitsOf, store.ledger, limitsKey, surroundings),
    freeSpace,
    onAccepted: () => runner.messagePut(),
    report: report.relay,
    clock,
    workers: workersOf(config.listen.workers),
    postmaster: `postmaster@${config.directory.domains[0] ?? config.hostname}`,
    ...submissionRules(loaded),
  })
  const retention = new Periodic({
    name: 'queue retention',
    every: HOUR,
    run: async () => {
      await store.sweep(clock() - config.retention.messages)
      await store.ledger.forget(clock())
    },
    failed: error => {
      report.relay({ kind: 'relay-fault', part: 'queue retention', cause: messageOf(error) })
    },
  })
  const parts = [
    {
      name: 'queue store',
      start: async () => {
        for (const cause of lost) report.relay({ kind: 'relay-fault', part: 'queue store', cause })
      },
      stop: () => store.close(),
    },
    retention,
    directory,
    ...(applicationPasswords === undefined ? [] : [applicationPasswords]),
    delivery.part,
    runner,
    submission,
  ]
  return {
    parts,
    store,
    directory,
    useDirectory: async changed => directory.reconfigure(directorySettings(changed, clock)),
    submission,
    applicationPasswords,
    limitsOf,
    freeSpace,
    wake: () => runner.wake(),
    sites: domains => runner.sites(domains),
    report: report.relay,
  }
}

// Beyond this the one thread that owns the store is what all wait for.
const MOST_WORKERS = 8

/** Only Linux spreads connections over threads that share a port. */
function workersOf(wanted: 'auto' | number): number {
  if (wanted !== 'auto') return wanted
  const cores = availableParallelism()
  return process.platform !== 'linux' || cores === 1 ? 0 : Math.min(cores, MOST_WORKERS)
}

function listenersOf({ config }: LoadedRelay, directory: Directory): ListenerOptions[] {
  const { submissions, submission, local, ssh } = config.listen
  const implicit = submissions.map(
    ({ host, port }) => ({ name: 'submissions', host, port, tls: 'implicit' }) as const,
  )
  const starttls = submission.map(
    ({ host, port }) => ({ name: 'submission', host, port, tls: 'starttls' }) as const,
  )
  const trusting = local.map(({ address: { host, port }, principal, addresses, networks }) => ({
    name: 'local',
    host,
    port,
    tls: 'none' as const,
    local: {
      principal: {
        login: principal,
        addresses: addresses.filter(text => !text.startsWith('@')),
        domains: addresses
          .filter(text => text.startsWith('@'))
          .map(text => text.slice(1).toLowerCase()),
      },
      ...(networks !== undefined && { networks }),
    },
  }))
  const keys = ssh && {
    name: 'ssh',
    host: '',
    port: 0,
    tls: 'none' as const,
    socket: {
      path: ssh.socket,
      ...(ssh.group !== undefined && { group: ssh.group }),
      entrust: (login: string) => directory.entrust(login),
      ownerOfKey: (fingerprint: string) => directory.ownerOfKey(fingerprint),
    },
  }
  return [...implicit, ...starttls, ...trusting, ...(keys ? [keys] : [])]
}
