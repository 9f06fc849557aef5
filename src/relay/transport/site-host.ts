import { domainToASCII } from 'node:url'

import type { Resolver } from './resolver.ts'

/**
 * The host that stands for all that take the mail of a domain: the first by name among those of the best preference.
 * Domains that a mail provider hosts share it. The domain itself where the DNS tells of no host.
 */
export async function siteHostOf(domain: string, resolver: Resolver): Promise<string> {
  const name = domainToASCII(domain)
  if (name === '') return domain
  const answer = await resolver.mx(name)
  if (answer.kind !== 'mx') return domain
  const best = Math.min(...answer.hosts.map(({ preference }) => preference))
  const hosts = answer.hosts
    .filter(({ preference }) => preference === best)
    .map(({ host }) => host.toLowerCase().replace(/\.$/, ''))
  return hosts.toSorted()[0] ?? domain
}
