import type { VerdictLabel } from '../../src/probe/model.ts'
import type { Origin } from '../../src/probe/origin.ts'

/**
 * What is made to happen to a canary. The simulated providers do it and write down what they did; the verdict has to
 * say the same.
 */
export const FATES = [
  'inbox',
  /** Gmail files it under a tab. */
  'tab',
  'spam',
  'other',
  /** In the inbox and in spam, at once. */
  'twice',
  /** In spam first, and in the inbox after it was judged. */
  'moved',
  /** After the deadline. */
  'late',
  /** Taken with 250 and never seen. */
  'lost',
  /** Lost, and somebody puts one into the inbox that only looks like it. */
  'forged',
  'refused',
  /** Told to come again, for ever. */
  'deferred',
  /** Told to come again once. */
  'greylisted',
  /** Taken with 250, and a report comes back. */
  'returned',
  /** Taken with 250, and a report comes back that it will take longer; then it arrives. */
  'delayed',
  'full',
  /** No room either, but told as something that may pass. */
  'full-for-now',
  'locked',
] as const
export type Fate = (typeof FATES)[number]

/** Times of a run, milliseconds. */
export interface Times {
  readonly deadline: number
  /** From the deadline to the filing of what is late. */
  readonly lateBy: number
}

/** What an origin of the run does with every canary; those without a word hand it on. */
export type OriginKind = 'relay' | 'untraced' | 'login' | 'refused' | 'tls' | 'unreachable'

export interface TruthOrigin {
  readonly kind: OriginKind
  readonly origin: Origin
}

/** Which fates a canary of an origin can have at a provider. */
export function fatesOf(
  kind: OriginKind,
  provider: { readonly gmail: boolean; readonly clock: boolean },
): readonly Fate[] {
  return FATES.filter(fate => {
    // Without a trace nobody knows what waits in the queue.
    if (kind === 'untraced' && ['deferred', 'full-for-now', 'greylisted'].includes(fate))
      return false
    // Where nobody could look at the deadline, and the provider's clock lies, nobody can know what came late.
    if (fate === 'late') return provider.clock
    return fate !== 'tab' || provider.gmail
  })
}

/** What has to come out, with what has to stand beside the label. */
export interface Expected {
  readonly label: VerdictLabel
  /** Parts of the verdict. */
  readonly says: Readonly<Record<string, unknown>>
}

/** Why everything of one seed is unknown; undefined for a seed that can be read. */
export type Blind = 'unreadable' | 'sign-in' | 'no-junk-folder'
