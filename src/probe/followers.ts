import { messageOf } from '../base/problem.ts'
import type { ReportProbeEvent } from './events.ts'
import type { CanaryRecord } from './history.ts'
import type { Canary, Look } from './model.ts'
import type { MessageFate } from './trace.ts'

/** What a person sees of one canary while it is on its way. */
export type ProbeStage =
  | { readonly kind: 'begun'; readonly canary: Canary }
  | { readonly kind: 'submitted'; readonly at: number; readonly queueId: string }
  | { readonly kind: 'fate'; readonly fate: MessageFate }
  | { readonly kind: 'look'; readonly look: Look }
  | { readonly kind: 'verdict'; readonly record: CanaryRecord }

/** Those who watch single canaries on their way. */
export class Followers {
  readonly #report: ReportProbeEvent
  readonly #followers = new Map<string, (stage: ProbeStage) => void>()

  constructor(report: ReportProbeEvent) {
    this.#report = report
  }

  /** Has every stage of one canary told, until its verdict. @returns a function that ends it */
  add(id: string, onStage: (stage: ProbeStage) => void): () => void {
    this.#followers.set(id, onStage)
    return () => this.#followers.delete(id)
  }

  /** Whoever follows a canary must not be able to keep it from its verdict. */
  tell(id: string, stage: ProbeStage): void {
    try {
      this.#followers.get(id)?.(stage)
    } catch (error) {
      this.#report({ kind: 'probe-fault', part: 'follower', cause: messageOf(error) })
    }
  }

  /** Nobody has to be told any more. */
  end(id: string): void {
    this.#followers.delete(id)
  }
}
