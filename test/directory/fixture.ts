import { join } from 'node:path'

import { MINUTE, SECOND } from '../../src/base/clock.ts'
import { Secret } from '../../src/base/secret.ts'
import { Directory, type DirectoryOptions } from '../../src/directory/directory.ts'
import type { DirectoryEvent } from '../../src/directory/events.ts'
import { LdapSource, type LdapSourceOptions } from '../../src/directory/ldap-source.ts'
import { SCHEMAS } from '../../src/directory/schema.ts'
import type { Slapd } from '../support/slapd.ts'

export const DOMAINS = ['example.org']

export function ldapSource(slapd: Slapd, options: Partial<LdapSourceOptions> = {}): LdapSource {
  return new LdapSource({
    name: 'ldap',
    url: slapd.ldapsUrl,
    startTls: false,
    ca: slapd.ca,
    servername: 'ldap.test',
    bindDn: slapd.bindDn,
    bindPassword: new Secret(slapd.bindPassword),
    base: slapd.peopleDn,
    schema: SCHEMAS['userdir-ldap'],
    domains: DOMAINS,
    operationTimeout: 5 * SECOND,
    readTimeout: 20 * SECOND,
    clock: Date.now,
    ...options,
  })
}

/** A directory whose background comparisons are a day away, so that a test calls for each itself. */
export function directoryOf(
  folder: string,
  options: Pick<DirectoryOptions, 'sources'> & Partial<DirectoryOptions>,
): { readonly directory: Directory; readonly events: DirectoryEvent[] } {
  const events: DirectoryEvent[] = []
  const directory = new Directory({
    snapshotPath: join(folder, 'directory.json'),
    domains: DOMAINS,
    acceptAddressAsLogin: true,
    syncEvery: 24 * 60 * MINUTE,
    fullEvery: 24 * 60 * MINUTE,
    verifier: { threads: 1, remember: 0 },
    report: event => events.push(event),
    clock: Date.now,
    random: () => 0.5,
    ...options,
  })
  return { directory, events }
}
