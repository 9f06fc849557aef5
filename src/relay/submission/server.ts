import { randomBytes } from 'node:crypto'

import type { Clock } from '../../base/clock.ts'
import type { Part } from '../../base/lifecycle.ts'
import type { ServerIdentities } from '../../base/server-tls.ts'
import type { RelayEvent, ReportRelayEvent } from '../events.ts'
import type { Metering } from '../limits/meter.ts'
import type { QueueStore } from '../queue/store.ts'
import { Front } from './front.ts'
import { DEFAULT_LIMITS, type SubmissionLimits } from './limits.ts'
import type { ListenerOptions, Place } from './listener.ts'
import { LoginGate, type Authenticate } from './login-gate.ts'
import { LoginThrottle } from './login-throttle.ts'
import { MemoryBudget } from './memory-budget.ts'
import { OpenCount, OwnCounts } from './network.ts'
import type { Site } from './site.ts'
import { SessionWorkers } from './workers/session-workers.ts'

export interface SubmissionOptions {
  /** Our own name: in the greeting, in Received and in Message-IDs that we add. */
  readonly hostname: string
  readonly listeners: readonly ListenerOptions[]
  readonly identities: ServerIdentities
  /** Its third argument is the client's network: an IPv4 address or an IPv6 /64. */
  readonly authenticate: Authenticate
  /** Which login a client means by what it wrote, so that guesses at it count together; itself unless told. */
  readonly loginOf?: (text: string) => string | undefined
  /** @returns a sentence for people on why no mail can be taken now (greeting 421 4.3.0), or undefined */
  readonly ready: () => string | undefined
  readonly store: Pick<QueueStore, 'newBody' | 'bodyFiles' | 'put'>
  /** Holds logins to their limits; without it there are none. */
  readonly meter?: Metering
  /** Octets free where the store is, or undefined if that cannot be told; asked at each MAIL. */
  readonly freeSpace?: () => number | undefined
  /** A message is in the store and due now. */
  readonly onAccepted: (id: string) => void
  readonly report: ReportRelayEvent
  readonly clock: Clock
  readonly limits?: Partial<SubmissionLimits>
  /** Where `<postmaster>` goes; unless told, postmaster at our own name. */
  readonly postmaster?: string
  /** Whether `MAIL FROM:<>` is taken from a login. Default allow: receipts need it, and From is checked anyway. */
  readonly nullReversePath?: 'allow' | 'reject'
  /** Bare CRs and LFs in content: reject with 550 5.6.0 (default), or make CRLF of them. */
  readonly bareNewlines?: 'reject' | 'normalize'
  /** Milliseconds that a session in the middle of a message has when we stop. Default 10 s. */
  readonly grace?: number
  /** Threads that serve the sessions; 0, the default, serves them in this one. `clock` is then that of the system. */
  readonly workers?: number
}

/** The submission server (RFC 6409): takes mail from people who have logged in, and puts it into the queue. */
export class SubmissionServer implements Part {
  readonly name = 'submission'
  /** Of wrong passwords, for whoever else takes them. */
  readonly throttle: LoginThrottle
  readonly #fronts: readonly (Front | SessionWorkers)[]
  readonly #report: ReportRelayEvent
  readonly #grace: number

  /** @throws Problem for a listener that would be an open relay */
  constructor(options: SubmissionOptions) {
    const limits = { ...DEFAULT_LIMITS, ...options.limits }
    const report = unfailing(options.report)
    const onAccepted = unfailing(options.onAccepted)
    const accepted: Site['onAccepted'] = ({ id, login, envelope: { recipients } }, size) => {
      report({ kind: 'message-accepted', id, login, size, recipients: recipients.length })
      onAccepted(id)
    }
    this.throttle = new LoginThrottle({
      key: randomBytes(32),
      wrongPasswords: limits.wrongPasswords,
      wrongLogins: limits.wrongLogins,
      window: limits.loginWindow,
      delay: limits.loginDelay,
      clock: options.clock,
    })
    const counts = new OwnCounts()
    const site: Site = {
      hostname: options.hostname,
      limits,
      policy: {
        nullReversePath: options.nullReversePath ?? 'allow',
        postmaster: options.postmaster ?? `postmaster@${options.hostname}`,
        recipients: limits.recipients,
      },
      bareNewlines: options.bareNewlines ?? 'reject',
      gate: new LoginGate({
        authenticate: options.authenticate,
        loginOf: options.loginOf ?? (text => text),
        throttle: this.throttle,
        report,
      }),
      counts,
      networks: new OpenCount(limits.connectionsPerNetwork, counts, 'network'),
      memory: new MemoryBudget(limits.memoryBytes),
      meter: options.meter,
      freeSpace: options.freeSpace ?? (() => undefined),
      store: options.store,
      clock: options.clock,
      report,
      ready: options.ready,
      onAccepted: accepted,
    }
    this.#report = report
    this.#grace = options.grace ?? 10_000
    const { listeners, identities, workers = 0 } = options
    // Also checks the listeners before any thread is started for them.
    const front = new Front(listeners, identities, site)
    // A Unix socket cannot be shared, and whom it lets in only we can say.
    const sockets = listeners.filter(({ socket }) => socket !== undefined)
    const ports = listeners.filter(({ socket }) => socket === undefined)
    this.#fronts =
      workers === 0
        ? [front]
        : [
            new SessionWorkers(workers, ports, identities, site),
            new Front(sockets, identities, site),
          ]
  }

  /** Where it listens: the ports, then the sockets, each in the order of the options. */
  get listening(): readonly Place[] {
    return this.#fronts.flatMap(({ places }) => places)
  }

  async start(): Promise<void> {
    for (const front of this.#fronts) await front.open(false)
    for (const { name, address } of this.listening) {
      this.#report({ kind: 'relay-listening', listener: name, address })
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#fronts.map(front => front.shutDown(this.#grace)))
  }

  /** Shows other certificates to connections to come. */
  useIdentities(identities: ServerIdentities): void {
    for (const front of this.#fronts) front.useIdentities(identities)
  }
}

/** A listener of events that fails must not turn a stored message into a refused one. */
function unfailing<T extends RelayEvent | string>(
  listener: (value: T) => void,
): (value: T) => void {
  return value => {
    try {
      listener(value)
    } catch {
      // It has failed at its own business.
    }
  }
}
