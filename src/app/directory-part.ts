import { SECOND } from '../base/clock.ts'
import type { LoadedRelay } from '../config/load-relay.ts'
import { Directory } from '../directory/directory.ts'
import type { ReportDirectoryEvent } from '../directory/events.ts'
import { ExportFileSource } from '../directory/export-file-source.ts'
import { GUARD_LIMITS } from '../directory/guard.ts'
import { LdapSource } from '../directory/ldap-source.ts'
import { SCHEMAS } from '../directory/schema.ts'
import type { DirectorySource } from '../directory/source.ts'
import type { Surroundings } from './surroundings.ts'

/** Who may log in and send as whom, from the sources that the configuration names. */
export function createDirectory(
  { config, ldap: secrets }: LoadedRelay,
  { clock, random, folder }: Surroundings,
  report: ReportDirectoryEvent,
): Directory {
  const { domains, ldap, export_file: exportFile, ...rest } = config.directory
  const sources: DirectorySource[] = []
  if (ldap !== undefined && secrets !== undefined) {
    const preset = SCHEMAS[ldap.schema]
    const { filter = preset.people.filter } = ldap
    sources.push(
      new LdapSource({
        name: 'ldap',
        url: ldap.url,
        startTls: ldap.starttls,
        ...(secrets.ca !== undefined && { ca: secrets.ca }),
        ...(ldap.server_name !== undefined && { servername: ldap.server_name }),
        bindDn: ldap.bind_dn,
        bindPassword: secrets.bindPassword,
        base: ldap.base,
        ...(ldap.role_base !== undefined && { roleBase: ldap.role_base }),
        schema: {
          ...preset,
          people: { ...preset.people, filter, password: ldap.password_attribute },
        },
        domains,
        operationTimeout: ldap.timeout,
        // A page of a large directory takes one operation; a whole reading takes many.
        readTimeout: 30 * ldap.timeout,
        clock,
      }),
    )
  }
  if (exportFile !== undefined) {
    sources.push(
      new ExportFileSource({ name: 'export-file', path: exportFile.path, domains, settle: SECOND }),
    )
  }
  return new Directory({
    sources,
    snapshotPath: folder.file('directory.json'),
    domains,
    acceptAddressAsLogin: true,
    senders: new Map(Object.entries(rest.senders)),
    syncEvery: rest.sync_every,
    fullEvery: rest.full_scan_every,
    guard: { ...GUARD_LIMITS, share: rest.max_loss_percent / 100 },
    report,
    clock,
    random,
  })
}
