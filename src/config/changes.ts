import { Secret } from '../base/secret.ts'
import type { LoadedProbes } from './load-probes.ts'
import type { LoadedRelay } from './load-relay.ts'

/**
 * The keys under which two readings of relay.yaml differ, as `delivery.retry`; also where only a file that it names holds
 * something else. Certificates are left out: they are looked after by themselves.
 */
export function relayChanges(before: LoadedRelay, after: LoadedRelay): readonly string[] {
  return distinct([
    ...differences(before.config, after.config),
    ...differences(namedByRelay(before), namedByRelay(after)),
  ])
}

/** The same for probes.yaml. */
export function probesChanges(before: LoadedProbes, after: LoadedProbes): readonly string[] {
  return distinct([
    ...differences(before.config, after.config),
    ...differences(namedByProbes(before), namedByProbes(after)),
  ])
}

function namedByRelay({ ldap, smarthost, store, admin }: LoadedRelay): unknown {
  return {
    admin: { token: admin.token },
    directory: { ldap },
    delivery: { smarthost },
    store: { postgres: store },
  }
}

function namedByProbes({ origins, seeds, oauth, store, admin }: LoadedProbes): unknown {
  return { admin: { token: admin.token }, origins, seeds, oauth, store: { postgres: store } }
}

/** Lists differ as a whole, as does what one of the two has not. */
function differences(before: unknown, after: unknown, path = ''): string[] {
  const [old, now] = [membersOf(before), membersOf(after)]
  if (old === undefined || now === undefined) return same(before, after) ? [] : [path]
  return distinct([...old.keys(), ...now.keys()]).flatMap(key => {
    const words = key.replaceAll(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
    return differences(old.get(key), now.get(key), path === '' ? words : `${path}.${words}`)
  })
}

function membersOf(value: unknown): ReadonlyMap<string, unknown> | undefined {
  if (value instanceof Map) return value as ReadonlyMap<string, unknown>
  if (typeof value !== 'object' || value === null) return undefined
  return Object.getPrototypeOf(value) === Object.prototype
    ? new Map(Object.entries(value))
    : undefined
}

function same(before: unknown, after: unknown): boolean {
  return before instanceof Secret
    ? before.equals(after)
    : JSON.stringify(before) === JSON.stringify(after)
}

function distinct(keys: readonly string[]): string[] {
  return [...new Set(keys)]
}
