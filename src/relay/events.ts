import type { FailureClass, Outcome } from '../mail/outcome.ts'

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
  | { readonly kind: 'report-queued'; readonly id: string; readonly about: string }
  | { readonly kind: 'report-undeliverable'; readonly id: string; readonly reply: string }
  | { readonly kind: 'relay-fault'; readonly part: string; readonly cause: string }

export type ReportRelayEvent = (event: RelayEvent) => void
