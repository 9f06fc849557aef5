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
  readonly imap?: ProviderImap
  /** Where tokens come from, for accounts that sign in with OAuth 2. */
  readonly oauth?: OAuthEndpoints
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
  /** What a person who sets up a seed there has to know, and what else goes wrong: whole sentences. */
  readonly advice?: readonly string[]
}

/** How the mailboxes of a provider are read. */
export interface ProviderImap {
  readonly host: string
  readonly port: number
  /** How one signs in unless the seed says otherwise: with an app password, or with an OAuth 2 token. */
  readonly auth: 'password' | 'oauth2'
  /** A password is never taken, whatever AUTH=PLAIN among the capabilities says. */
  readonly noPassword?: boolean
  /** What one signs in as, unless the seed says otherwise; the address unless told. */
  readonly username?: 'address' | 'local-part'
  /** Whether IDLE may be used where it is advertised. */
  readonly idle: boolean
  /** The host misbehaves over IPv6. */
  readonly ipv4Only: boolean
  /** Connections of one account that are borne at the same time; a seed takes one. Absent where nobody knows. */
  readonly connections?: number
}

/** OAuth 2 at one provider (RFC 6749, RFC 8628). */
export interface OAuthEndpoints {
  /** Where a device asks for a code to show; absent where mail may not be read that way. */
  readonly deviceUrl?: string
  /** Where a person agrees in a browser. */
  readonly authorizeUrl?: string
  readonly tokenUrl: string
  readonly scope: string
  /** How long a sign-in lasts that is not used, milliseconds, as documented; absent where nobody says. */
  readonly idleLimit?: number
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
