/** Milliseconds since the epoch, as `Date.now` gives them. Handed in, so that tests own the time. */
export type Clock = () => number

/** A number in [0, 1), as `Math.random` gives it. Handed in, so that tests own chance. */
export type Random = () => number

export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/**
 * Spreads a delay by up to `share` of itself in both directions, so that what was started together does not
 * stay together.
 *
 * @param delay milliseconds
 * @param share 0.2 spreads by ±20 %
 */
export function jitter(delay: number, share: number, random: Random): number {
  return Math.round(delay * (1 + share * (2 * random() - 1)))
}
