import { spawnSync } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { testCertificates } from './certificates.ts'
import { freePort } from './ports.ts'
import { makeScratch } from './scratch.ts'
import { asNobody, findProgram, portOpen, ServerProcess } from './server-process.ts'

export const BASE_DN = 'dc=example,dc=org'
export const PEOPLE_DN = `ou=users,${BASE_DN}`
const SYNC_DN = `cn=relaysync,${BASE_DN}`
const SYNC_PASSWORD = 'test-sync'
const ADMIN_DN = `cn=admin,${BASE_DN}`
const ADMIN_PASSWORD = 'test-admin'

export interface SlapdPerson {
  readonly uid: string
  /** Values of mailPassword. */
  readonly mailPassword?: string | readonly string[]
  readonly userPassword?: string
  readonly mail?: string
  /** Further attributes: accountStatus, shadowExpire, supplementaryGid, emailForward, sshRSAAuthKey. */
  readonly attributes?: Readonly<Record<string, string | readonly string[]>>
}

export interface SlapdRole {
  readonly uid: string
  readonly emailForward: string
}

export interface SlapdOptions {
  readonly people: readonly SlapdPerson[]
  readonly roles?: readonly SlapdRole[]
  /** Lines of slapd.conf instead of the access rules and limits that protect mailPassword. */
  readonly access?: readonly string[]
}

export interface Slapd {
  readonly url: string
  readonly ldapsUrl: string
  readonly baseDn: string
  readonly peopleDn: string
  readonly bindDn: string
  readonly bindPassword: string
  /** PEM of the authority; the certificate bears ldap.test, localhost and 127.0.0.1. */
  readonly ca: string
  readonly pid: number
  /** Applies LDIF with change types, as the administrator. */
  modify(ldif: string): void
  /** Hangs it: it keeps its connections and answers nothing, until SIGCONT. */
  freeze(): Promise<void>
  signal(signal: NodeJS.Signals): void
  /** Stops it for good and removes its folder. */
  stop(): Promise<void>
  /** Stops it for a while. */
  down(): Promise<void>
  /** Starts it again on the same ports with the same data, and other access rules if there are any. */
  restart(access?: readonly string[]): Promise<void>
}

// OIDs of mailPassword and of the four attributes beside it are invented; the classes are userdir-ldap's.
const SCHEMA = `
attributetype ( 1.3.6.1.4.1.9586.100.4.99.2 NAME 'emailForward' EQUALITY caseIgnoreIA5Match SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )
attributetype ( 1.3.6.1.4.1.9586.100.4.99.3 NAME 'sshRSAAuthKey' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )
attributetype ( 1.3.6.1.4.1.9586.100.4.99.4 NAME 'accountStatus' EQUALITY caseIgnoreIA5Match SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )
attributetype ( 1.3.6.1.4.1.9586.100.4.99.5 NAME 'supplementaryGid' EQUALITY caseIgnoreIA5Match SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )
attributetype ( 1.3.6.1.4.1.9586.100.4.99.1 NAME 'mailPassword' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )
objectclass ( 1.3.6.1.4.1.9586.100.4.1.1 NAME 'debianAccount' SUP top AUXILIARY MUST ( cn $ uid $ uidNumber $ gidNumber ) MAY ( userPassword $ mailPassword $ loginShell $ homeDirectory ) )
objectclass ( 1.3.6.1.4.1.9586.100.4.3.1 NAME 'debianDeveloper' SUP top AUXILIARY MUST ( uid $ cn $ sn ) MAY ( accountStatus $ emailForward $ sshRSAAuthKey $ supplementaryGid ) )
objectclass ( 1.3.6.1.4.1.9586.100.4.3.9 NAME 'debianRoleAccount' SUP top STRUCTURAL MUST uid MAY ( emailForward $ cn $ description ) )
`.trimStart()

/** Access rules and limits as docs/directory.md has them: the sync identity reads what it came for. */
export const ACCESS = [
  `limits dn.exact="${SYNC_DN}" size=unlimited time=unlimited`,
  'access to attrs=userPassword by self write by anonymous auth by * none',
  `access to attrs=mailPassword by self write by dn.exact="${SYNC_DN}" read by * compare`,
  `access to attrs=sshRSAAuthKey by dn.exact="${SYNC_DN}" read by self read by * none`,
  'access to * by * read',
]

/** Access rules that let the sync identity read everything but what it came for. */
export const NO_PASSWORD_ACCESS = [
  'access to attrs=userPassword by anonymous auth by * none',
  'access to attrs=mailPassword by * none',
  'access to * by * read',
]

