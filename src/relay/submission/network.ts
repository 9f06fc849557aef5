import { isIPv6 } from 'node:net'

/**
 * The network a client counts for: its address, or the /64 of an IPv6 address, since whoever has one has them all.
 *
 * @param address as a socket tells it, without a zone or with one
 */
export function networkOf(address: string): string {
  const bare = address.replace(/%.*$/, '').toLowerCase()
  if (!isIPv6(bare)) return bare
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(bare)?.[1]
  if (mapped !== undefined) return mapped
  const [head = '', tail] = bare.split('::')
  const left = groups(head)
  const right = tail === undefined ? [] : groups(tail)
  const all = [
    ...left,
    ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'),
    ...right,
  ]
  return `${all.slice(0, 4).join(':')}::/64`
}

function groups(text: string): string[] {
  if (text === '') return []
  return text.split(':').flatMap(group =>
    // An IPv4 address at the end stands for two groups, both beyond the first four.
    group.includes('.') ? ['0', '0'] : [group.replace(/^0+(?=.)/, '')],
  )
}

/** How much is open, by key: in this thread, or in several together. */
export interface Counts {
  /** @returns how many there are with this one */
  add(key: string): number
  remove(key: string): void
}

/** The counts of one thread that serves alone. */
export class OwnCounts implements Counts {
  readonly #open = new Map<string, number>()

  add(key: string): number {
    const open = (this.#open.get(key) ?? 0) + 1
    this.#open.set(key, open)
    return open
  }

  remove(key: string): void {
    const open = (this.#open.get(key) ?? 0) - 1
    if (open > 0) this.#open.set(key, open)
    else this.#open.delete(key)
  }
}

/** Counts what is open by key, with a limit. */
export class OpenCount {
  readonly #limit: number
  readonly #counts: Counts
  readonly #of: string

  /** @param of what is counted: tells it from all else in `counts` */
  constructor(limit: number, counts: Counts = new OwnCounts(), of = '') {
    this.#limit = limit
    this.#counts = counts
    this.#of = of
  }

  /** @returns false if the limit is reached; then nothing was counted and nothing is to be given back */
  take(key: string): boolean {
    const name = `${this.#of} ${key}`
    if (this.#counts.add(name) <= this.#limit) return true
    this.#counts.remove(name)
    return false
  }

  giveBack(key: string): void {
    this.#counts.remove(`${this.#of} ${key}`)
  }
}
