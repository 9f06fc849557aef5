/** Messages that are offered to a submission server, and how. */
export interface Scenario {
  readonly name: string
  readonly title: string
  readonly sessions: number
  readonly perConnection: number
  /** Octets of a message. */
  readonly size: number
  /** Messages of one run: in full and with `--quick`. */
  readonly messages: readonly [full: number, quick: number]
  /** What our accepted messages a second should be, as a multiple of Postfix's in the same pair. */
  readonly target?: number
  /** The same against a Postfix whose logins are sha512-crypt. */
  readonly hashedTarget?: number
  /** What our messages a second that have reached the next hop should be, as a multiple of Postfix's. */
  readonly drainTarget?: number
}

const KIB = 1024

/** All with STARTTLS, TLS 1.3, ECDSA P-256, AUTH PLAIN, full handshakes, no pipelining, no delayed acknowledgements. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'a1',
    title: 'one message a connection, 1 session',
    sessions: 1,
    perConnection: 1,
    size: 10 * KIB,
    messages: [300, 100],
  },
  {
    name: 'a10',
    title: 'one message a connection, 10 sessions',
    sessions: 10,
    perConnection: 1,
    size: 10 * KIB,
    messages: [1_500, 400],
  },
  {
    name: 'a50',
    title: 'one message a connection, 50 sessions',
    sessions: 50,
    perConnection: 1,
    size: 10 * KIB,
    messages: [2_000, 500],
    target: 2,
    hashedTarget: 3,
  },
  {
    name: 'b10',
    title: '100 messages a connection, 10 sessions',
    sessions: 10,
    perConnection: 100,
    size: 10 * KIB,
    messages: [4_000, 1_000],
  },
  {
    name: 'b50',
    title: '100 messages a connection, 50 sessions',
    sessions: 50,
    perConnection: 100,
    size: 10 * KIB,
    messages: [10_000, 5_000],
    target: 5,
    drainTarget: 8,
  },
  {
    name: 'c10',
    title: '1 MiB messages, 10 sessions',
    sessions: 10,
    perConnection: 10,
    size: KIB * KIB,
    messages: [400, 100],
    target: 2.5,
  },
]

export const IDLE_SESSIONS = 1_000
export const IDLE_TARGET_KIB = 56

/** Deferred messages that a queue holds: in full and with `--quick`. */
export const DEFERRED = [1_000_000, 100_000] as const
export const DEFERRED_ACCEPT_TARGET = 0.9
export const DEFERRED_READY_TARGET = 3
