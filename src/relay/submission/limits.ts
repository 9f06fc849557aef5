import { MINUTE, SECOND } from '../../base/clock.ts'

/** What one client may cost us. Every number has its reason beside its default. */
export interface SubmissionLimits {
  /** Octets of a message, as announced in SIZE (RFC 1870). */
  readonly messageBytes: number
  /** Recipients of one message; RFC 5321 section 4.5.3.1.8 demands 100. */
  readonly recipients: number
  /** Octets of all sessions together that are in memory: envelopes, header sections, content not yet stored. */
  readonly memoryBytes: number
  /** Connections at one time, per listener. */
  readonly connections: number
  /** Connections at one time from one network (an IPv4 address, an IPv6 /64), over all listeners. */
  readonly connectionsPerNetwork: number
  /** Refused commands in one connection, after which it ends with 421. */
  readonly errors: number
  /** Commands before a login, after which the connection ends with 421. */
  readonly commandsBeforeLogin: number
  /** Distinct wrong passwords for one login from one network within `loginWindow`. */
  readonly wrongPasswords: number
  /** Distinct wrong pairs of login and password from one network within `loginWindow`, before answers come late. */
  readonly wrongLogins: number
  /** Milliseconds for which wrong passwords are remembered. */
  readonly loginWindow: number
  /** Milliseconds that each wrong password beyond the third makes the next answer later. */
  readonly loginDelay: number
  /** Milliseconds to wait for one whole command; RFC 5321 section 4.5.3.2.7 asks for five minutes. */
  readonly commandTime: number
  /** Milliseconds a connection may last without a login, however busy it is. */
  readonly timeBeforeLogin: number
  /** Milliseconds for a TLS handshake. */
  readonly handshakeTime: number
  /** Octets a second that a message must arrive with, judged over each `rateWindow`. */
  readonly minimumRate: number
  /** Milliseconds over which the rate is judged. */
  readonly rateWindow: number
}

export const DEFAULT_LIMITS: SubmissionLimits = {
  // What Gmail takes is 25 MB of content, which base64 makes 35.
  messageBytes: 36_700_160,
  recipients: 500,
  // A thousand sessions with an ordinary message each, or 160 with the largest header section.
  memoryBytes: 67_108_864,
  // Some 60 KB for each idle TLS session.
  connections: 1_000,
  // An office behind one address: people times programs.
  connectionsPerNetwork: 100,
  errors: 20,
  // EHLO, STARTTLS, EHLO, AUTH with two lines, and that a few times over.
  commandsBeforeLogin: 50,
  // One mistake costs one, since a repeated password counts once; people have few passwords.
  wrongPasswords: 10,
  wrongLogins: 50,
  loginWindow: 15 * MINUTE,
  loginDelay: SECOND,
  commandTime: 5 * MINUTE,
  timeBeforeLogin: 10 * MINUTE,
  handshakeTime: 30 * SECOND,
  // A tenth of the slowest modem that ever carried mail.
  minimumRate: 100,
  rateWindow: MINUTE,
}

/** RFC 4954 section 4: the longest line of an AUTH exchange, CRLF included here. */
export const MAX_LINE_OCTETS = 12_288 + 2

// RFC 5321 section 4.5.3.1.4, and what the extensions we offer add: SIZE 26 (RFC 1870), BODY 17 (RFC 6152), SMTPUTF8
// 10 and addresses in UTF-8 (RFC 6531), AUTH= 500 (RFC 4954), RET and ENVID 117 and ORCPT with NOTIFY 529 (RFC 3461).
const LINE_OCTETS: ReadonlyMap<string, number> = new Map([
  ['MAIL', 512 + 26 + 17 + 10 + 500 + 117],
  ['RCPT', 512 + 10 + 529],
  ['AUTH', MAX_LINE_OCTETS],
])

/** The longest line of a command, in octets with its CRLF. */
export function maxLineOctets(verb: string): number {
  return LINE_OCTETS.get(verb) ?? 512
}

/** Octets of a line of content, CRLF included (RFC 5321 section 4.5.3.1.6). */
export const MAX_CONTENT_LINE = 1_000

/** Octets that an envelope in the making takes, and one recipient of it beside its text. */
export const ENVELOPE_IN_MEMORY = 1_024
export const RECIPIENT_IN_MEMORY = 256

/**
 * A message is taken at MAIL where the disk has one and a half times its size free (others come meanwhile, and small ones are
 * in the queue's journal a second time for a while), and at least this much: what deliveries come to has to be written as well.
 */
export const DISK_SHARE = 1.5
export const DISK_RESERVE = 1_048_576

/** Hops after which a message is taken for one that goes round in circles (RFC 5321 section 6.3). */
export const MAX_RECEIVED = 100
