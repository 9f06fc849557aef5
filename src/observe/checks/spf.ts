import { isIP } from 'node:net'

import type { Finding } from '../../base/finding.ts'
import { AddressRanges, parseRange } from '../../base/network-range.ts'
import type { Lookup } from '../../relay/transport/system-resolver.ts'
import type { Questions } from './questions.ts'

type Asked = Pick<Questions, 'addresses' | 'mx' | 'txt'>

/** RFC 7208 section 2.6; `macro` is what only a real message could tell. */
export type SpfResult =
  | 'pass'
  | 'fail'
  | 'softfail'
  | 'neutral'
  | 'none'
  | 'temperror'
  | 'permerror'
  | 'macro'

/** Section 4.6.4: more than ten terms that ask the DNS is an error, and receivers count. */
const MOST_LOOKUPS = 10
const QUALIFIERS = { '+': 'pass', '-': 'fail', '~': 'softfail', '?': 'neutral' } as const

/** What an SPF record of a domain says of an address that sends for it. Pure but for its questions. */
export async function spfOf(domain: string, address: string, dns: Asked): Promise<SpfResult> {
  try {
    return await new Evaluation(address, dns).check(domain)
  } catch (error) {
    if (error instanceof Ending) return error.result
    throw error
  }
}

/** Whether what is sent from these addresses for a domain counts as authenticated by SPF. */
export async function spf(
  domain: string,
  addresses: readonly string[],
  dns: Asked,
): Promise<Finding> {
  const found = (state: Finding['state'], detail: string, advice = ''): Finding => ({
    check: 'spf',
    about: domain,
    state,
    detail,
    advice,
  })
  const results = await Promise.all(
    addresses.map(async address => ({ address, result: await spfOf(domain, address, dns) })),
  )
  const at = (...kinds: readonly SpfResult[]): readonly string[] =>
    results.filter(({ result }) => kinds.includes(result)).map(({ address }) => address)
  const mechanisms = addresses.map(address => `ip${isIP(address)}:${address}`).join(' ')
  if (at('permerror').length > 0) {
    return found(
      'bad',
      'is published and has an error: receivers take it for none, or refuse',
      'Correct the record: one record, no unknown words, ten DNS lookups at most (RFC 7208 section 4.6).',
    )
  }
  const refused = at('fail', 'softfail')
  if (refused.length > 0) {
    return found(
      'bad',
      `does not cover ${refused.join(', ')}: what this server sends fails`,
      `Add ${mechanisms} to the SPF record of ${domain}.`,
    )
  }
  if (at('none').length > 0) {
    return found(
      'doubtful',
      `is not published. ${GMAIL}`,
      `Publish "v=spf1 ${mechanisms} ~all" for ${domain} if this is all that sends for it, or see that everything is signed with DKIM.`,
    )
  }
  if (at('temperror').length > 0) return found('unknown', 'cannot be asked')
  if (at('macro').length > 0)
    return found('unknown', 'uses macros, which only a real message can fill')
  const neutral = at('neutral')
  if (neutral.length > 0) {
    return found(
      'doubtful',
      `says nothing about ${neutral.join(', ')} (neutral), which authenticates nothing. ${GMAIL}`,
      `Add ${mechanisms} to the SPF record of ${domain}, or see that everything is signed with DKIM.`,
    )
  }
  return found('good', `covers ${addresses.join(', ')}`)
}

const GMAIL = 'Gmail demands SPF or DKIM of every sender (550 5.7.26)'

/** Ends an evaluation wherever it is. */
class Ending extends Error {
  readonly result: SpfResult
  constructor(result: SpfResult) {
    super(result)
    this.result = result
  }
}

class Evaluation {
  readonly #address: string
  readonly #dns: Asked
  #lookups = 0

  constructor(address: string, dns: Asked) {
    this.#address = address
    this.#dns = dns
  }

