import { AddressRanges, LOOPBACK_RANGES, trustProblem } from '../../base/network-range.ts'
import { Problem } from '../../base/problem.ts'
import type { Principal } from '../../directory/principal.ts'
import { OpenCount, type Counts } from './network.ts'

/** Whom a listener without logins trusts, and as whom. */
export interface LocalOptions {
  /** Who everybody there is: its login names the limits, its addresses are what may stand in From. */
  readonly principal: Principal
  /** Where clients may be, such as `192.0.2.0/24`. Default: this host. */
  readonly networks?: readonly string[]
}

/** The door for applications of this host or a trusted network: no password, so the address decides. */
export class LocalAccess {
  readonly principal: Principal
  readonly open: OpenCount
  readonly #networks: AddressRanges

  private constructor({ principal, networks }: LocalOptions, open: OpenCount) {
    this.principal = principal
    this.open = open
    this.#networks = new AddressRanges(networks ?? LOOPBACK_RANGES)
  }

  /**
   * @param limit connections at one time from one network; `counts` has them
   * @returns undefined for a listener that asks for logins
   * @throws Problem for one that would be an open relay
   */
  static of(
    listener: {
      readonly name: string
      readonly host: string
      readonly tls: 'implicit' | 'starttls' | 'none'
      readonly local?: LocalOptions
    },
    limit: number,
    counts?: Counts,
  ): LocalAccess | undefined {
    const { name, host, tls, local } = listener
    if (tls !== 'none' && local === undefined) return undefined
    if (local === undefined) throw new Problem(`${name}: logins need TLS`)
    if (tls !== 'none') throw new Problem(`${name}: local applications are served without TLS`)
    const problem = trustProblem(host, local.networks)
    if (problem !== undefined) throw new Problem(`${name}: ${problem}`)
    return new LocalAccess(local, new OpenCount(limit, counts, `local ${name} ${host}`))
  }

  /** @param address of the client */
  admits(address: string): boolean {
    return this.#networks.has(address)
  }
}
