import type { Tally } from '../memory-budget.ts'
import type { Counts } from '../network.ts'

/*
 * What all workers count together, in memory that they share. Each writes only to a part of its own and reads those of all,
 * so that what a dead one has left behind can be wiped out.
 */

// Two networks that share a slot have one limit together. With a thousand connections that nearly never happens, and
// nobody outside can bring it about, for nobody knows the seed.
const SLOTS = 16_384

/** @returns memory for the counts of so many workers */
export function countsMemory(workers: number): SharedArrayBuffer {
  return new SharedArrayBuffer(workers * SLOTS * Int32Array.BYTES_PER_ELEMENT)
}

export function tallyMemory(workers: number): SharedArrayBuffer {
  return new SharedArrayBuffer(workers * Int32Array.BYTES_PER_ELEMENT)
}

/** Counts of several threads. */
export class SharedCounts implements Counts {
  readonly #all: Int32Array
  readonly #own: number
  readonly #seed: number

  /** @param worker whose part is written to */
  constructor(memory: SharedArrayBuffer, worker: number, seed: number) {
    this.#all = new Int32Array(memory)
    this.#own = worker * SLOTS
    this.#seed = seed
  }

  add(key: string): number {
    const slot = this.#slot(key)
    Atomics.add(this.#all, this.#own + slot, 1)
    let sum = 0
    for (let at = slot; at < this.#all.length; at += SLOTS) sum += Atomics.load(this.#all, at)
    return sum
  }

  remove(key: string): void {
    Atomics.sub(this.#all, this.#own + this.#slot(key), 1)
  }

  /** The worker is dead: nothing of it is open. */
  clear(): void {
    this.#all.fill(0, this.#own, this.#own + SLOTS)
  }

  /** FNV-1a, which is good enough where the seed is secret. */
  #slot(key: string): number {
    let hash = this.#seed
    for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
    return (hash ^ (hash >>> 15)) & (SLOTS - 1)
  }
}

const KIB = 1_024

/** Octets of several threads: each tells the others its own in KiB, rounded up. */
export class SharedTally implements Tally {
  readonly #all: Int32Array
  readonly #own: number
  #octets = 0

  constructor(memory: SharedArrayBuffer, worker: number) {
    this.#all = new Int32Array(memory)
    this.#own = worker
  }

  add(octets: number): number {
    this.#octets += octets
    Atomics.store(this.#all, this.#own, Math.ceil(this.#octets / KIB))
    let sum = this.#octets
    for (let at = 0; at < this.#all.length; at++) {
      if (at !== this.#own) sum += KIB * Atomics.load(this.#all, at)
    }
    return sum
  }

  clear(): void {
    this.#octets = 0
    Atomics.store(this.#all, this.#own, 0)
  }
}
