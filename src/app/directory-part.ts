import { SECOND, type Clock } from '../base/clock.ts'
import type { LoadedRelay } from '../config/load-relay.ts'
import type { RelayConfig } from '../config/relay-schema.ts'
import { Directory } from '../directory/directory.ts'
import type { ReportDirectoryEvent } from '../directory/events.ts'
import { ExportFileSource } from '../directory/export-file-source.ts'
import { GUARD_LIMITS } from '../directory/guard.ts'
import type { LdapConnection } from '../directory/ldap-session.ts'
import { LdapSource } from '../directory/ldap-source.ts'
import { SCHEMAS, type DirectorySchema } from '../directory/schema.ts'
import type { DirectorySettings } from '../directory/snapshot-keeper.ts'
import type { DirectorySource } from '../directory/source.ts'
import type { Surroundings } from './surroundings.ts'

/** How the directory is read by LDAP; undefined where it is not. */
export function ldapAccess({
  config,
  ldap: secrets,
}: LoadedRelay):
  | (LdapConnection & { readonly base: string; readonly schema: DirectorySchema })
  | undefined {
  const { ldap } = config.directory
  if (ldap === undefined || secrets === undefined) return undefined
  const preset = SCHEMAS[ldap.schema]
  const people = { ...preset.people, ...attributesOf(ldap.attributes) }
  return {
    url: ldap.url,
    startTls: ldap.starttls,
    ...(secrets.ca !== undefined && { ca: secrets.ca }),
    ...(ldap.server_name !== undefined && { servername: ldap.server_name }),
    bindDn: ldap.bind_dn,
    bindPassword: secrets.bindPassword,
    operationTimeout: ldap.timeout,
    base: ldap.base,
    schema: {
      ...preset,
      people: {
        ...people,
        // The schema's filter asks for people who have its own attribute for the login.
        filter:
          ldap.filter ?? people.filter.replace(`(${preset.people.login}=`, `(${people.login}=`),
        password: ldap.password_attribute ?? people.password,
        excludeGroups: ldap.exclude_groups,
      },
    },
  }
}

/** Where logins come from, the first source first. */
export function directorySources(loaded: LoadedRelay, clock: Clock): readonly DirectorySource[] {
  const { domains, ldap, export_file: exportFile } = loaded.config.directory
  const sources: DirectorySource[] = []
  const access = ldapAccess(loaded)
  if (ldap !== undefined && access !== undefined) {
    sources.push(
      new LdapSource({
        ...access,
        name: 'ldap',
        ...(ldap.role_base !== undefined && { roleBase: ldap.role_base }),
        domains,
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
  return sources
}

/** Who may log in and send as whom, from the sources that the configuration names. */
export function createDirectory(
  loaded: LoadedRelay,
  {
    clock,
    random,
    folder,
  }: Pick<Surroundings, 'clock' | 'random'> & {
    readonly folder: Pick<Surroundings['folder'], 'file'>
  },
  report: ReportDirectoryEvent,
): Directory {
  return new Directory({
    ...directorySettings(loaded, clock),
    snapshotPath: folder.file('directory.json'),
    domains: loaded.config.directory.domains,
    acceptAddressAsLogin: true,
    report,
    clock,
    random,
  })
}

/** What a running directory takes over from a changed file: everything but the domains, which others know as well. */
export function directorySettings(loaded: LoadedRelay, clock: Clock): DirectorySettings {
  const { senders, ...rest } = loaded.config.directory
  return {
    sources: directorySources(loaded, clock),
    senders: new Map(Object.entries(senders)),
    syncEvery: rest.sync_every,
    fullEvery: rest.full_scan_every,
    guard: { ...GUARD_LIMITS, share: rest.max_loss_percent / 100 },
  }
}

type Attributes = NonNullable<RelayConfig['directory']['ldap']>['attributes']

/** The attributes that the configuration names otherwise than the schema does. */
function attributesOf({
  ssh_keys: keys,
  ...others
}: Attributes): Partial<DirectorySchema['people']> {
  return Object.fromEntries(
    Object.entries({ ...others, keys }).filter(([, name]) => name !== undefined),
  )
}
