import type { FailureClass } from './outcome.ts'

/**
 * What is known of one mailbox provider. Providers differ in data, never in code: a new one is a row here, or a few
 * lines in probes.yaml.
 */
export interface Provider {
  /** Metric label and word of the configuration: lower-case letters, digits and dashes. */
  readonly name: string
  /** Suffixes of MX host names, with their leading dot, lower case. */
  readonly mxSuffixes: readonly string[]
  readonly imap?: {
    readonly host: string
    readonly port: number
    /** How one signs in: with an app password, or with an OAuth 2 token. */
    readonly auth: 'password' | 'oauth2'
    /** Whether IDLE may be used where it is advertised. */
    readonly idle: boolean
    readonly ipv4Only: boolean
  }
  /** Names of the junk folder where no flag tells, most likely first. */
  readonly junkNames: readonly string[]
  /**
   * Hosts that write Authentication-Results: each matches the end of the authserv-id; '' is a header without one.
   * Empty: the hosts that received the message, by their Received fields.
   */
  readonly authHosts: readonly string[]
  /** First rule that matches wins. */
  readonly replyRules: readonly ReplyRule[]
  /** What it takes from a sender that it has nothing against. Absent: as `OTHER`. */
  readonly shaping?: Shaping
  /** Where the row comes from: `live` was seen by us, `documentation` was read. */
  readonly verified: 'live' | 'documentation'
}

/** How much mail at a time; `Infinity` is no limit. */
export interface Shaping {
  /** Deliveries at the same time, over all domains with one set of MX hosts. */
  readonly connections: number
  /** Messages over one connection. */
  readonly messagesPerConnection: number
  readonly messagesPerMinute: number
}

/** Classifies a reply. Conditions that are absent always hold. */
export interface ReplyRule {
  /** A reply as the provider sends it: the documentation of the rule, and its test. */
  readonly sample: string
  readonly codes?: readonly number[]
  /** Enhanced codes, whole. */
  readonly enhanced?: readonly string[]
  readonly text?: RegExp
  readonly class: FailureClass
  /** Milliseconds for which a sender that is told this had better be silent. */
  readonly pause?: number
}

/** Many enhanced codes for one rule, written in a row. */
export function codes(...rows: readonly string[]): readonly string[] {
  return rows.flatMap(row => row.split(' '))
}
