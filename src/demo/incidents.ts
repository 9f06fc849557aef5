import { MINUTE, SECOND } from '../base/clock.ts'
import type { Behaviour } from './behaviour.ts'

/** One thing that goes wrong, at a fixed place of the cycle. */
export interface Incident {
  /** Name of the provider, or of the old server. */
  readonly provider: string
  readonly behaviour: Exclude<Behaviour, 'inbox'>
  /** Milliseconds from the start of the cycle. */
  readonly begins: number
  readonly ends: number
  /** For people: the live output, and notes on the graphs. */
  readonly what: string
}

/** For so long after the start nothing goes wrong: the first verdicts are to be good ones. */
export const HEALTHY_START = 2 * MINUTE

export const CYCLE = 6 * MINUTE

/**
 * One cycle. Every verdict occurs in it, at most two things go wrong at a time, and its end is quiet, so that every
 * graph shows how things are when they are well.
 */
export const INCIDENTS: readonly Incident[] = [
  incident('gmail', 'spam', 0, 60, 'gmail files our mail as spam'),
  incident('hotmail', 'defer', 45, 100, 'hotmail answers 421 RP-001: too much mail from us'),
  incident('yahoo', 'lose', 90, 140, 'yahoo takes our mail with 250 and loses it'),
  incident('old-server', 'refuse', 120, 150, 'the old server refuses to relay'),
  incident('hotmail', 'unreadable', 150, 210, 'the mailbox at hotmail cannot be read'),
  incident('gmail', 'other', 180, 210, 'a filter at gmail moves our mail to another folder'),
  incident('yahoo', 'refuse', 210, 245, 'yahoo refuses our mail with 553 [TSS09]'),
  incident('old-server', 'unreachable', 230, 260, 'the old server does not answer'),
  incident('gmail', 'late', 250, 285, 'gmail takes our mail and files it much later'),
  incident('gmail', 'refuse', 290, 315, 'gmail refuses our mail with 550 5.7.1'),
]

function incident(
  provider: string,
  behaviour: Incident['behaviour'],
  begins: number,
  ends: number,
  what: string,
): Incident {
  return { provider, behaviour, begins: begins * SECOND, ends: ends * SECOND, what }
}
