import type { LoadedRelay } from '../config/load-relay.ts'
import type { Candidate, Pseudonyms, Unmasked } from './pseudonyms.ts'
import type { Relay } from './relay-parts.ts'

type Known = Pick<Relay, 'directory' | 'store'>

/** Whom a pseudonym in the log means, as far as we know them anyway. */
export function whoIs(
  pseudonym: string,
  pseudonyms: Pseudonyms,
  relay: Known,
  { config }: LoadedRelay,
): AsyncIterable<Unmasked> {
  const principals = config.listen.local.map(({ principal }) => principal)
  return pseudonyms.unmask(pseudonym, candidates(relay, principals))
}

/** Hosts that need no login, people of the directory, and those to whom somebody wrote. */
async function* candidates(
  { directory, store }: Known,
  principals: readonly string[],
): AsyncGenerator<Candidate> {
  for (const name of principals) yield { kind: 'login', name }
  for (const { login, addresses } of directory.everybody()) {
    yield { kind: 'login', name: login }
    for (const name of addresses) yield { kind: 'address', name }
  }
  const domains = new Set<string>()
  for await (const address of store.recipients()) {
    yield { kind: 'address', name: address }
    domains.add(address.slice(address.lastIndexOf('@') + 1).toLowerCase())
  }
  for (const name of domains) yield { kind: 'domain', name }
}
