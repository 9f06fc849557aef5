import { DAY, HOUR } from '../base/clock.ts'

/*
 * Verdicts and arrival times are counted by the hour, by six and by the day (UTC) in the same transaction that stores them, so
 * that a chart of a month does not have to read a million canaries. The counts say nothing that the canaries do not:
 * they can be made anew from them at any time.
 *
 * Arrival times are counted in classes. A class is `round(ln(seconds) * CLASSES)`: as wide as 1/12 of its logarithm, so
 * that a quantile read from them is at most 4.3 % off, for a second as for a day.
 */

/** What is counted, in milliseconds; each is a multiple of the one before. */
export const SPANS = [HOUR, 6 * HOUR, DAY] as const

/** Classes of arrival times in one step of the natural logarithm. */
export const CLASSES = 12

/** Whole spans that a question can be answered from; what is before and after them has to be counted anew. */
export interface WholeSpans {
  readonly span: number
  /** Milliseconds since the epoch. Equal where there are none. */
  readonly from: number
  readonly until: number
}

/**
 * The longest spans that fit a question.
 *
 * @param step of the answer in milliseconds; 0 for one step for all
 */
export function wholeSpans(since: number, until: number, step: number): WholeSpans {
  for (const span of SPANS.toReversed()) {
    const from = Math.ceil(since / span) * span
    const end = Math.floor(until / span) * span
    if (step % span === 0 && from < end) return { span, from, until: end }
  }
  return { span: HOUR, from: since, until: since }
}
