import { isIPv6 } from 'node:net'

import type { Finding } from '../../base/finding.ts'
import type { Lookup } from '../../relay/transport/system-resolver.ts'
import type { Questions } from './questions.ts'
import { reversed } from './reverse-zone.ts'

type Asked = Pick<Questions, 'a' | 'txt'>

/** What one list says of one address. */
export interface Listing {
  readonly list: string
  readonly address: string
  /** Undefined where the list cannot be asked: that is neither. */
  readonly listed: boolean | undefined
  readonly finding: Finding
}

const MAX_REASON = 200

/** Asks every list about every address, once it has shown that it works. */
export async function blocklists(
  lists: readonly string[],
  addresses: readonly string[],
  dns: Asked,
): Promise<readonly Listing[]> {
  const all = lists.map(async list => {
    const fault = await faultOf(list, dns)
    return Promise.all(
      addresses.map(async address => {
        const said =
          fault === undefined ? await askAbout(address, list, dns) : { ...fault, listed: undefined }
        const { listed, ...words } = said
        return {
          list,
          address,
          listed,
          finding: { check: 'blocklists', about: `${address} at ${list}`, ...words },
        }
      }),
    )
  })
  return (await Promise.all(all)).flat()
}

type Words = Pick<Finding, 'state' | 'detail' | 'advice'>

/**
 * Why what a list says cannot be believed. RFC 5782 section 5: every list has 127.0.0.2 and does not have 127.0.0.1, so
 * that one that died, or does not answer us, can be told from one on which nobody is.
 */
async function faultOf(list: string, dns: Asked): Promise<Words | undefined> {
  const [present, absent] = await Promise.all([
    dns.a(`2.0.0.127.${list}`),
    dns.a(`1.0.0.127.${list}`),
  ])
  const refused = [present, absent].map(refusalOf).find(words => words !== undefined)
  if (refused !== undefined) return refused
  if (absent.kind === 'found') {
    return unknown(
      'lists everything, even 127.0.0.1: it has been closed',
      'Take it out of checks.blocklists.',
    )
  }
  if (present.kind === 'unavailable') {
    return unknown(
      `cannot be asked: ${present.cause}`,
      'Look whether the name server answers, and whether the list still exists.',
    )
  }
  if (present.kind !== 'found') {
    return unknown(
      'does not list even its own test address 127.0.0.2: it is closed, or does not answer your name server',
      'Ask it by a name server of your own; take it out of checks.blocklists where it no longer exists.',
    )
  }
  return undefined
}

async function askAbout(
  address: string,
  list: string,
  dns: Asked,
): Promise<Words & { readonly listed: boolean | undefined }> {
  const name = `${reversed(address)}.${list}`
  const answer = await dns.a(name)
  const refused = refusalOf(answer)
  if (refused !== undefined) return { ...refused, listed: undefined }
  if (answer.kind === 'unavailable') {
    return { ...unknown(`cannot be asked: ${answer.cause}`, ''), listed: undefined }
  }
  if (answer.kind !== 'found') {
    return { listed: false, state: 'good', detail: 'not listed', advice: '' }
  }
  const reason = await dns.txt(name)
  const why = reason.kind === 'found' ? `: ${reason.value.join(' ').slice(0, MAX_REASON)}` : ''
  return {
    listed: true,
    state: 'bad',
    detail: `listed (${answer.value.join(', ')})${why}`,
    advice: `Find what was sent from ${isIPv6(address) ? 'this network' : 'this address'}, stop it, then ask the list to take you off.`,
  }
}

/** That an answer is no listing: the list's way to say that it does not answer us, or somebody else's answer. */
function refusalOf(answer: Lookup<readonly string[]>): Words | undefined {
  if (answer.kind !== 'found') return undefined
  const code = answer.value.find(address => address.startsWith('127.255.255.'))
  if (code !== undefined) {
    // Spamhaus began with it, others follow: .252 a wrong name, .254 a public resolver, .255 too many questions.
    return unknown(
      `refuses your name server (${code}): it does not answer public resolvers, or those that ask too much`,
      'Name a resolver of your own in checks.nameservers, or get a key of the list.',
    )
  }
  // RFC 5782 section 2.1: what is listed has an address in 127.0.0.0/8.
  const stranger = answer.value.find(address => !address.startsWith('127.'))
  if (stranger === undefined) return undefined
  return unknown(
    `is answered with ${stranger}, which no list says: your name server makes up answers, or the domain was sold`,
    'Name an honest resolver in checks.nameservers; take the list out where it no longer exists.',
  )
}

function unknown(detail: string, advice: string): Words {
  return { state: 'unknown', detail, advice }
}
