import type { FailureClass, Outcome } from '../mail/outcome.ts'
import type { LimitName, OverLimit } from './limits/login-limits.ts'
import type { SiteState } from './queue/site-traffic.ts'

/**
 * What the relay reports upwards, through one function that is handed in. Metrics and log handle every kind (the
 * compiler sees to that). Fields that identify a person (`login`) are for debug level only.
 */
export type RelayEvent =
  | { readonly kind: 'relay-listening'; readonly listener: string; readonly address: string }
  | {
      readonly kind: 'login'
      readonly result: 'accepted' | 'refused' | 'unavailable'
      readonly login: string
      readonly cause?: string
    }
  | {
      readonly kind: 'message-accepted'
      readonly id: string
      readonly login: string
      readonly size: number
      readonly recipients: number
    }
  | {
      /** A message that was not taken: at MAIL, RCPT or after the final dot. */
      readonly kind: 'message-refused'
      readonly login: string
      readonly code: number
      readonly enhanced: string
      readonly reason: string
    }
  | {
      /** A login has reached a limit: its message was taken and is held, or it was told to come later. */
      readonly kind: 'login-over-limit'
      readonly login: string
      readonly limit: LimitName
      readonly action: OverLimit
      /** The limit's number. */
      readonly most: number
      /** When there is room again, milliseconds since the epoch. */
      readonly until: number
    }
  | {
      readonly kind: 'attempt'
      readonly id: string
      readonly destination: string
      readonly provider: string
      readonly recipients: number
      readonly outcome: Outcome['kind']
      readonly class: FailureClass
      readonly host: string
      readonly tls: string
      readonly reply: string
      /** The possible second delivery of a message whose first attempt ended after the final dot. */
      readonly possibleDuplicate: boolean
    }
  | {
      /** One recipient has reached its end. */
      readonly kind: 'settled'
      readonly id: string
      readonly provider: string
      readonly final: 'delivered' | 'bounced' | 'removed'
      /** Seconds from acceptance to the end. */
      readonly seconds: number
    }
  /** A provider has objected to how much we send, and gets less. */
  | ({ readonly kind: 'slowed-down' } & SiteState)
  | { readonly kind: 'report-queued'; readonly id: string; readonly about: string }
  | { readonly kind: 'report-undeliverable'; readonly id: string; readonly reply: string }
  | {
      /** The listeners show other certificates from now on. */
      readonly kind: 'certificate-reloaded'
      /** Of each certificate, for people. */
      readonly names: readonly string[]
      /** When the first of them ends, milliseconds since the epoch. */
      readonly expiry: number
    }
  /** A thread that served sessions is dead, and they with it; another one takes its place. */
  | { readonly kind: 'session-worker-ended'; readonly cause: string }
  | { readonly kind: 'relay-fault'; readonly part: string; readonly cause: string }

export type ReportRelayEvent = (event: RelayEvent) => void
