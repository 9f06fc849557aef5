import type { Random } from '../../base/clock.ts'

/**
 * Chance that can be had again: the same seed gives the same numbers, so that a report says the same twice and a
 * simulation can be checked. Mulberry32 of Tommy Ettinger; not for secrets.
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let word = Math.imul(state ^ (state >>> 15), 1 | state)
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32
  }
}
