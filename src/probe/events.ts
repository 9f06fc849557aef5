import type { AuthResults } from '../mail/authentication-results.ts'
import type { Signal } from './detector-fold.ts'
import type { Stage, VerdictLabel } from './model.ts'
import type { SkipReason } from './schedule.ts'

/** What the prober reports upwards. Names of origins, providers and seeds are configured, closed sets. */
export type ProbeEvent =
  | {
      readonly kind: 'canary-submitted'
      readonly id: string
      readonly origin: string
      readonly provider: string
      readonly seed: string
      readonly queueId: string
    }
  | {
      readonly kind: 'verdict'
      readonly id: string
      readonly origin: string
      readonly provider: string
      readonly seed: string
      readonly verdict: VerdictLabel
      readonly stage: Stage | undefined
      /** From submission to arrival; undefined where it did not arrive. */
      readonly seconds: number | undefined
      readonly auth: AuthResults | undefined
      /** A few words for people: the reply, the reason of an unknown. */
      readonly detail: string
    }
  | {
      /** Seen after loss was decided: counted, and nothing else changes. */
      readonly kind: 'canary-late'
      readonly id: string
      readonly origin: string
      readonly provider: string
      readonly seed: string
      readonly seconds: number
    }
  | {
      readonly kind: 'seed-up' | 'seed-down'
      readonly seed: string
      readonly provider: string
      readonly detail: string
    }
  | {
      /** The OAuth 2 sign-in of a seed is good: after a refresh, and at the start. */
      readonly kind: 'token-refreshed'
      readonly seed: string
      readonly provider: string
      /** When the access token ends, milliseconds since the epoch. */
      readonly until: number
    }
  | {
      readonly kind: 'token-failed'
      readonly seed: string
      readonly provider: string
      /** `refused`: a person has to sign in again, or to mend the configuration. `unavailable`: it is tried again. */
      readonly result: 'refused' | 'unavailable'
      readonly detail: string
    }
  | {
      readonly kind: 'tick-skipped'
      readonly probe: string
      readonly reason: SkipReason
      readonly ticks: number
      /** A few words for people. */
      readonly detail: string
    }
  | {
      /** What keeps a probe from sending; told at every tick and when an operator changes it. */
      readonly kind: 'probe-standing'
      readonly probe: string
      readonly paused: boolean
      readonly undecided: boolean
    }
  | {
      /** Canaries fail more than they used to, or no longer do. */
      readonly kind: 'detector-alarm' | 'detector-calm'
      readonly origin: string
      readonly provider: string
      readonly signal: Signal
      /** Since the evidence began to gather: canaries, and how many of them failed. */
      readonly canaries: number
      readonly failures: number
    }
  | { readonly kind: 'forged-canary'; readonly seed: string; readonly provider: string }
  | { readonly kind: 'probe-fault'; readonly part: string; readonly cause: string }

export type ReportProbeEvent = (event: ProbeEvent) => void
