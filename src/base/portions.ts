import { setImmediate as breathe } from 'node:timers/promises'

/** Items between two turns of the event loop: what we do with each takes some microseconds, so this is a few milliseconds. */
export const PORTION = 250

/**
 * Does something with each of very many items, and lets the event loop turn between portions of them: meanwhile others
 * are answered. Whoever waits for it must bear that other things happen in between.
 */
export async function inPortions<T>(items: Iterable<T>, work: (item: T) => void): Promise<void> {
  let left = PORTION
  for (const item of items) {
    if (left === 0) {
      await breathe()
      left = PORTION
    }
    work(item)
    left--
  }
}
