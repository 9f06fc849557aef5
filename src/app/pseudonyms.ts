import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setImmediate as breathe } from 'node:timers/promises'

import { writeAtomically } from '../base/atomic-file.ts'
import { HOUR, type Clock } from '../base/clock.ts'
import type { Part } from '../base/lifecycle.ts'
import { Periodic } from '../base/periodic.ts'
import { codeOf, Problem } from '../base/problem.ts'

interface Key {
  /** When it was made, milliseconds since the epoch; it is in use until the next one is made. */
  readonly from: number
  /** Base64. */
  readonly key: string
}

/** Somebody whom a pseudonym may mean. */
export interface Candidate {
  readonly kind: 'login' | 'address' | 'domain'
  readonly name: string
}

/** Whom a pseudonym means, and when it was given to them. */
export interface Unmasked extends Candidate {
  /** Milliseconds since the epoch. */
  readonly from: number
  /** When another key took over; undefined for the one in use. */
  readonly until: number | undefined
}

const OCTETS = 32
// Crockford's base 32 in small letters; see `base/id.ts`.
const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz'
// 40 bits: among a million names, two share one with a chance of a millionth for each that is looked up.
const LENGTH = 8
/** After so many candidates everybody else gets a turn. */
const PORTION = 1_000
/** Pseudonyms that are kept, before all are forgotten. */
const LATELY = 10_000

/**
 * Names for people in the log, which mean nothing without a key. The key changes with every retention time of the log;
 * old ones are kept for as long again, since lines of their last day are that old then. With the key goes the only way
 * back to the person.
 */
export class Pseudonyms implements Part {
  readonly name = 'pseudonyms'
  readonly #path: string
  readonly #retention: number
  readonly #clock: Clock
  readonly #turning: Periodic
  #keys: readonly [Key, ...Key[]]
  /** HMACs were 2 % of the owner's time in b50, two of three for the log: mail is sent by and to the same names again and again. */
  #lately: { readonly key: Key | undefined; readonly names: Map<string, string> } = {
    key: undefined,
    names: new Map(),
  }

  private constructor(path: string, keys: readonly [Key, ...Key[]], options: PseudonymOptions) {
    this.#path = path
    this.#keys = keys
    this.#retention = options.retention
    this.#clock = options.clock
    this.#turning = new Periodic({
      name: this.name,
      every: HOUR,
      run: () => this.rotate(),
      failed: options.failed ?? ((): void => undefined),
    })
  }

  /**
   * Reads the keys, or makes the first.
   *
   * @throws Problem where the file cannot be understood; the file system's errors
   */
  static async open(path: string, options: PseudonymOptions): Promise<Pseudonyms> {
    const kept = await load(path)
    const [newest, ...older] = kept
    if (newest === undefined) {
      const key = newKey(options.clock())
      await save(path, [key])
      return new Pseudonyms(path, [key], options)
    }
    const pseudonyms = new Pseudonyms(path, [newest, ...older], options)
    await pseudonyms.rotate()
    return pseudonyms
  }

  start(): Promise<void> {
    return this.#turning.start()
  }

  stop(): Promise<void> {
    return this.#turning.stop()
  }

  /** @returns `~k3f9q2m8`, the same for a login, an address or a domain in whatever case for as long as its key is used */
  of(name: string): string {
    const [key] = this.#keys
    if (this.#lately.key !== key || this.#lately.names.size >= LATELY) {
      this.#lately = { key, names: new Map() }
    }
    const { names } = this.#lately
    let known = names.get(name)
    if (known === undefined) names.set(name, (known = pseudonym(key, name)))
    return known
  }

  /** Makes a new key when it is time, and destroys those that nobody may use any more. */
  async rotate(): Promise<void> {
    const now = this.#clock()
    const [newest, ...older] = this.#keys
    const keys: [Key, ...Key[]] = [newest, ...older]
    if (now - newest.from >= this.#retention) keys.unshift(newKey(now))
    const living = keys.filter(({ from }, i) => {
      const successor = keys[i - 1]
      if (successor === undefined) return true
      // Its successor may have been made long after, when a daemon that was down was started again.
      const lastUse = Math.min(successor.from, from + this.#retention + HOUR)
      return now - lastUse < this.#retention
    })
    if (living.length === this.#keys.length && living[0] === newest) return
    await save(this.#path, living)
    const [first, ...rest] = living
    if (first !== undefined) this.#keys = [first, ...rest]
  }

  /** Whom a pseudonym means: tries every candidate with every key that is left. */
  async *unmask(
    wanted: string,
    candidates: AsyncIterable<Candidate> | Iterable<Candidate>,
  ): AsyncGenerator<Unmasked> {
    await this.rotate()
    let tried = 0
    for await (const candidate of candidates) {
      for (const [i, key] of this.#keys.entries()) {
        if (pseudonym(key, candidate.name) !== wanted) continue
        yield { ...candidate, from: key.from, until: this.#keys[i - 1]?.from }
      }
      if (++tried % PORTION === 0) await breathe()
    }
  }
}

export interface PseudonymOptions {
  /** Milliseconds. */
  readonly retention: number
  readonly clock: Clock
  /** Is told when a key could not be changed; the old one stays in use. */
  readonly failed?: (error: unknown) => void
}

/** Whether a text has the shape of a pseudonym. */
export function isPseudonym(text: string): boolean {
  return new RegExp(`^~[${DIGITS}]{${LENGTH}}$`).test(text)
}

function pseudonym(key: Key, name: string): string {
  const digest = createHmac('sha256', secretOf(key)).update(name.toLowerCase()).digest()
  // Every octet of a MAC is as good as any other: five bits of each make a digit.
  return `~${[...digest.subarray(0, LENGTH)].map(octet => DIGITS.charAt(octet % 32)).join('')}`
}

// Made once a key: out of its text each HMAC would make it anew, and a busy relay writes thousands of names a second.
const secrets = new WeakMap<Key, KeyObject>()

function secretOf(key: Key): KeyObject {
  const known = secrets.get(key) ?? createSecretKey(key.key, 'base64')
  secrets.set(key, known)
  return known
}

function newKey(from: number): Key {
  return { from, key: randomBytes(OCTETS).toString('base64') }
}

async function save(path: string, keys: readonly Key[]): Promise<void> {
  await writeAtomically(path, `${JSON.stringify(keys)}\n`)
}

async function load(path: string): Promise<readonly Key[]> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
  const keys = parsed(text)
  if (Array.isArray(keys) && keys.length > 0 && keys.every(isKey)) return keys
  throw new Problem(
    `${path} should hold keys: restore it, or remove it and lose whom the pseudonyms in the log mean`,
  )
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isKey(value: unknown): value is Key {
  return (
    typeof value === 'object' &&
    value !== null &&
    'from' in value &&
    typeof value.from === 'number' &&
    'key' in value &&
    typeof value.key === 'string' &&
    Buffer.from(value.key, 'base64').length === OCTETS
  )
}