  async check(domain: string): Promise<SpfResult> {
    const answer = await this.#dns.txt(domain)
    if (answer.kind === 'unavailable') throw new Ending('temperror')
    const records = (answer.kind === 'found' ? answer.value : []).filter(text =>
      /^v=spf1(?: |$)/i.test(text),
    )
    if (records.length === 0) return 'none'
    // Section 4.5.
    if (records.length > 1) throw new Ending('permerror')
    const terms = (records[0] ?? '')
      .split(/ +/)
      .slice(1)
      .filter(term => term !== '')
    for (const term of terms) {
      // Modifiers come into force after all mechanisms (section 6).
      if (/^[a-z][a-z0-9_.-]*=/i.test(term)) continue
      const [, sign = '', name = '', rest = ''] = /^([-+~?]?)([a-z0-9]+)(.*)$/i.exec(term) ?? []
      if (await this.#matches(name.toLowerCase(), rest, domain)) {
        return QUALIFIERS[(sign || '+') as keyof typeof QUALIFIERS]
      }
    }
    const redirect = terms
      .map(term => /^redirect=(.+)$/i.exec(term)?.[1])
      .find(target => target !== undefined)
    if (redirect === undefined) return 'neutral'
    this.#count()
    const result = await this.check(name(redirect))
    // Section 6.1.
    if (result === 'none') throw new Ending('permerror')
    return result
  }

  async #matches(mechanism: string, rest: string, domain: string): Promise<boolean> {
    const [, given, four, six] = /^(?::([^/]+))?(?:\/(\d+))?(?:\/\/(\d+))?$/.exec(rest) ?? []
    switch (mechanism) {
      case 'all':
        return true
      case 'ip4':
      case 'ip6':
        return this.#isIn(rest.slice(1))
      case 'include': {
        this.#count()
        const result = await this.check(name(rest.slice(1)))
        // Section 5.2.
        if (result === 'none') throw new Ending('permerror')
        return result === 'pass'
      }
      case 'a':
        this.#count()
        return this.#isOneOf(await this.#addressesOf(name(given ?? domain)), four, six)
      case 'mx': {
        this.#count()
        const hosts = this.#value(await this.#dns.mx(name(given ?? domain)))
        if (hosts.length > MOST_LOOKUPS) throw new Ending('permerror')
        const lists = await Promise.all(hosts.map(host => this.#addressesOf(host)))
        return this.#isOneOf(lists.flat(), four, six)
      }
      case 'exists':
        this.#count()
        return (await this.#addressesOf(name(rest.slice(1)))).length > 0
      case 'ptr':
        // Section 5.5: not to be used; receivers may pass it over, so nobody should lean on it.
        this.#count()
        return false
      default:
        throw new Ending('permerror')
    }
  }

  #isIn(network: string): boolean {
    if (parseRange(network) === undefined) throw new Ending('permerror')
    return new AddressRanges([network]).has(this.#address)
  }

  #isOneOf(addresses: readonly string[], four = '32', six = '128'): boolean {
    return addresses
      .filter(address => isIP(address) === isIP(this.#address))
      .some(address => this.#isIn(`${address}/${isIP(address) === 4 ? four : six}`))
  }

  async #addressesOf(host: string): Promise<readonly string[]> {
    return this.#value(await this.#dns.addresses(host))
  }

  #value(answer: Lookup<readonly string[]>): readonly string[] {
    if (answer.kind === 'unavailable') throw new Ending('temperror')
    return answer.kind === 'found' ? answer.value : []
  }

  #count(): void {
    this.#lookups += 1
    if (this.#lookups > MOST_LOOKUPS) throw new Ending('permerror')
  }
}

/** A domain of a record. Macros (section 7) stand for sender and EHLO of a message that there is none of here. */
function name(text: string): string {
  if (text.includes('%')) throw new Ending('macro')
  if (text === '') throw new Ending('permerror')
  return text
}
