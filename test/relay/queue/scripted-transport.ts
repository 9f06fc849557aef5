import type { Outcome } from '../../../src/mail/outcome.ts'
import type { Consignment, Transport } from '../../../src/relay/transport/transport.ts'
import { DELIVERED } from '../../contract/queue-store-samples.ts'

export interface Delivery {
  readonly consignment: Consignment
  readonly content: string
}

type Behaviour = (
  consignment: Consignment,
  signal: AbortSignal,
) => Promise<readonly Outcome[]> | readonly Outcome[]

/** A next hop that does what a test tells it, and remembers what it was handed. */
export class ScriptedTransport implements Transport {
  readonly name = 'scripted'
  readonly deliveries: Delivery[] = []
  /** How many were under way at the same time, at most: in all, and to one domain. */
  mostAtOnce = 0
  mostPerDomain = 0
  behaviour: Behaviour = ({ recipients }) => recipients.map(() => DELIVERED)
  readonly #underWay = new Map<string, number>()

  async deliver(consignment: Consignment, signal: AbortSignal): Promise<readonly Outcome[]> {
    const { domain } = consignment
    this.#count(domain, 1)
    try {
      const parts: Uint8Array[] = []
      for await (const chunk of consignment.body()) parts.push(chunk)
      this.deliveries.push({ consignment, content: Buffer.concat(parts).toString() })
      return await this.behaviour(consignment, signal)
    } finally {
      this.#count(domain, -1)
    }
  }

  async close(): Promise<void> {
    this.#underWay.clear()
  }

  #count(domain: string, change: number): void {
    this.#underWay.set(domain, (this.#underWay.get(domain) ?? 0) + change)
    const all = [...this.#underWay.values()]
    this.mostAtOnce = Math.max(
      this.mostAtOnce,
      all.reduce((sum, n) => sum + n, 0),
    )
    this.mostPerDomain = Math.max(this.mostPerDomain, ...all)
  }
}

/** Never answers; ends when it is aborted, as a transport must. */
export function untilAborted(outcome: Outcome): Behaviour {
  return async ({ recipients }, signal) => {
    await new Promise<void>(resolve => {
      if (signal.aborted) resolve()
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    return recipients.map(() => outcome)
  }
}