/** A real OpenLDAP server with userdir-ldap's classes and these people, on free ports of 127.0.0.1. */
export async function startSlapd(options: SlapdOptions): Promise<Slapd> {
  const folder = await makeScratch()
  const certificates = await testCertificates(join(folder, 'ca'))
  const { certificate, key } = await certificates.issue('ldap.test')
  const [port, tlsPort] = [await freePort(), await freePort()]
  await mkdir(join(folder, 'db'))
  const config = join(folder, 'slapd.conf')
  await writeFile(join(folder, 'ud.schema'), SCHEMA)
  const configure = (access: readonly string[] | undefined): Promise<void> =>
    writeFile(
      config,
      `${[
        ...['core', 'cosine', 'nis', 'inetorgperson'].map(
          n => `include /etc/ldap/schema/${n}.schema`,
        ),
        `include ${join(folder, 'ud.schema')}`,
        'modulepath /usr/lib/ldap',
        'moduleload back_mdb',
        'moduleload syncprov',
        `TLSCertificateFile ${certificate}`,
        `TLSCertificateKeyFile ${key}`,
        'sizelimit 500',
        'database mdb',
        `suffix "${BASE_DN}"`,
        `rootdn "${ADMIN_DN}"`,
        `rootpw ${ADMIN_PASSWORD}`,
        `directory ${join(folder, 'db')}`,
        'maxsize 268435456',
        // What a test writes is gone with the test: no need to wait for the disk.
        'dbnosync',
        'index objectClass,entryCSN,entryUUID eq',
        'index uid,modifyTimestamp eq',
        'overlay syncprov',
        ...(access ?? ACCESS),
      ].join('\n')}\n`,
    )
  await configure(options.access)
  await writeFile(join(folder, 'seed.ldif'), seed(options))
  run('slapadd', ['-q', '-f', config, '-l', join(folder, 'seed.ldif')])
  if (process.getuid?.() === 0) run('chown', ['-R', '65534:65534', join(folder, 'db')])
  const slapd = findProgram('slapd') ?? 'slapd'
  const [url, ldapsUrl] = [`ldap://127.0.0.1:${port}`, `ldaps://127.0.0.1:${tlsPort}`]
  const start = (): Promise<ServerProcess> =>
    ServerProcess.start({
      name: 'slapd',
      command: asNobody([slapd, '-d', '0', '-f', config, '-h', `${url} ${ldapsUrl}`]),
      log: join(folder, 'slapd.log'),
      ready: async signal => {
        await portOpen(port, '127.0.0.1', signal)
        await portOpen(tlsPort, '127.0.0.1', signal)
      },
    })
  let server = await start()
  return {
    url,
    ldapsUrl,
    baseDn: BASE_DN,
    peopleDn: PEOPLE_DN,
    bindDn: SYNC_DN,
    bindPassword: SYNC_PASSWORD,
    ca: certificates.caPem,
    get pid() {
      return server.pid
    },
    modify: ldif =>
      run('ldapmodify', ['-x', '-H', url, '-D', ADMIN_DN, '-w', ADMIN_PASSWORD], ldif),
    freeze: () => server.freeze(),
    signal: signal => server.signal(signal),
    stop: async () => {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
    down: () => server.stop(),
    restart: async access => {
      await server.stop()
      if (access !== undefined) await configure(access)
      server = await start()
    },
  }
}

/** LDIF of one more person, for `modify`. */
export function addPerson(person: SlapdPerson, number = 9000): string {
  return personLdif(person, number).replace('\n', '\nchangetype: add\n')
}

function seed({ people, roles = [] }: SlapdOptions): string {
  return [
    `dn: ${BASE_DN}\nobjectClass: dcObject\nobjectClass: organization\no: Example\n`,
    `dn: ${SYNC_DN}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\nuserPassword: ${SYNC_PASSWORD}\n`,
    `dn: ${PEOPLE_DN}\nobjectClass: organizationalUnit\n`,
    ...people.map((person, index) => personLdif(person, 1000 + index)),
    ...roles.map(
      ({ uid, emailForward }) =>
        `dn: uid=${uid},${PEOPLE_DN}\nobjectClass: debianRoleAccount\nemailForward: ${emailForward}\n`,
    ),
  ].join('\n')
}

function personLdif(person: SlapdPerson, number: number): string {
  const { uid, mailPassword = [], userPassword, mail, attributes = {} } = person
  const lines = [
    `dn: uid=${uid},${PEOPLE_DN}`,
    ...['inetOrgPerson', 'debianAccount', 'debianDeveloper', 'shadowAccount'].map(
      name => `objectClass: ${name}`,
    ),
    `cn: ${uid}`,
    `sn: ${uid}`,
    `uidNumber: ${number}`,
    `gidNumber: ${number}`,
  ]
  const add = (name: string, values: string | readonly string[] | undefined): void => {
    for (const value of [values ?? []].flat()) lines.push(`${name}: ${value}`)
  }
  add('mailPassword', mailPassword)
  add('userPassword', userPassword)
  add('mail', mail)
  for (const [name, values] of Object.entries(attributes)) add(name, values)
  return `${lines.join('\n')}\n`
}

function run(program: string, args: readonly string[], input = ''): void {
  const { status, stderr, error } = spawnSync(findProgram(program) ?? program, args, {
    input,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`${program}: ${error?.message ?? stderr}`)
}
