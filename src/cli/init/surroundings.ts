import { X509Certificate } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import { readdirSync, readFileSync } from 'node:fs'
import { hostname, networkInterfaces } from 'node:os'
import { basename, dirname, join } from 'node:path'

/*
 * What this machine tells by itself, so that nobody has to be asked. Nothing here fails: what cannot be read is not there.
 */

/** A certificate with its key, as ACME clients leave them. */
interface FoundPair {
  readonly certificate: string
  readonly key: string
}

/** Folders that hold a folder for each certificate: certbot, dehydrated, lego's and acmetool's usual places. */
const ONE_FOLDER_EACH = [
  '/etc/letsencrypt/live',
  '/var/lib/dehydrated/certs',
  '/etc/dehydrated/certs',
  '/var/lib/acme/live',
  '/root/.acme.sh',
]
const NAMES = [
  ['fullchain.pem', 'privkey.pem'],
  ['fullchain', 'privkey'],
  ['fullchain.cer', '*.key'],
] as const

/** Folders with all certificates in them, the key beside each or in a folder of its own. */
const ALL_IN_ONE = [
  ['/etc/mailcanary', '/etc/mailcanary'],
  ['/etc/ssl/certs', '/etc/ssl/private'],
  ['/etc/pki/tls/certs', '/etc/pki/tls/private'],
] as const

/**
 * The pair whose certificate is for this name and ends last.
 *
 * @param root of the file system, for tests
 */
export function findPair(name: string, root = ''): FoundPair | undefined {
  const fitting = pairs(root).filter(({ certificate }) => isFor(certificate, name))
  const end = ({ certificate }: FoundPair): number =>
    new X509Certificate(readFileSync(certificate)).validToDate.getTime()
  return fitting.toSorted((a, b) => end(b) - end(a))[0]
}

/** Where the key of a certificate probably is. */
export function keyBeside(certificate: string): string | undefined {
  const folder = dirname(certificate)
  const name = basename(certificate)
  const own = NAMES.find(([chain]) => chain === name)
  if (own !== undefined) return keyNamed(folder, own[1])
  const stem = name.replace(/[.-](?:crt|cer|pem|fullchain\.pem|chain\.pem)$/, '')
  const key = `${stem}.key`
  const place = ALL_IN_ONE.find(([certificates]) => folder.endsWith(certificates))
  const beside = keyNamed(folder, key)
  if (place === undefined) return beside
  const root = folder.slice(0, folder.length - place[0].length)
  return keyNamed(`${root}${place[1]}`, key) ?? beside
}

function pairs(root: string): readonly FoundPair[] {
  const certificates = [
    ...ONE_FOLDER_EACH.flatMap(folder =>
      namesIn(`${root}${folder}`).flatMap(name =>
        NAMES.map(([chain]) => join(`${root}${folder}`, name, chain)),
      ),
    ),
    ...ALL_IN_ONE.flatMap(([folder]) =>
      namesIn(`${root}${folder}`)
        .filter(name => /\.(?:crt|pem)$/.test(name))
        .map(name => join(`${root}${folder}`, name)),
    ),
  ]
  return certificates.flatMap(certificate => {
    const key = keyBeside(certificate)
    return key === undefined ? [] : [{ certificate, key }]
  })
}

function isFor(certificate: string, name: string): boolean {
  try {
    return new X509Certificate(readFileSync(certificate)).checkHost(name) !== undefined
  } catch {
    return false
  }
}

function keyNamed(folder: string, pattern: string): string | undefined {
  const name = namesIn(folder).find(name =>
    pattern.startsWith('*') ? name.endsWith(pattern.slice(1)) : name === pattern,
  )
  return name === undefined ? undefined : join(folder, name)
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** The full name of this host; undefined where only a short one is known. */
export function ownName(): string | undefined {
  const name = hostname().toLowerCase()
  if (name.includes('.')) return name
  const line = new RegExp(`^[^#]*\\s(${name.replaceAll(/[^a-z0-9-]/g, '')}\\.[a-z0-9.-]+)`, 'm')
  return line.exec(contentOf('/etc/hosts'))?.[1]
}

/** What the host name means in the DNS, for a person: how clients find us, and what providers look up. */
export async function addressesOf(
  name: string,
): Promise<{ readonly all: readonly string[]; readonly isOurs: boolean }> {
  const found = await lookup(name, { all: true }).catch(() => [])
  const all = found.map(({ address }) => address)
  const own = Object.values(networkInterfaces()).flatMap(list => list ?? [])
  return { all, isOurs: all.some(address => own.some(mine => mine.address === address)) }
}

/** Whether this host has an IPv6 address that others can reach. */
export function hasIpv6(): boolean {
  const own = Object.values(networkInterfaces()).flatMap(list => list ?? [])
  return own.some(({ family, internal }) => family === 'IPv6' && !internal)
}

/** What OpenLDAP's programs on this host use. */
export function ldapDefaults(): {
  readonly url?: string
  readonly base?: string
  readonly ca?: string
} {
  const text = contentOf('/etc/ldap/ldap.conf') || contentOf('/etc/openldap/ldap.conf')
  const value = (key: string): string | undefined =>
    new RegExp(`^\\s*${key}\\s+(\\S+)`, 'im').exec(text)?.[1]
  const [url, base, ca] = [value('URI'), value('BASE'), value('TLS_CACERT')]
  return {
    ...(url !== undefined && /^ldaps?:\/\/[^/]/.test(url) && { url: url.replace(/\/+$/, '') }),
    ...(base !== undefined && { base }),
    ...(ca !== undefined && ca !== '/etc/ssl/certs/ca-certificates.crt' && { ca }),
  }
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
