import { createPrivateKey, X509Certificate } from 'node:crypto'

import type { CertificatePair } from '../base/certificate.ts'
import { messageOf, Problem } from '../base/problem.ts'
import { namesOf, ServerIdentities } from '../base/server-tls.ts'
import type { KeyPath, ProblemList } from './problem-list.ts'
import type { RelayConfig } from './relay-schema.ts'
import { readNamedFile } from './secrets.ts'

type Complaints = Pick<ProblemList, 'add'>
type Needs = Pick<RelayConfig, 'tls' | 'hostname'>

/** Every file that holds a certificate or a key. */
export function certificateFiles(config: Pick<RelayConfig, 'tls'>): readonly string[] {
  return pairsOf(config).flatMap(({ certificate, key }) => [certificate, key])
}

/**
 * Reads certificates and keys, and checks that clients would accept them: each fits its key and is valid now, the
 * first is for our own name.
 *
 * @param now milliseconds since the epoch
 * @returns undefined if something is wrong and was listed
 */
export function readIdentities(
  problems: Complaints,
  config: Needs,
  now: number,
): ServerIdentities | undefined {
  const [first, ...further] = pairsOf(config).map(({ path, ...files }, i) =>
    readPair(problems, path, files, { now, hostname: i === 0 ? config.hostname : undefined }),
  )
  if (first === undefined || further.includes(undefined)) return undefined
  try {
    return new ServerIdentities([first, ...further.filter(pair => pair !== undefined)])
  } catch (error) {
    problems.add(['tls'], messageOf(error))
    return undefined
  }
}

/** The same for a daemon that already runs. @throws Problem with all that is wrong, in a line */
export function rereadIdentities(config: Needs, now: number): ServerIdentities {
  const complaints: string[] = []
  const add = (path: KeyPath, text: string): number => complaints.push(`${path.join('.')}: ${text}`)
  const identities = readIdentities({ add }, config, now)
  if (identities === undefined || complaints.length > 0) throw new Problem(complaints.join('; '))
  return identities
}

function pairsOf({
  tls,
}: Pick<RelayConfig, 'tls'>): { path: KeyPath; certificate: string; key: string }[] {
  return Array.isArray(tls)
    ? tls.map((pair, i) => ({ path: ['tls', i], ...pair }))
    : [{ path: ['tls'], ...tls }]
}

/**
 * Reads one certificate with its key, and checks that clients would accept it.
 *
 * @param hostname the name it has to be for; undefined if any will do
 * @returns undefined if something is wrong and was listed
 */
export function readPair(
  problems: Complaints,
  path: KeyPath,
  files: CertificatePair,
  { now, hostname }: { readonly now: number; readonly hostname: string | undefined },
): CertificatePair | undefined {
  const certificate = readNamedFile(problems, [...path, 'certificate'], files.certificate)
  const key = readNamedFile(problems, [...path, 'key'], files.key)
  if (certificate === undefined || key === undefined) return undefined
  let well = true
  const complain = (what: 'certificate' | 'key', text: string): void => {
    problems.add([...path, what], text)
    well = false
  }
  try {
    const parsed = new X509Certificate(certificate)
    if (!parsed.checkPrivateKey(createPrivateKey(key))) {
      complain('key', 'does not belong to the certificate')
    }
    for (const text of complaintsOf(parsed, { now, hostname })) complain('certificate', text)
  } catch (error) {
    problems.add(path, `certificate and key should both be PEM: ${messageOf(error)}`)
    return undefined
  }
  return well ? { certificate, key } : undefined
}

/** Why clients would not accept a certificate, whatever its key is; `now` and `hostname` as for `readPair`. */
export function* complaintsOf(
  certificate: X509Certificate,
  { now, hostname }: { readonly now: number; readonly hostname: string | undefined },
): Generator<string> {
  const { subjectAltName = 'no name', validFrom, validTo } = certificate
  if (certificate.validToDate.getTime() < now) yield `ended on ${validTo}: renew it`
  if (certificate.validFromDate.getTime() > now) {
    yield `begins on ${validFrom} only: is the clock right?`
  }
  if (hostname !== undefined && certificate.checkHost(hostname) === undefined) {
    yield `is not for ${hostname} but for ${subjectAltName}`
  }
  if (hostname === undefined && namesOf(certificate) === 'no name') {
    yield 'has no name that a client could ask for'
  }
}
